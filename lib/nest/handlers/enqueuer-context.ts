import { headersOf } from '../../queue/index.js';
import type { BoundHandler } from './bound-handler.js';
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
  return async (data, job) => {
    let running: Promise<unknown> | undefined;
    const runOnce = () => {
      if (!running) {
        running = run(data, job);
        // When `extract` itself throws, nobody waits for the handler any more.
        running.catch(() => undefined);
      }
      return running;
    };
    await extract(headersOf(job.meta), runOnce);
    if (!running) throw new TypeError(problems.runNotCalled);
    return running;
  };
}
