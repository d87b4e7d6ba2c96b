import { type FailureRecord, causeOf } from '../job/index.js';
import type { ExecutionEvent, JobFailedEvent, JobRetryingEvent } from '../worker/index.js';

/**
 * What a line of the log says as fields, for whoever looks for lines by machine (`log: 'fields'`). The sentence is the
 * field `message`. Never a job's data, a URL or a password.
 */
export interface LogFields {
  /** What has happened: `job.failed`, `alert.firing`, ... */
  readonly event: string;
  readonly [field: string]: unknown;
}

export function jobFields(event: string, about: ExecutionEvent): LogFields {
  const { queue, name, jobId, attempt } = about;
  return { event, queue, job: name, jobId, attempt };
}

export function failedFields(about: JobFailedEvent): LogFields {
  const { failure, name, why } = about;
  const error = errorFields(name, failure);
  return { ...jobFields('job.failed', about), why, ...timeFields(about), error };
}

export function retryingFields(about: JobRetryingEvent): LogFields {
  const { failure, name, retriesLeft, delay } = about;
  const error = errorFields(name, failure);
  const fields = { retriesLeft, delayMs: delay, ...timeFields(about), error };
  return { ...jobFields('job.retrying', about), ...fields };
}

function timeFields({ duration, wait }: JobFailedEvent | JobRetryingEvent) {
  const waitMs = wait === undefined ? {} : { waitMs: Math.round(wait) };
  return { durationMs: Math.round(duration), ...waitMs };
}

function errorFields(name: string, failure: FailureRecord) {
  return { name: failure.name, message: failure.message, cause: causeOf(name, failure) };
}
