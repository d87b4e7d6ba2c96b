import type { BatchedJob, RunningJob } from '../../worker/index.js';

/** Runs one job by a provider's method, as Nest would run a request by a controller's. */
export type BoundHandler = (data: unknown, job: RunningJob) => Promise<unknown>;

/** The same of a method that takes several jobs at once. */
export interface BoundBatchHandler {
  readonly run: (data: readonly unknown[], jobs: readonly BatchedJob[]) => Promise<unknown>;
  /** What the pipes make of the data of one job; undefined: there are none. */
  readonly item: BoundHandler | undefined;
}
