import type { RqTelemetry } from '../../job/index.js';
import { headersOf } from '../../queue/index.js';
import type { BoundHandler } from './bound-handler.js';
import type { RunningTraces } from './running-traces.js';

/**
 * Runs a handler where a library for traces wants it to run.
 * @param worker the name of the worker, once there is one
 * @param traces what lines of the log are to know; undefined: nothing
 */
export function tracedHandler(
  run: BoundHandler,
  telemetry: RqTelemetry,
  worker: () => string | undefined,
  traces: RunningTraces | undefined,
): BoundHandler {
  return (data, job) => {
    const { queue, name, id, attempt, retriesLeft } = job;
    const headers = headersOf(job.meta);
    const about = { queue, name, id, attempt, retriesLeft, headers, worker: worker() };
    if (!traces) return telemetry.process(about, () => run(data, job));
    return telemetry.process(about, () =>
      traces.follow(id, attempt, telemetry.traceId?.(), () => run(data, job)),
    );
  };
}
