import type { RqTelemetry } from '../../job/index.js';
import { headersOf } from '../../queue/index.js';
import type { BoundHandler } from './bound-handler.js';

/** Runs a handler where a library for traces wants it to run. @param worker the name of the worker, once there is one */
export function tracedHandler(
  run: BoundHandler,
  telemetry: RqTelemetry,
  worker: () => string | undefined,
): BoundHandler {
  return (data, job) => {
    const { queue, name, id, attempt, retriesLeft } = job;
    const headers = headersOf(job.meta);
    const about = { queue, name, id, attempt, retriesLeft, headers, worker: worker() };
    return telemetry.process(about, () => run(data, job));
  };
}
