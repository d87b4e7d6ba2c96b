import { AsyncLocalStorage } from 'node:async_hooks';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { RqFactoryOptions } from '../nest/options/index.js';
import type { RootOverride, Run } from '../nest/root/root-override.js';
import type { Connections } from '../redis/index.js';
import type { RedisJobStoreOptions } from '../store/index.js';
import type { Scheduler } from '../worker/index.js';
import { ControlledStore } from './controlled-store.js';
import { Drain } from './drain.js';
import { EmbeddedRedis } from './embedded-redis.js';
import { HeldResults } from './held-results.js';
import { RunControl } from './run-control.js';
import { DRAIN_TIMEOUT_MS, type ResolvedTestingOptions } from './testing-options.js';

/**
 * The roots of an application under test. Each gets an embedded server of its own in place of its `connection`, and
 * keeps all its other options. The server starts with the first root and ends after the last has closed.
 */
export class EmbeddedRoots implements RootOverride, OnApplicationShutdown {
  readonly redis = new EmbeddedRedis();
  readonly stores = new Map<string, ControlledStore>();
  readonly schedulers = new Map<string, Scheduler>();
  readonly control = new RunControl();
  readonly drain = new Drain(this.control, this.stores, this.schedulers);
  /** Set in whatever a handler does. */
  private readonly inHandler = new AsyncLocalStorage<true>();
  private running = 0;

  constructor(private readonly settings: ResolvedTestingOptions) {}

  /**
   * The worker does not end by itself: between two drains it would always find nothing to do.
   *
   * @throws EmbeddedRedisError
   */
  async options(_root: string, given: RqFactoryOptions): Promise<RqFactoryOptions> {
    const connection = await this.redis.open();
    const { worker, layout: _layout, ...others } = given;
    if (typeof worker !== 'object' || worker === null) return { ...others, worker, connection };
    const { burst: _burst, maxJobs: _maxJobs, maxIdle: _maxIdle, ...rest } = worker;
    return { ...others, connection, worker: rest };
  }

  store(root: string, connections: Connections, options: RedisJobStoreOptions): ControlledStore {
    const store: ControlledStore = new ControlledStore(
      connections,
      options,
      this.control,
      (count) => this.enqueued(store, count),
      new HeldResults(this.settings.mode, this.control),
    );
    this.stores.set(root, store);
    return store;
  }

  /** Schedules are not fired by the time that passes here, but while a test drains or moves the clock. */
  async scheduler(root: string, scheduler: Scheduler): Promise<void> {
    this.schedulers.set(root, scheduler);
    await scheduler.look(Infinity);
  }

  handler<Data, Job>(run: Run<Data, Job>): Run<Data, Job> {
    return async (data, job) => {
      this.running += 1;
      try {
        return await this.inHandler.run(true, () => run(data, job));
      } finally {
        this.running -= 1;
      }
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.redis.close();
  }

  /**
   * In inline mode, whoever enqueues waits until the jobs have run. Not so a handler: they run as part of the drain
   * that runs it, which would wait for itself. What is enqueued in one turn of the event loop arrives together; when
   * some of it may be a handler's, nobody waits.
   */
  private async enqueued(store: ControlledStore, count: number): Promise<void> {
    if (this.settings.mode !== 'inline' || store.served.length === 0) return;
    const mayBeNested = this.inHandler.getStore() ?? (this.running > 0 && count > 1);
    if (!mayBeNested) await this.drain.run(DRAIN_TIMEOUT_MS);
  }
}
