import type { CountedJobs, WorkerActivity } from './figure-store.js';

/** Where workers show themselves; jobs do not depend on it. */
export interface WorkerRegister {
  /** @param activity what it shows of itself from the start */
  register(worker: WorkerRecord, activity?: WorkerActivity): Promise<void>;
  /**
   * Tells that the worker lives, what it does, and what it has done since the last time. Answers whether somebody looks at
   * live figures now.
   */
  heartbeat(worker: WorkerRecord, done: WorkDone): Promise<boolean>;
  deregister(worker: WorkerRecord): Promise<void>;
}

/** A worker as it shows itself. */
export interface WorkerRecord {
  readonly name: string;
  readonly queues: readonly string[];
  readonly version: string;
  /** Seconds without a sign of life after which it is not listed any more. */
  readonly ttl: number;
  readonly state: 'started' | 'idle' | 'busy' | 'suspended';
}

/** What a worker has done since it showed itself last. */
export interface WorkDone {
  readonly finished: number;
  readonly failed: number;
  readonly seconds: number;
  readonly activity?: WorkerActivity;
  /** What was counted of jobs; undefined: nothing is counted. */
  readonly figures?: readonly CountedJobs[];
}
