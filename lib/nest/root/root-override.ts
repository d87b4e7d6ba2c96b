import type { Connections } from '../../redis/index.js';
import type { RedisJobStoreOptions, WorkerStore } from '../../store/index.js';
import type { Scheduler } from '../../worker/index.js';
import type { RqFactoryOptions } from '../options/index.js';

/**
 * What the roots of an application are made of can be replaced from outside. The application need not change: a global
 * module that provides this token stands between every `RqModule.forRoot` and its Redis. Tests do so.
 */
export interface RootOverride {
  /** The options to use, in place of those that the application gives to the root of this name. */
  options(root: string, given: RqFactoryOptions): Promise<RqFactoryOptions>;
  /** The store of the root, for its queues and its worker. */
  store(root: string, connections: Connections, options: RedisJobStoreOptions): WorkerStore;
  /** Has the schedules of the root fired, in place of `scheduler.start()`. */
  scheduler(root: string, scheduler: Scheduler): Promise<void>;
  /** What runs a job, in place of the bound `@Job` method; it should call that. */
  handler<Data, Job>(run: Run<Data, Job>): Run<Data, Job>;
}

/** It gets the data and the job, or lists of both. */
export type Run<Data, Job> = (data: Data, job: Job) => Promise<unknown>;

/** Under which Nest's container knows it; `Symbol.for`, so that two entry points of the package agree. */
export const ROOT_OVERRIDE = Symbol.for('nestjs-rq:root-override');
