import type { Outcome } from '../../job/index.js';
import type { JobRecord } from '../../wire/index.js';
import type { Settlement } from './settlement.js';

/** What a webhook that is posted says of its job, in RQ's words. */

/** A job that has ended, as its webhooks tell it: after its settlement, or of one that the sweep has failed, which has none. */
export interface EndedJob {
  readonly jobId: string;
  readonly name: string;
  readonly status: 'finished' | 'failed';
  /** Milliseconds since the epoch. */
  readonly enqueuedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** The stack, of a failed one. */
  readonly failure: string | undefined;
  /** Text of the field. */
  readonly webhooks: string;
}

/** The body, as RQ has it. */
export function payloadOf({ jobId, name, status, enqueuedAt, endedAt, failure }: EndedJob): object {
  return {
    job_id: jobId,
    func_name: name,
    status,
    enqueued_at: pythonTime(enqueuedAt),
    ended_at: pythonTime(endedAt),
    ...(status === 'failed' ? { exc_info: failure ?? '' } : {}),
  };
}

/**
 * A job whose outcome is written; undefined: it has no webhooks, or this is none of their moments. One that repeats has
 * finished after each round, as in RQ.
 */
export function endedJob({ job, name, outcome, endedAt }: Settlement): EndedJob | undefined {
  const { webhooks } = job;
  if (webhooks === undefined) return undefined;
  const status = STATUSES[outcome.type];
  if (status === undefined) return undefined;
  const failure = outcome.type === 'failed' ? outcome.failure : undefined;
  const { id: jobId, enqueuedAt } = job;
  return { jobId, name, status, enqueuedAt, endedAt, failure: failure?.stack, webhooks };
}

const STATUSES: Readonly<Partial<Record<Outcome['type'], EndedJob['status']>>> = {
  finished: 'finished',
  repeating: 'finished',
  failed: 'failed',
};

/** The same of one that was failed by the sweep. */
export function poisonedJob(name: string, record: JobRecord): EndedJob | undefined {
  const { id: jobId, webhooks, failure } = record;
  if (webhooks === undefined) return undefined;
  const enqueuedAt = record.enqueuedAt?.getTime();
  const endedAt = record.endedAt?.getTime();
  return { jobId, name, status: 'failed', enqueuedAt, endedAt, failure, webhooks };
}

/** Python's `isoformat()` of a time in UTC. */
function pythonTime(milliseconds: number | undefined): string | null {
  if (milliseconds === undefined) return null;
  return new Date(milliseconds).toISOString().replace('Z', '000+00:00');
}
