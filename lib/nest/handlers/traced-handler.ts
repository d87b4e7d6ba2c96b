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

/**
 * The same for a handler that takes several jobs: one run for all of them. A job that its pipes refuse fails alone, so that
 * it has a run of its own, in which nothing happens but that.
 */
export function tracedBatchHandler(
  { run, item }: BoundBatchHandler,
  traced: TracedRuns,
): BoundBatchHandler {
  const { telemetry, worker, traces } = traced;
  return {
    run: async (data, jobs) => {
      const [first] = jobs;
      if (!first) return run(data, jobs);
      const about = jobs.map((job) => aboutRun(job, traced));
      const batch = {
        queue: first.queue,
        name: first.name,
        jobs: about,
        worker: worker(),
        decided: () =>
          new Map(jobs.filter((job) => job.isDecided).map((job) => [job.id, job.failure] as const)),
      };
      return telemetry.processBatch(batch, () => {
        const traceId = traces && telemetry.traceId?.();
        if (traceId) for (const { id, attempt } of about) traces.note(id, attempt, traceId);
        return run(data, jobs);
      });
    },
    item:
      item &&
      (async (data, job) => {
        try {
          return await item(data, job);
        } catch (error) {
          return telemetry.process(aboutRun(job, traced), () => Promise.reject(error as Error));
        }
      }),
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
