import { randomBytes } from 'node:crypto';
import {
  InvalidOptionError,
  ShortForm,
  type StartedEvent,
  assertInTime,
  hideFields,
  wholeNumber,
} from '../job/index.js';
import type { ClaimedJob } from '../wire/index.js';
import type { LeaseGuard } from '../redis/index.js';
import { type WorkerStore, storeFor } from '../store/index.js';
import type { HandlerRegistry } from './run/handler-registry.js';
import { JobCounts } from './report/job-counts.js';
import { JobReporter } from './report/job-reporter.js';
import { Webhooks } from './report/webhooks.js';
import { JobRunner } from './run/job-runner.js';
import { LeaseKeeper, type ServedQueue } from './upkeep/lease-keeper.js';
import { Recovery } from './upkeep/recovery.js';
import { EndOfWork } from './serve/end-of-work.js';
import { PrefetchLimit } from './serve/prefetch-limit.js';
import { Heartbeat } from './upkeep/heartbeat.js';
import { QueueConsumer } from './serve/queue-consumer.js';
import { ParallelSlots, SharedSlots, type SlotUser, type Slots } from './serve/slots.js';
import { activityOf } from './activity.js';
import { shutDown } from './shutdown.js';
import { DeclaredLimits, ownGates } from './upkeep/declared-limits.js';
import { obeyCommand } from './upkeep/worker-commands.js';
import type { WorkerObserver } from './report/worker-observer.js';
import type { WorkerEnd, WorkerFigures, WorkerVitals } from './worker-figures.js';
import {
  type ResolvedWorkerOptions,
  type WorkerOptions,
  type WorkerQueueOptions,
  resolveWorkerOptions,
} from './worker-options.js';

/**
 * Runs jobs: serves queues, keeps leases, looks after what others left behind, and stops in good order. It lives in
 * the application's own process; any number of them, in any number of processes, may serve the same queues.
 *
 * ```ts
 * const worker = new Worker(store, handlers, { concurrency: 20 });
 * await worker.start();
 * // later
 * await worker.stop();
 * ```
 */
export class Worker extends ShortForm {
  /** The name under which RQ's tools list it. */
  readonly name: string;
  /** The queues that it serves. */
  readonly queues: readonly string[];
  /**
   * Why it has ended, once everything is written down and nothing of it is left: `drained` (`burst`: nothing was to be
   * done), `maxJobs`, `idle` (`maxIdle`), or `stopped` (`stop()`, or RQ's command). Never rejects.
   */
  readonly done: Promise<WorkerEnd>;

  private readonly options: ResolvedWorkerOptions;
  private readonly reporter: JobReporter;
  private readonly webhooks: Webhooks;
  private readonly served: ServedQueue[];
  private readonly guard: LeaseGuard;
  private readonly leaseKeeper: LeaseKeeper;
  private readonly recovery: Recovery;
  private readonly heartbeat: Heartbeat;
  private readonly counts: JobCounts | undefined;
  private readonly limits: DeclaredLimits;
  private readonly slots: Slots;
  private readonly end: EndOfWork | undefined;
  private isPaused = false;
  private endReason: WorkerEnd = 'stopped';
  private hasEnded: (why: WorkerEnd) => void = () => undefined;
  private readonly stopListening: (() => void)[] = [];
  /** Redis's clock minus that of `performance.now()`, which nobody sets; until Redis has told it, by ours. */
  private clockOffset = Date.now() - performance.now();
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;

  /**
   * @param handlers all handlers must be registered before `start()`
   * @throws InvalidOptionError when an option is impossible, or a queue to serve has no handler
   */
  constructor(
    private readonly store: WorkerStore,
    private readonly handlers: HandlerRegistry,
    options: WorkerOptions = {},
    ...observers: readonly WorkerObserver[]
  ) {
    super();
    this.options = resolveWorkerOptions(options);
    this.reporter = new JobReporter(...observers);
    this.webhooks = new Webhooks(this.options.webhooks.allow, this.reporter);
    this.reporter.sendWebhooks(this.webhooks);
    // Long, so that Redis keeps the started registry in the form that is quick also with hundreds of members.
    const token = randomBytes(24).toString('hex');
    this.name = this.options.name ?? `${process.pid}-${token.slice(0, 8)}`;
    const queues = this.queuesToServe();
    this.queues = queues.map(({ name }) => name);
    const { lease: leaseMs, maxCrashes, order } = this.options;
    this.guard = store.leaseGuard(this.queues, token, leaseMs);
    this.done = new Promise((resolve) => (this.hasEnded = resolve));
    const users: QueueConsumer[] = [];
    this.slots = this.makeSlots(users);
    this.end = this.makeEnd(users);
    this.served = this.serve(queues, token, users);
    this.leaseKeeper = new LeaseKeeper(store, this.served, leaseMs, this.guard, this.reporter);
    const onDue = (queue: string, milliseconds: number) =>
      this.consumerOf(queue)?.dueIn(milliseconds);
    const limits = new DeclaredLimits(store, handlers);
    this.limits = limits;
    const before = async (queue: string) => {
      await this.leaseKeeper.renewedLately(queue);
      await limits.declareAgain(queue);
    };
    const { durability } = this.options;
    const duties = { leaseMs, maxCrashes, durability, before, onDue };
    this.recovery = new Recovery(store, this.queues, duties, this.reporter);
    const record = { name: this.name, queues: this.queues, version: 'nestjs-rq' };
    const isHandled = (queue: string, name: string) => handlers.find(queue, name) !== undefined;
    const counts = this.options.history ? new JobCounts(isHandled) : undefined;
    this.counts = counts;
    if (counts) this.reporter.countJobs(counts);
    this.heartbeat = new Heartbeat(store, record, () => this.state, this.reporter, {
      counts,
      activity: () => activityOf(this.served, order !== 'parallel'),
    });
    hideFields(this, 'name', 'queues');
  }

