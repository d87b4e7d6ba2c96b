import type { JobSummary } from './job-row.js';
import { causeIn, hasFailed, nameIn, oneLine } from './job-row.js';
import type { JobRecord } from './job-record.js';

/** What a list would show of a job, out of its whole record. When a scheduled one is due stands elsewhere. */
export function summaryOf(record: JobRecord): JobSummary {
  const { status } = record;
  const name = nameIn(record.beginning);
  const failure = hasFailed(status) || status === 'scheduled' ? headlineOf(record) : undefined;
  return {
    ...factsOf(record),
    name,
    dueAt: undefined,
    failure,
    cause: hasFailed(status) ? causeIn(record.cause, name, failure) : undefined,
  };
}

/** What a summary and a snapshot say of a job alike. */
export function factsOf(record: JobRecord) {
  return {
    id: record.id,
    queue: record.origin,
    status: record.status,
    attempts: record.attempts,
    retriesLeft: record.retriesLeft,
    repeatsLeft: record.repeatsLeft,
    createdAt: record.createdAt,
    enqueuedAt: record.enqueuedAt,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    worker: record.workerName,
    description: record.description,
    reason: record.reason,
    waitsFor: record.waitsFor,
  };
}

function headlineOf(record: JobRecord): string | undefined {
  const last = [...record.failedAttempts.values()].at(-1);
  if (last) return oneLine(`${last.error}: ${last.message}`);
  const lines = record.failure?.trim().split('\n');
  // Python tells at the end what went wrong, Node.js at the beginning.
  return oneLine((lines?.[0]?.startsWith('Traceback') ? lines.at(-1) : lines?.[0]) ?? '');
}
