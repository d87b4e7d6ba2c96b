import { RqError } from './errors.js';
import type { JobStatus } from './job-status.js';

/** Thrown by `parentResults()`: one of the jobs that this one waited for has no result. */
export class ParentResultError extends RqError {
  readonly code = 'RQ_PARENT_RESULT';
  /** The job without a result. */
  readonly jobId: string;
  /** Where it stands now; `missing`: there is no such job any more. */
  readonly status: JobStatus | 'missing';
  /** How many bytes its result had, which was too long to be handed over; undefined: that is not known. */
  readonly size: number | undefined;

  constructor(details: { jobId: string; status: JobStatus | 'missing'; size?: number }) {
    const { jobId, status, size } = details;
    super(`No result of job "${jobId}", which this job waited for: ${whatToDo(status, size)}`);
    this.jobId = jobId;
    this.status = status;
    this.size = size;
  }
}

function whatToDo(status: JobStatus | 'missing', size: number | undefined): string {
  if (status === 'missing') {
    const length = size === undefined ? '' : ` Its result had ${size} bytes.`;
    return (
      `it is gone.${length} Results above 64 KB, and those of jobs that Python ran, are kept only with their own job: ` +
      'give it a longer resultTtl.'
    );
  }
  if (status === 'finished') {
    return 'it is finished, and what is stored as its result cannot be read (a Python pickle?).';
  }
  return `it is ${status}. With ifFailed: 'run', look at job.parents() instead, and at the status of each.`;
}
