import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { InvalidOptionError } from '../../job/index.js';
import { storeFor } from '../../store/index.js';
import { type HandlerRegistry, type OwnDefinition, Scheduler, Worker } from '../../worker/index.js';
import { AlertHost } from '../alerts/alert-host.js';
import type { FoundAlertListener } from '../alerts/alert-metadata.js';
import type { HandlerExplorer } from './handler-explorer.js';
import { unprovidedHandlers } from '../handlers/unprovided-handlers.js';
import { JobListeners } from '../listeners/job-listeners.js';
import { type Timer, after } from '../../time/timer.js';
import * as problems from '../problems.js';
import type { RqWorkerOptions } from '../options/index.js';
import type { LeftJobs } from '../log-lines.js';
import { HandlerList } from './handler-list.js';
import type { RootOverride } from './root-override.js';
import type { RqRoot } from './rq-root.js';
import { RqWorker } from './rq-worker.js';
import { LoggingObserver } from './logging-observer.js';
import { figuresOf } from './observed-figures.js';

/**
 * The life of the embedded worker. It starts when every other provider is ready (its module is the last at start). It
 * stops before any other is destroyed (the first when closing). Without handlers there is no worker. The methods that
 * hear of jobs, and what fires schedules, live as long as it.
 */
export class WorkerHost implements OnApplicationBootstrap, OnModuleDestroy {
  private worker: Worker | undefined;
  private handlers: HandlerRegistry | undefined;
  private lookingForUnprovided: Timer | undefined;
  private listeners: JobListeners | undefined;
  private readonly schedulers: Scheduler[] = [];
  private alerts: AlertHost | undefined;
  private isClosing = false;
  private stopObserving: (() => void) | undefined;
  private readonly log: LoggingObserver;

  /** @param makeExplorer is called when the worker starts */
  constructor(
    private readonly root: RqRoot,
    private readonly override: RootOverride | undefined,
    private readonly makeExplorer: () => Promise<HandlerExplorer>,
  ) {
    const namesOn = (queue: string) => this.handlers?.names(queue) ?? [];
    this.log = new LoggingObserver(root.name, namesOn, root.options.log, (event) => {
      const traceId = root.traces?.take(event.jobId, event.attempt);
      const worker = root.worker?.name;
      return { ...(worker && { worker }), ...(traceId && { traceId }) };
    });
  }

  /** @throws what makes the handlers or the worker impossible; the application does not start then */
  async onApplicationBootstrap(): Promise<void> {
    const { telemetry } = this.root.options;
    try {
      // Loops and timers that began in a trace would never leave it.
      await (telemetry ? telemetry.outside(() => this.start()) : this.start());
      this.stopObserving = telemetry?.observe?.(figuresOf(this.root));
    } catch (error) {
      // An application that did not start may never be closed: it must not keep the process alive.
      await this.stopFiring();
      await this.worker?.stop();
      await this.alerts?.stop(0);
      await this.root.close();
      throw error;
    }
  }

  /** Resolves when running jobs have ended or were put back, soon after `shutdownTimeout` at the latest. */
  async onModuleDestroy(): Promise<void> {
    this.isClosing = this.root.isClosing = true;
    this.lookingForUnprovided?.cancel();
    this.stopObserving?.();
    const firing = this.stopFiring();
    if (this.worker) {
      await this.worker.stop();
      if (this.root.worker) await this.root.worker.done;
      else this.log.stopped(this.worker.queues);
    }
    await firing;
    await this.listeners?.close(this.root.options.shutdownTimeout);
    await this.alerts?.stop(this.root.options.shutdownTimeout);
  }

  private async start(): Promise<void> {
    if (this.isClosing) return;
    const explorer = await this.makeExplorer();
    const { worker: options } = this.root.options;
    const found = explorer.handlers();
    this.limitQueues(found);
    const handlers = options === false ? undefined : found;
    this.handlers = handlers;
    if (handlers)
      this.root.queues.knowPriorities((queue, job) => handlers.find(queue, job)?.priority);
    const heard = explorer.listeners();
    const listeners = new JobListeners(this.root.queues, heard);
    this.listeners = listeners;
    const alerted = explorer.alertListeners();
    this.alerts = this.makeAlerts(alerted, handlers);
    if (options && handlers) this.worker = this.makeWorker(options, handlers, listeners);
    const served = this.worker?.queues ?? [];
    for (const name of served) this.root.queues.get(name);
    const schedules = explorer.schedules(this.root.queues);
    const fires = this.root.options.schedules && (served.length > 0 || schedules.length > 0);
    const list = new HandlerList(this.root.name);
    list.print(handlers, heard, served, schedules, fires, alerted);
    // Before the worker: nothing that it does is missed.
    await listeners.listen();
    await this.worker?.start();
    if (this.worker) this.root.worker = this.toldOf(this.worker);
    if (this.worker && options) this.log.started(this.worker.queues, options.concurrency);
    if (!this.isClosing) this.alerts?.start();
    if (fires)
      await this.fire(
        schedules.map(({ definition }) => definition),
        served,
      );
    this.root.isStarted = true;
    if (options) this.lookForUnprovided(served);
  }

