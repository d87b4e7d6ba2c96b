import type { RunningJob } from '../../worker/index.js';

/** Runs one job by a provider's method, as Nest would run a request by a controller's. */
export type BoundHandler = (data: unknown, job: RunningJob) => Promise<unknown>;
