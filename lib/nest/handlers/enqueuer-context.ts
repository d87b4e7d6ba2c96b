import { type JobHeaders, headersOf } from '../../queue/index.js';
import type { BoundBatchHandler, BoundHandler } from './bound-handler.js';
import * as problems from '../problems.js';
import type { JobContext } from '../options/index.js';

/**
 * Runs a handler in the context of whoever enqueued its job. `forRoot({ context: { extract } })` makes it out of the
 * job's headers. An `extract` that forgets to wait for the handler does no harm: what the handler gives counts.
 */
export function inEnqueuersContext(
  run: BoundHandler,
  extract: NonNullable<JobContext['extract']>,
): BoundHandler {
  return (data, job) => runInside(extract, headersOf(job.meta), () => run(data, job));
}

/**
 * The same for a handler that takes several jobs at once: it runs in what their contexts have in common, the headers that
 * are the same in all of them. So the work for one tenant is never done in the name of another.
 */
export function inEnqueuersContextOfBatch(
  run: BoundBatchHandler['run'],
  extract: NonNullable<JobContext['extract']>,
): BoundBatchHandler['run'] {
  return (data, jobs) => {
    const shared = sharedHeaders(jobs.map((job) => headersOf(job.meta)));
    return runInside(extract, shared, () => run(data, jobs));
  };
}

async function runInside(
  extract: NonNullable<JobContext['extract']>,
  headers: JobHeaders,
  run: () => Promise<unknown>,
): Promise<unknown> {
  let running: Promise<unknown> | undefined;
  const runOnce = () => {
    if (!running) {
      running = run();
      // When `extract` itself throws, nobody waits for the handler any more.
      running.catch(() => undefined);
    }
    return running;
  };
  await extract(headers, runOnce);
  if (!running) throw new TypeError(problems.runNotCalled);
  return running;
}

function sharedHeaders([first, ...others]: readonly JobHeaders[]): JobHeaders {
  const shared = first ?? {};
  for (const name of Object.keys(shared)) {
    if (others.some((headers) => headers[name] !== shared[name])) delete shared[name];
  }
  return shared;
}
