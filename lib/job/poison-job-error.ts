/**
 * A job that was running each time its worker died is poison: it is failed instead of being tried again. Which job that
 * is, the recovery of the workers decides (`maxCrashes`); here stands what is written down of it, and what `result()`
 * makes of that.
 */
import { JobFailedError } from './errors.js';

/** Thrown by `result()`: each worker that ran the job died, and it is not tried again. Requeue it when the cause is known. */
export class PoisonJobError extends JobFailedError {
  override readonly code = 'RQ_POISON_JOB';
  /** How many workers in a row died while they ran it. */
  readonly crashes: number;

  constructor(details: { jobId: string; crashes: number }) {
    const { name, message } = poisonFailure(details.crashes);
    super({ jobId: details.jobId, reason: `${name}: ${message}` });
    this.crashes = details.crashes;
  }
}

/** What Redis keeps of a poisoned job, and events tell. */
export function poisonFailure(crashes: number): { name: string; message: string } {
  return {
    name: PoisonJobError.name,
    message: `the worker that ran this job died ${crashes} times; it is not tried again. Requeue it when the cause is known.`,
  };
}

/** What `result()` throws for a job with this recorded failure. */
export function errorOfFailure(details: { jobId: string; reason: string }): JobFailedError {
  const crashes = RECORDED.exec(details.reason)?.[1];
  return crashes === undefined
    ? new JobFailedError(details)
    : new PoisonJobError({ jobId: details.jobId, crashes: Number(crashes) });
}

const RECORDED = /^PoisonJobError: the worker that ran this job died (\d{1,9}) times; /;