  /** What JSON and logs show of it. */
  toJSON(): {
    readonly name: string;
    readonly queues: readonly string[];
    readonly running: number;
  } {
    return { name: this.name, queues: this.queues, running: this.running };
  }

  /** How many jobs are running now. */
  get running(): number {
    return this.served.reduce((sum, { runner }) => sum + runner.count, 0);
  }

  /** What it has done since it started, and does now. */
  figures(): WorkerFigures {
    const { slots, busy } = activityOf(this.served, this.options.order !== 'parallel');
    const { counts, handlers, queues } = this;
    // Of what has not run yet there are zeros: what begins with a failure shall show as one.
    const handled = queues.flatMap((queue) =>
      handlers.names(queue).map((name) => ({ queue, name, figures: [] })),
    );
    const counted = counts ? [...handled, ...counts.all()] : [];
    return { counted, slots, busy, recovered: this.recovery.recovered };
  }

  /** Signs of its life, for health checks. */
  vitals(): WorkerVitals {
    const { lease: leaseMs } = this.options;
    return { ...this.heartbeat.vitals(), leaseMs, isStopping: this.stopping !== undefined };
  }

  private get state(): 'busy' | 'idle' | 'suspended' {
    if (this.running > 0) return 'busy';
    if (this.isPaused) return 'suspended';
    return this.served.some(({ consumer }) => !consumer.isHeldUp) ? 'idle' : 'suspended';
  }

  /** Starts to take jobs. @throws RqConnectionError when Redis cannot be reached in time, UnusableRedisError */
  start(): Promise<void> {
    this.starting ??= this.startUp();
    return this.starting;
  }

  private async startUp(): Promise<void> {
    if (this.stopping) return;
    for (const warning of await this.store.audit('worker')) this.reporter.problem(warning);
    if (this.stopping) return;
    await this.heartbeat.start();
    if (this.stopping) return;
    const runners = this.served.map(({ runner }) => runner);
    const wake = (queue: string) => this.consumerOf(queue)?.wake();
    const obey = (message: string) =>
      obeyCommand(message, runners, () => this.shutDownByCommand(), wake);
    this.stopListening.push(await this.store.onCommand(this.name, obey, this.queues));
    if (this.stopping) return;
    this.stopListening.push(
      this.store.onReady(() => {
        void this.leaseKeeper.renew();
        for (const { consumer } of this.served) consumer.reconnected();
      }),
    );
    for (const queue of this.queues) {
      const changes = await this.limits.declare(queue);
      for (const change of changes) this.reporter.tell('limitsChanged', { queue, ...change });
    }
    if (this.stopping) return;
    this.leaseKeeper.start();
    this.recovery.start();
    await Promise.all(this.served.map(({ consumer }) => consumer.start()));
    this.end?.start();
  }

  /**
   * From now on so many jobs run at once: as its option `concurrency`, per queue in `parallel` order (but for queues that
   * were given a number of their own), in all otherwise. Where it is lowered, running jobs go on to their end.
   *
   * @param queue only this one, in `parallel` order
   * @throws InvalidOptionError
   */
  setConcurrency(concurrency: number, queue?: string): void {
    const where = 'setConcurrency';
    wholeNumber(1)(concurrency, 'concurrency', where);
    if (queue === undefined) {
      this.slots.resize(concurrency);
      for (const { consumer } of this.served) {
        if (!this.hasOwnConcurrency(consumer.queue)) consumer.setConcurrency(concurrency);
      }
      return;
    }
    const served = this.served.find(({ consumer }) => consumer.queue === queue);
    if (served && this.options.order === 'parallel') {
      served.consumer.setConcurrency(concurrency);
      return;
    }
    const problem = served
      ? `cannot be given in ${this.options.order} order, in which all queues share the slots`
      : `"${queue}" is not served by this worker: it serves ${this.queues.join(', ')}`;
    throw new InvalidOptionError({ option: 'queue', problem, where });
  }

  /**
   * Takes no more jobs until `resume()`; those that run go on, and those that were claimed ahead go back. Other workers
   * serve the queues meanwhile. Resolves when that is so in Redis; with Redis away, when it is back.
   */
  async pause(): Promise<void> {
    this.isPaused = true;
    await Promise.all(this.served.map(({ consumer }) => consumer.pause()));
  }

