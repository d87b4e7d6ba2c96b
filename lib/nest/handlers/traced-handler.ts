import type { ProcessedJob, RqTelemetry } from '../../job/index.js';
import { headersOf } from '../../queue/index.js';
import type { RunningJob } from '../../worker/index.js';
import type { BoundBatchHandler, BoundHandler } from './bound-handler.js';

/** Runs a handler where a library for traces wants it to run. @param worker the name of the worker, once there is one */
export function tracedHandler(
  run: BoundHandler,
  telemetry: RqTelemetry,
  worker: () => string | undefined,
): BoundHandler {
  return (data, job) => telemetry.process(aboutJob(job, worker()), () => run(data, job));
}

/**
 * The same for a handler that takes several jobs: one run for all of them. A job that its pipes refuse fails alone, so that
 * it has a run of its own, in which nothing happens but that.
 */
export function tracedBatchHandler(
  { run, item }: BoundBatchHandler,
  telemetry: RqTelemetry,
  worker: () => string | undefined,
): BoundBatchHandler {
  return {
    run: async (data, jobs) => {
      const [first] = jobs;
      if (!first) return run(data, jobs);
      const batch = {
        queue: first.queue,
        name: first.name,
        jobs: jobs.map((job) => aboutJob(job, worker())),
        worker: worker(),
        decided: () =>
          new Map(jobs.filter((job) => job.isDecided).map((job) => [job.id, job.failure] as const)),
      };
      return telemetry.processBatch(batch, () => run(data, jobs));
    },
    item:
      item &&
      (async (data, job) => {
        try {
          return await item(data, job);
        } catch (error) {
          return telemetry.process(aboutJob(job, worker()), () => Promise.reject(error as Error));
        }
      }),
  };
}

function aboutJob(job: RunningJob, worker: string | undefined): ProcessedJob {
  const { queue, name, id, attempt, retriesLeft } = job;
  return { queue, name, id, attempt, retriesLeft, headers: headersOf(job.meta), worker };
}
