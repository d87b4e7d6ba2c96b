import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { InvalidOptionError } from '../job/index.js';
import { type HandlerRegistry, Worker } from '../worker/index.js';
import type { HandlerExplorer } from './handler-explorer.js';
import * as messages from './messages.js';
import type { RqWorkerOptions } from './options/index.js';
import type { RqRoot } from './rq-root.js';
import { WorkerLog } from './worker-log.js';

/**
 * The embedded worker's life: it starts when every other provider is ready (its module is the last at start),
 * and stops before any other is destroyed (the first when closing). Without handlers there is no worker.
 */
export class WorkerHost implements OnApplicationBootstrap, OnModuleDestroy {
  private running: { worker: Worker; queues: string[] } | undefined;
  private closing = false;
  private readonly log: WorkerLog;

  constructor(
    private readonly root: RqRoot,
    private readonly explorer: HandlerExplorer,
  ) {
    this.log = new WorkerLog(root.name);
  }

  /** @throws what makes the handlers or the worker impossible; the application does not start then */
  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      // An application that did not start may never be closed: it must not keep the process alive.
      await this.root.close();
      throw error;
    }
  }

  /** Resolves when running jobs have ended or were put back, at the latest after `shutdownTimeout`. */
  async onModuleDestroy(): Promise<void> {
    this.closing = true;
    if (!this.running) return;
    const { worker, queues } = this.running;
    this.running = undefined;
    await worker.stop();
    this.log.stopped(queues, this.concurrency);
  }

  private async start(): Promise<void> {
    const { worker: options, shutdownTimeout } = this.root.options;
    if (options === false || this.closing) return;
    const handlers = this.explorer.explore();
    const queues = this.consumedQueues(options, handlers);
    if (queues.length === 0) return;
    const worker = new Worker(
      this.root.store,
      handlers,
      { queues, ...options, shutdownTimeout: shutdownTimeout / 1000 },
      this.log,
    );
    this.running = { worker, queues };
    for (const name of queues) this.root.queues.get(name);
    await worker.start();
    this.log.started(queues, this.concurrency);
  }

  /** The queues that were asked for, or all that have a handler. */
  private consumedQueues(options: RqWorkerOptions, handlers: HandlerRegistry): string[] {
    const asked = options.queues?.map((queue) => (typeof queue === 'string' ? queue : queue.name));
    const unhandled = asked?.find((name) => handlers.names(name).length === 0);
    if (unhandled !== undefined) {
      const problem = messages.queueWithoutHandler(unhandled, handlers.queues());
      throw new InvalidOptionError({ option: 'worker.queues', problem, where: this.root.place });
    }
    return asked ?? handlers.queues();
  }

  private get concurrency(): number {
    const { worker } = this.root.options;
    return (worker && worker.concurrency) || 10;
  }
}