  /** None while an application is tested: its time is not that of the clock. */
  private makeAlerts(
    listeners: readonly FoundAlertListener[],
    handlers: HandlerRegistry | undefined,
  ): AlertHost | undefined {
    const { name, store, options } = this.root;
    if (!options.alerts || this.override) return undefined;
    return new AlertHost(
      { root: name, log: options.log },
      store,
      options.alerts,
      listeners,
      handlers,
    );
  }

  private toldOf(worker: Worker): RqWorker {
    const { queues } = worker;
    return new RqWorker(worker, async (why) => {
      if (why === 'stopped') this.log.stopped(queues);
      else this.log.ended(queues, why, why === 'drained' ? await this.leftIn(queues) : []);
    });
  }

  /** What a worker leaves that has found nothing more to do; nothing when Redis cannot say. */
  private async leftIn(queues: readonly string[]): Promise<LeftJobs[]> {
    try {
      const counts = await Promise.all(queues.map((queue) => this.root.store.counts(queue)));
      return counts.map(({ queued, scheduled }, index) => ({
        queue: queues[index] ?? '',
        queued,
        scheduled,
      }));
    } catch {
      return [];
    }
  }

  /** What the registrations of queues say holds for their handlers; and whoever enqueues here knows the keys of jobs. */
  private limitQueues(handlers: HandlerRegistry): void {
    for (const [queue, { key, concurrency, rateLimit, maxLength }] of this.root.queues.limits()) {
      handlers.limitQueue(queue, { key, concurrency, rateLimit, maxLength });
    }
    this.root.queues.knowKeys((queue, job) => handlers.find(queue, job)?.gate?.key);
  }

  /** Last of all: what it enqueues finds a worker that runs it. In a cluster each hash tag has schedules of its own. */
  private async fire(
    definitions: readonly OwnDefinition[],
    served: readonly string[],
  ): Promise<void> {
    const { store, name } = this.root;
    const queues = [...served, ...definitions.map(({ queue }) => queue)];
    for (const own of new Set(queues.map((queue) => storeFor(store, queue)))) {
      if (this.isClosing) return;
      const ofStore = definitions.filter(({ queue }) => storeFor(store, queue) === own);
      const scheduler = new Scheduler(own, ofStore, this.log);
      this.schedulers.push(scheduler);
      if (this.override) await this.override.scheduler(name, scheduler);
      else await scheduler.start();
    }
  }

  private async stopFiring(): Promise<void> {
    await Promise.all(this.schedulers.map((scheduler) => scheduler.stop()));
  }

  /** A moment later: another application of this process may provide what this one does not. */
  private lookForUnprovided(served: readonly string[]): void {
    // With handlers of its own, an application that only enqueues on another queue leaves that to other processes.
    const queues = served.length > 0 ? served : this.root.queues.all().map(({ name }) => name);
    this.lookingForUnprovided = after(UNPROVIDED_AFTER, () => {
      const unprovided = unprovidedHandlers(this.root.name, queues);
      for (const found of unprovided) this.log.unprovided(found);
      // A class that no file imports is not even loaded: there is no name to tell.
      if (unprovided.length + served.length === 0 && queues.length > 0) this.log.noHandlers(queues);
    }).unref();
  }

  private makeWorker(
    options: RqWorkerOptions,
    handlers: HandlerRegistry,
    listeners: JobListeners,
  ): Worker | undefined {
    this.refuseUnhandled(options, handlers);
    if (handlers.queues().length === 0) return undefined;
    const { shutdownTimeout, webhooks } = this.root.options;
    const settings = {
      ...options,
      shutdownTimeout: shutdownTimeout / 1000,
      webhooks,
      // The server of a tested application has no replicas.
      ...(!this.override && {
        durability: (queue: string) => this.root.queues.durabilityOf(queue),
      }),
    };
    const observers = [this.log, listeners, ...(this.alerts ? [this.alerts] : [])];
    return new Worker(this.root.store, handlers, settings, ...observers);
  }

  /** A queue that was asked for by a misspelt name would never be served. */
  private refuseUnhandled({ queues = [] }: RqWorkerOptions, handlers: HandlerRegistry): void {
    const names = queues.map((queue) => (typeof queue === 'string' ? queue : queue.name));
    const unhandled = names.find((name) => handlers.names(name).length === 0);
    if (unhandled !== undefined) {
      const problem = problems.queueWithoutHandler(unhandled, handlers.queues());
      throw new InvalidOptionError({ option: 'worker.queues', problem, where: this.root.place });
    }
  }
}

/** Milliseconds. */
const UNPROVIDED_AFTER = 2000;
