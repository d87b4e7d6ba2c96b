import { eventually } from '../support/wait.js';
import type { PythonRq } from './python-rq.js';

/** A job as a Python program sees it, through RQ's own classes. */
export interface PythonView {
  readonly status: string;
  readonly is_queued: boolean;
  readonly is_finished: boolean;
  readonly is_failed: boolean;
  readonly is_scheduled: boolean;
  readonly is_stopped: boolean;
  readonly is_canceled: boolean;
  readonly return_value: unknown;
  /** Name of the latest result's type, `null` without result. */
  readonly result_type: string | null;
  readonly exc_string: string | null;
  readonly results: number;
  readonly retries_left: number | null;
  readonly retry_intervals: number[] | null;
  readonly number_of_retries: number | null;
  readonly description: string | null;
  readonly timeout: number | null;
  readonly result_ttl: number | null;
  readonly failure_ttl: number | null;
  readonly ttl: number | null;
  readonly meta: Record<string, unknown>;
  readonly worker_name: string | null;
  readonly origin: string;
  readonly func_name: string;
  readonly args: unknown[];
  readonly kwargs: Record<string, unknown>;
  /** Names of the registries that hold the job, and `queue` for the queue itself. */
  readonly places: string[];
}

const LOOK = `
job = fetch(given)
result = job.latest_result()
kinds = ['started', 'scheduled', 'deferred', 'finished', 'failed', 'canceled']
places = [kind for kind in kinds if job.id in registry(kind, job.origin)]
if job.id in queue(job.origin).job_ids:
    places.append('queue')
return {
    'status': job.get_status(),
    'is_queued': job.is_queued,
    'is_finished': job.is_finished,
    'is_failed': job.is_failed,
    'is_scheduled': job.is_scheduled,
    'is_stopped': job.is_stopped,
    'is_canceled': job.is_canceled,
    'return_value': job.return_value(),
    'result_type': result.type.name if result else None,
    'exc_string': result.exc_string if result else None,
    'results': len(job.results()),
    'retries_left': job.retries_left,
    'retry_intervals': job.retry_intervals,
    'number_of_retries': job.number_of_retries,
    'description': job.description,
    'timeout': job.timeout,
    'result_ttl': job.result_ttl,
    'failure_ttl': job.failure_ttl,
    'ttl': job.ttl,
    'meta': job.get_meta(),
    'worker_name': job.worker_name,
    'origin': job.origin,
    'func_name': job.func_name,
    'args': job.args,
    'kwargs': job.kwargs,
    'places': places,
}
`;

/**
 * What Python sees of the job now. RQ asks Redis for one thing after the other: of a job that is just moving, the places
 * may be those of before and the status that of after. Whoever waits for a status takes `lookWhen`.
 */
export function look(python: PythonRq, id: string): Promise<PythonView> {
  return python.run<PythonView>(LOOK, id);
}

/** What Python sees of the job as soon as its status is this one. */
export async function lookWhen(python: PythonRq, id: string, status: string): Promise<PythonView> {
  let last: string | undefined;
  try {
    await eventually(
      async () => {
        last = await python.run<string>('return fetch(given).get_status()', id);
        return last === status;
      },
      { timeout: 30_000, every: 20, what: `job ${id} to be ${status}` },
    );
  } catch (error) {
    throw new Error(`job ${id} is ${last}, not ${status}`, { cause: error });
  }
  return look(python, id);
}
