import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunningJob } from '../../worker/index.js';

/**
 * The job that the code is running for, wherever it is below the handler. A nested service or a logger asks here; the
 * job need not be passed through every call.
 */
const current = new AsyncLocalStorage<RunningJob>();

/**
 * The job whose handler called this, through any number of calls, awaits, timers and events; undefined outside of
 * handlers, and in applications with `currentJob: false`. In the guards, pipes, interceptors and filters of a handler it
 * is the job, too.
 *
 * @example
 * log(message: string) {
 *   console.log(currentJob()?.id ?? '-', message);
 * }
 */
export function currentJob(): RunningJob | undefined {
  return current.getStore();
}

/** Makes all below the handler find its job. */
export function tellingCurrentJob<Result>(
  run: (data: unknown, job: RunningJob) => Result,
): (data: unknown, job: RunningJob) => Result {
  return (data, job) => current.run(job, run, data, job);
}
