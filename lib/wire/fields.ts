import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import {
  type FailureRecord,
  type ResolvedJobOptions,
  type StoredRepeat,
  type StoredRetry,
  type UniqueRule,
  isObject,
} from '../job/index.js';

/**
 * RQ's hash fields: how a job's options become fields. Fields that RQ does not know are ours and begin with `nrq_`;
 * RQ ignores and keeps them.
 *
 * | Field | Holds |
 * |---|---|
 * | `nrq_given` | which of `timeout` (t) and `retry` (r; without a policy: no retries) the caller of enqueue gave, so that a handler's own do not win; that it is unique (u), that it belongs to a group (g), that it has a log (o); whether there is more to read at a claim: that it waited for others (d; s: for one job, and for nothing else), repeats (p), has webhooks (w), callbacks or a tick (c), anything else (x); that it was delayed at first (l); that its level is high (h) or low (b) |
 * | `nrq_timeout` | milliseconds, when the timeout is no whole number of seconds |
 * | `nrq_retry` | JSON of what RQ's retry fields cannot say: `jitter`, `longest` (ms that it does not exceed), `within` (ms), `max` (how many there were at first), `since` (ms since the epoch, when a requeue gave new ones) |
 * | `nrq_attempts` | count of attempts that failed |
 * | `nrq_crashes` | how often workers died of it in a row, and when it was put back for that |
 * | `nrq_retries_left` | as `retries_left`, where Python cannot write back an older number |
 * | `nrq_attempt:N` | JSON record of a failed attempt |
 * | `nrq_level` | `high` or `low`: in which of the queue's levels it waits |
 * | `nrq_reason` | why the job was canceled |
 * | `nrq_cause` | why the job failed, as a key that failures of one cause share |
 * | `nrq_unique` | for how long it keeps others away (`ended`, `started`, or milliseconds), and its key |
 * | `nrq_round` | JSON of a job that repeats: `done` (rounds), `at` (ms, when this one was to begin), `retries` (of each), `streamed` (the last result is in RQ's stream) |
 * | `nrq_tick` | JSON of the schedule and the moment (ms) that the job is for |
 * | `nrq_member` | `1` = a job that Python has added to a group, and that is counted there |
 * | `nrq_trash` | of a deleted job that can be had back: its registry, its score there, until when it is kept (ms since the epoch; `-`: for ever) |
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
  // enqueue.lua looks for it at this place.
  if (options.group !== undefined) fields.push('group_id', options.group);
  const flags = given(options);
  if (flags) fields.push('nrq_given', flags);
  if (options.timeout > 0 && options.timeout % 1000 !== 0) {
    fields.push('nrq_timeout', String(options.timeout));
  }
  if (options.ttl !== undefined) fields.push('ttl', String(options.ttl));
  if (options.resultTtl !== undefined) fields.push('result_ttl', String(options.resultTtl));
  if (options.failureTtl !== undefined) fields.push('failure_ttl', String(options.failureTtl));
  if (options.retry) fields.push(...retryFields(options.retry));
  if (options.repeat) fields.push(...repeatFields(options.repeat, options.retry));
  if (options.atFront && (options.at !== undefined || options.delay > 0)) {
    fields.push('enqueue_at_front', '1');
  }
  for (const [moment, name] of Object.entries(options.callbacks ?? {})) {
    if (name !== undefined) fields.push(`${moment}_callback_name`, name);
  }
  if (options.webhooks !== undefined) fields.push('webhooks', options.webhooks);
  if (options.level !== undefined) fields.push('nrq_level', options.level);
  if (cached) cached.push(fields);
  else cache.set(options, [fields]);
  return fields;
}

// Keyed by identity: the options object of all jobs that bring none of their own is one and the same, in several queues,
// too.
const cache = new WeakMap<ResolvedJobOptions, string[][]>();

/** Text of `nrq_given`, as far as the options decide it. */
export function given(options: ResolvedJobOptions): string {
  const { timeout, ttl, failureTtl, retry, callbacks } = options;
  const hasMore =
    ttl ?? failureTtl ?? retry ?? (timeout > 0 && timeout % 1000 !== 0 ? timeout : undefined);
  return (
    (options.timeoutGiven ? 't' : '') +
    (options.retryGiven ? 'r' : '') +
    (typeof options.unique === 'object' ? 'u' : '') +
    (options.group === undefined ? '' : 'g') +
    (options.repeat ? 'p' : '') +
    (options.webhooks === undefined ? '' : 'w') +
    (options.level === undefined ? '' : LEVELS[options.level]) +
    (hasMore === undefined ? '' : 'x') +
    (callbacks === undefined ? '' : 'c') +
    (options.at !== undefined || options.delay > 0 ? 'l' : '')
  );
}

const LEVELS = { high: 'h', low: 'b' } as const;

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

/** RQ's fields of a repetition, and ours. */
function repeatFields(
  { times, intervals }: StoredRepeat,
  retry: StoredRetry | undefined,
): string[] {
  const round = encodeRound({ ...FIRST_ROUND, retries: retry?.max });
  const list = JSON.stringify(intervals);
  return ['repeats_left', String(times), 'repeat_intervals', list, 'nrq_round', round];
}

/** Where a job that repeats stands. */
export interface Round {
  /** Rounds that have ended. */
  readonly done: number;
  /** Milliseconds since the epoch: when this round was to begin; undefined: it is the first. */
  readonly at: number | undefined;
  /** Retries of each round; undefined: none are stored with the job. */
  readonly retries: number | undefined;
  /** The result of the last round is in RQ's stream, not in the hash. */
  readonly streamed: boolean;
}

/** Text of `nrq_round`. */
export function encodeRound({ done, at, retries, streamed }: Round): string {
  return JSON.stringify({ done, at, retries, streamed: streamed || undefined });
}

/** Reads `nrq_round`; what makes no sense counts as absent. */
export function decodeRound(text: string | undefined): Round {
  try {
    const round = Object(JSON.parse(text ?? '{}')) as Record<string, unknown>;
    return {
      done: countIn(round['done']) ?? 0,
      at: countIn(round['at']),
      retries: countIn(round['retries']),
      streamed: round['streamed'] === true,
    };
  } catch {
    return FIRST_ROUND;
  }
}

const FIRST_ROUND: Round = { done: 0, at: undefined, retries: undefined, streamed: false };

function countIn(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** The field of a unique job: it is the first of its own. */
export function uniqueField({ by, hold }: UniqueRule, data: string): ['nrq_unique', string] {
  return ['nrq_unique', `${hold} ${by === undefined ? `data:${digestOf(data)}` : `by:${by}`}`];
}

/** Of name and data; the order of an object's keys is of no account. */
function digestOf(data: string): string {
  const sorted = JSON.stringify(JSON.parse(data), (_, value: unknown) =>
    isObject(value)
      ? Object.fromEntries(
          Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)),
        )
      : value,
  );
  return createHash('sha256').update(sorted).digest('base64url');
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

/**
 * Text of an attempt's record.
 * @param delay milliseconds until the retry
 */
export function encodeAttempt(
  outcome: AttemptRecord['outcome'],
  failure: FailureRecord,
  { startedAt, endedAt }: { startedAt: number; endedAt: number },
  delay?: number,
): string {
  return JSON.stringify({
    outcome,
    error: failure.name,
    message: failure.message.slice(0, 1000),
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    delay,
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
