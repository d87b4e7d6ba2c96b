/**
 * Where a job stands, in RQ's own words. A job that waits for its next retry is `scheduled` (or `queued`, when the
 * interval is 0): there is no status of its own for it. Other words would make Python's workers quit.
 */

const STATUSES = [
  'created',
  'queued',
  'started',
  'finished',
  'failed',
  'deferred',
  'scheduled',
  'stopped',
  'canceled',
] as const;

/** One of RQ's nine statuses. */
export type JobStatus = (typeof STATUSES)[number];

const KNOWN: ReadonlySet<unknown> = new Set(STATUSES);

/** Whether a text read from Redis is a status this library knows. */
export function isJobStatus(text: unknown): text is JobStatus {
  return KNOWN.has(text);
}

/** Whether the job has come to its end: nothing more happens to it unless somebody requeues it. */
export function isSettled(status: JobStatus): boolean {
  return (
    status === 'finished' || status === 'failed' || status === 'stopped' || status === 'canceled'
  );
}
