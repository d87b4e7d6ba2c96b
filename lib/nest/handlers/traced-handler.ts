import type { ProcessedJob, RqTelemetry } from '../../job/index.js';
import { headersOf } from '../../queue/index.js';
import type { RunningJob } from '../../worker/index.js';
import type { BoundBatchHandler, BoundHandler } from './bound-handler.js';
import type { RunningTraces } from './running-traces.js';

/** What runs of handlers are told about. */
export interface TracedRuns {
  readonly telemetry: RqTelemetry;
  /** The name of the worker, once there is one. */
  readonly worker: () => string | undefined;
  /** What lines of the log are to know; undefined: nothing. */
  readonly traces: RunningTraces | undefined;
}

/** Runs a handler where a library for traces wants it to run. */
export function tracedHandler(run: BoundHandler, traced: TracedRuns): BoundHandler {
  const { telemetry, traces } = traced;
  return (data, job) => {
    const about = aboutRun(job, traced);
    if (!traces) return telemetry.process(about, () => run(data, job));
    return telemetry.process(about, () =>
      traces.follow(about.id, about.attempt, telemetry.traceId?.(), () => run(data, job)),
    );
  };
}

/** The same for one that takes several jobs at once. */
export function tracedBatch(
  run: BoundBatchHandler['run'],
  traced: TracedRuns,
): BoundBatchHandler['run'] {
  const { telemetry, traces } = traced;
  if (!telemetry.processBatch) return run;
  return (data, jobs) => {
    const about = jobs.map((job) => aboutRun(job, traced));
    return telemetry.processBatch!(about, () => {
      const traceId = traces && telemetry.traceId?.();
      if (traceId) for (const { id, attempt } of about) traces.note(id, attempt, traceId);
      return run(data, jobs);
    });
  };
}

function aboutRun(job: RunningJob, { worker }: TracedRuns): ProcessedJob {
  const { queue, name, id, attempt, retriesLeft, readyAt } = job;
  return {
    queue,
    name,
    id,
    attempt,
    retriesLeft,
    waitMs: readyAt && Math.max(0, Date.now() - readyAt.getTime()),
    headers: headersOf(job.meta),
    worker: worker(),
  };
}
