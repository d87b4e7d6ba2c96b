import { deflateSync } from 'node:zlib';
import type { FailureRecord, ResolvedJobOptions, StoredRetry } from '../job/index.js';

/**
 * RQ's hash fields: how a job's options become fields. Fields that RQ does not know are ours and begin with `nrq_`;
 * RQ ignores and keeps them.
 *
 * | Field | Holds |
 * |---|---|
 * | `nrq_given` | which of `timeout` (t) and `retry` (r; without a policy: no retries) the caller of enqueue gave, so that a handler's own do not win; whether there is more to read at a claim: that it waited for others (d), anything else (x) |
 * | `nrq_timeout` | milliseconds, when the timeout is no whole number of seconds |
 * | `nrq_retry` | JSON of what RQ's retry fields cannot say: `jitter`, `longest` (ms that it does not exceed), `within` (ms), `max` (how many there were at first), `since` (ms since the epoch, when a requeue gave new ones) |
 * | `nrq_attempts` | count of attempts that failed |
 * | `nrq_crashes` | how often workers died of it in a row, and when it was put back for that |
 * | `nrq_retries_left` | as `retries_left`, where Python cannot write back an older number |
 * | `nrq_attempt:N` | JSON record of a failed attempt |
 * | `nrq_reason` | why the job was canceled |
 * | `nrq_progress` | JSON of what the handler has told last |
 */

/** Fields that many jobs share: made once per set of options. */
export function optionFields(queue: string, options: ResolvedJobOptions): string[] {
  const cached = cache.get(options);
  if (cached?.[0]?.[1] === queue) return cached[0];
  const known = cached?.find((fields) => fields[1] === queue);
  if (known) return known;
  const timeout = options.timeout < 0 ? -1 : Math.ceil(options.timeout / 1000);
  const fields = ['origin', queue, 'timeout', String(timeout)];
  const flags = given(options);
  if (flags) fields.push('nrq_given', flags);
  if (options.timeout > 0 && options.timeout % 1000 !== 0) {
    fields.push('nrq_timeout', String(options.timeout));
  }
  if (options.ttl !== undefined) fields.push('ttl', String(options.ttl));
  if (options.resultTtl !== undefined) fields.push('result_ttl', String(options.resultTtl));
  if (options.failureTtl !== undefined) fields.push('failure_ttl', String(options.failureTtl));
  if (options.retry) fields.push(...retryFields(options.retry));
  if (options.atFront && (options.at !== undefined || options.delay > 0)) {
    fields.push('enqueue_at_front', '1');
  }
  if (cached) cached.push(fields);
  else cache.set(options, [fields]);
  return fields;
}

// Keyed by identity: the options object of all jobs that bring none of their own is one and the same, in several queues,
// too.
const cache = new WeakMap<ResolvedJobOptions, string[][]>();

/** Text of `nrq_given`, as far as the options decide it. */
export function given(options: ResolvedJobOptions): string {
  const { timeout, ttl, failureTtl, retry } = options;
  const hasMore =
    ttl ?? failureTtl ?? retry ?? (timeout > 0 && timeout % 1000 !== 0 ? timeout : undefined);
  return (
    (options.timeoutGiven ? 't' : '') +
    (options.retryGiven ? 'r' : '') +
    (hasMore === undefined ? '' : 'x')
  );
}

/** RQ's retry fields, and ours for what they cannot say. */
function retryFields(retry: StoredRetry): string[] {
  const fields = [
    'retries_left',
    String(retry.max),
    'retry_intervals',
    JSON.stringify(retry.intervals),
  ];
  if (retry.front) fields.push('enqueue_at_front_on_retry', '1');
  const own = ownRetry(retry);
  if (own) fields.push('nrq_retry', own);
  return fields;
}

/** Text of `nrq_retry`, empty when RQ's fields say it all. */
export function ownRetry({
  jitter,
  longest,
  within,
}: Pick<StoredRetry, 'jitter' | 'longest' | 'within'>): string {
  if (jitter === 0 && within === undefined) return '';
  return JSON.stringify({ jitter: jitter || undefined, longest, within });
}

/** An attempt that failed, as it is kept beside the job. */
export interface AttemptRecord {
  readonly outcome: 'retrying' | 'failed' | 'stopped' | 'lost';
  readonly error: string;
  readonly message: string;
  readonly endedAt?: string;
  readonly startedAt?: string;
  /** Milliseconds until the retry. */
  readonly delay?: number;
  readonly stack?: string;
}

/** Text of an attempt's record. */
export function encodeAttempt(
  outcome: AttemptRecord['outcome'],
  failure: FailureRecord,
  times: { startedAt: number; endedAt: number; delay?: number },
): string {
  return JSON.stringify({
    outcome,
    error: failure.name,
    message: failure.message.slice(0, 1000),
    startedAt: new Date(times.startedAt).toISOString(),
    endedAt: new Date(times.endedAt).toISOString(),
    delay: times.delay,
    stack: outcome === 'retrying' ? failure.stack.slice(0, 4000) : undefined,
  } satisfies AttemptRecord);
}

/** Reads an attempt's record; undefined when it is none. */
export function decodeAttempt(text: string): AttemptRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return typeof record === 'object' && record !== null && 'outcome' in record
      ? (record as AttemptRecord)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A result as RQ's streams hold it. */
export function streamedResult(json: string): string {
  return Buffer.from(json).toString('base64');
}

/** A traceback as RQ's streams hold it. */
export function streamedFailure(text: string): string {
  return deflateSync(text).toString('base64');
}