  /** Takes jobs again. */
  resume(): void {
    if (!this.isPaused || this.stopping) return;
    this.isPaused = false;
    for (const { consumer } of this.served) consumer.resume();
    this.end?.start();
  }

  /**
   * Stops in good order: takes no more jobs, lets the running ones finish for `shutdownTimeout`, then aborts their
   * signals and puts them back at the head of their queues, spending no retry. Never rejects and never hangs, also
   * with Redis away (the leases then bring the jobs back).
   */
  stop(): Promise<void> {
    this.stopping ??= this.shutDown();
    return this.stopping;
  }

  private async shutDown(): Promise<void> {
    this.end?.close();
    await shutDown({
      starting: this.starting,
      served: this.served,
      shutdownTimeoutMs: this.options.shutdownTimeout,
      recovery: this.recovery,
      leaseKeeper: this.leaseKeeper,
      heartbeat: this.heartbeat,
      webhooks: this.webhooks,
      allEnded: () => this.allEnded(),
      stopListening: () => {
        for (const stopListening of this.stopListening) stopListening();
      },
    });
    this.hasEnded(this.endReason);
  }

  private consumerOf(queue: string): QueueConsumer | undefined {
    return this.served.find(({ consumer }) => consumer.queue === queue)?.consumer;
  }

  private async allEnded(): Promise<void> {
    while (this.running > 0) await new Promise<void>((resolve) => this.onEnded.push(resolve));
  }

  private readonly onEnded: (() => void)[] = [];

  private shutDownByCommand(): void {
    const { name: worker, queues } = this;
    if (!this.stopping) this.reporter.tell('stopCommanded', { worker, queues });
    void this.stop();
  }

  private queuesToServe(): readonly Required<WorkerQueueOptions>[] {
    const { queues, concurrency } = this.options;
    if (!queues) return this.handlers.queues().map((name) => ({ name, concurrency, weight: 1 }));
    for (const { name } of queues) {
      if (this.handlers.names(name).length === 0) {
        const problem = `names "${name}", for which there is no handler: its jobs could only fail`;
        throw new InvalidOptionError({ option: 'queues', problem, where: 'worker options' });
      }
    }
    return queues;
  }

  private makeSlots(users: readonly SlotUser[]): Slots {
    const { concurrency, order } = this.options;
    return order === 'parallel' ? new ParallelSlots() : new SharedSlots(concurrency, users, order);
  }

  /** Nothing, for a worker that goes on until it is stopped. */
  private makeEnd(consumers: readonly QueueConsumer[]): EndOfWork | undefined {
    const { burst, maxJobs, maxIdle: maxIdleMs } = this.options;
    if (!burst && maxJobs === undefined && maxIdleMs === undefined) return undefined;
    return new EndOfWork({ burst, maxJobs, maxIdleMs }, consumers, (why) => {
      this.endReason = why;
      void this.stop();
    });
  }

  private hasOwnConcurrency(queue: string): boolean {
    const { order, ownConcurrency } = this.options;
    return order === 'parallel' && ownConcurrency.includes(queue);
  }

  private serve(
    queues: readonly Required<WorkerQueueOptions>[],
    token: string,
    users: QueueConsumer[],
  ): ServedQueue[] {
    const { concurrency: total, order, lease, maxCrashes, prefetch, unknownJobs } = this.options;
    const { handlers, reporter, slots, end } = this;
    const { hearsStarts } = reporter;
    return queues.map(({ name, concurrency, weight }) => {
      const store = storeFor(this.store, name);
      const settings = {
        maxPayloadBytes: store.maxPayloadBytes,
        now: (at = performance.now()) => at + this.clockOffset,
        guarded: this.guard.runsOf(name),
        removePrefetched: (matches: (job: ClaimedJob) => boolean) =>
          consumer.removePrefetched(matches),
        unknownJobs,
        hearsStarts: () => hearsStarts || consumer.events.isListened,
        began: (event: StartedEvent) => {
          reporter.started(event);
          consumer.events.began(event);
        },
      };
      const runner: JobRunner = new JobRunner(name, store, handlers, reporter, settings, (end) => {
        consumer.ended(end);
        if (this.onEnded.length > 0 && this.running === 0)
          for (const resolve of this.onEnded.splice(0)) resolve();
      });
      const own = order === 'parallel' ? concurrency : total;
      const durability = this.options.durability(name);
      assertInTime(durability, this.store.commandTimeout, 'worker options');
      const consumer: QueueConsumer = new QueueConsumer(name, own, weight, {
        store,
        runner,
        reporter,
        slots,
        maxCrashes,
        ownGates: ownGates(handlers, name),
        prefetch: new PrefetchLimit(order === 'parallel' ? prefetch : 0, own),
        leaseMs: lease,
        durability,
        workerName: this.name,
        token,
        end,
        clock: (now) => (this.clockOffset = now - performance.now()),
      });
      users.push(consumer);
      return { consumer, runner };
    });
  }
}
