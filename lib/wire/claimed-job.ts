import { LONGEST_DURATION, type StoredRetry } from '../job/index.js';
import { type JobCall, decodeCall } from './call.js';
import type { ClaimedFields } from './claim.js';
import { CLAIM_FIELDS, FURTHER_FIELDS } from './claim-fields.js';
import { decodeMeta } from './meta.js';
import { LONGEST_NUMBER, timeOf } from './stored-text.js';

/**
 * A job that this worker has claimed: what `exchange` answered, read only as far as it is asked for. Most jobs have
 * few fields, and what a job does not have costs nothing. A field that makes no sense counts as absent.
 */
export class ClaimedJob {
  readonly id: string;
  /** 1-based, this run included. */
  readonly attempt: number;

  /**
   * @param execution names this run of the job; the lease is held under `ID:EXECUTION`
   * @param fields undefined: only the name is known, which is enough to give the job back
   */
  constructor(
    readonly queue: string,
    readonly execution: string,
    private readonly fields: Pick<ClaimedFields, 'has' | 'text' | 'bytes'> | undefined,
    id?: string,
  ) {
    this.id = id ?? this.text(ID) ?? '';
    this.attempt = (this.number(ATTEMPTS) ?? 0) + 1;
  }

  /** A claim of which only the name is known. */
  static unread(queue: string, id: string, execution: string): ClaimedJob {
    return new ClaimedJob(queue, execution, undefined, id);
  }

  /** A Python process has written or saved it, so its results belong into RQ's stream, where Python looks for them. */
  get isSavedByPython(): boolean {
    return this.fields?.has(SAVED_BY_PYTHON) ?? false;
  }

  /** Milliseconds; -1: none; undefined: RQ's default. */
  get timeout(): number | undefined {
    const own = this.number(OWN_TIMEOUT);
    if (own !== undefined && own > 0) return own;
    const text = this.text(TIMEOUT);
    if (!text) return undefined;
    const seconds = secondsOf(text);
    if (seconds === undefined) return undefined;
    return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds * 1000 : -1;
  }

  /** Whoever enqueued it gave the timeout: the handler's own does not count. */
  get timeoutGiven(): boolean {
    const { given } = this;
    return given === undefined ? this.isSavedByPython : given.includes('t');
  }

  /** The retry policy that is stored with the job; `max` is what is left of it. */
  get retry(): StoredRetry | undefined {
    const left = this.number(RETRIES_LEFT);
    if (left === undefined) return undefined;
    // Python may have written back an older, larger number.
    const max = Math.min(left, this.number(OWN_RETRIES_LEFT) ?? left);
    const own = this.ownRetry;
    return {
      max,
      intervals: intervalsIn(this.text(RETRY_INTERVALS)),
      jitter: numberWithin(own.jitter, 1) ?? 0,
      longest: numberWithin(own.longest, LONGEST_DURATION),
      within: numberWithin(own.within, LONGEST_DURATION),
      front: own.front === true || this.text(FRONT_ON_RETRY) === '1',
    };
  }

  /**
   * The stored policy, or that there is none, is final: given at enqueue, or taken over from the handler at an earlier
   * failure.
   */
  get retryDecided(): boolean {
    const { given } = this;
    if (given?.includes('r')) return true;
    if (!this.fields?.has(RETRIES_LEFT)) return false;
    return (given === undefined && this.isSavedByPython) || this.ownRetry.by === 'handler';
  }

  /** Retries made because the handler returned `Retry(...)`. */
  get returnedRetries(): number {
    return this.number(NUMBER_OF_RETRIES) ?? 0;
  }

  /** How often workers died of it in a row: the claim has looked whether the mark still holds. */
  get crashes(): number {
    return this.number(CRASHES) ?? 0;
  }

  /** Whole seconds; -1: for ever; undefined: RQ's default. */
  get resultTtl(): number | undefined {
    return this.keeping(RESULT_TTL);
  }

  /** Whole seconds; -1: for ever; undefined: RQ's default. */
  get failureTtl(): number | undefined {
    return this.keeping(FAILURE_TTL);
  }

  /** Milliseconds since the epoch. */
  get createdAt(): number | undefined {
    return timeOf(this.text(CREATED_AT));
  }

  /** @param maxBytes longer meta counts as empty */
  meta(maxBytes: number): Record<string, unknown> {
    return decodeMeta(this.fields?.bytes(META), maxBytes);
  }

  /** @throws MalformedJobError when it is a pickle or otherwise unreadable */
  call(maxBytes: number): JobCall {
    return decodeCall(this.id, this.fields?.bytes(DATA) ?? NO_DATA, maxBytes);
  }

  /** Not there for jobs that came without options of their own, and for Python's. */
  private get given(): string | undefined {
    return this.text(GIVEN);
  }

  private get ownRetry(): Partial<
    Record<'by' | 'jitter' | 'longest' | 'within' | 'front', unknown>
  > {
    const text = this.text(OWN_RETRY);
    if (!text) return {};
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === 'object' && value !== null ? value : {};
    } catch {
      return {};
    }
  }

  private text(field: number): string | undefined {
    return this.fields?.text(field);
  }

  /** RQ's rule: below 0 is for ever. So is what Redis could not count. */
  private keeping(field: number): number | undefined {
    const seconds = this.number(field);
    if (seconds === undefined) return undefined;
    return seconds < 0 || seconds > LONGEST_SECONDS ? -1 : seconds;
  }

  private number(field: number): number | undefined {
    const text = this.text(field);
    if (!text) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  }
}

// The reply holds the claim's fields, the id, and for some jobs the further fields.
const claim = (name: (typeof CLAIM_FIELDS)[number]) => CLAIM_FIELDS.indexOf(name);
const further = (name: (typeof FURTHER_FIELDS)[number]) =>
  CLAIM_FIELDS.length + 1 + FURTHER_FIELDS.indexOf(name);
const ID = CLAIM_FIELDS.length;
const DATA = claim('data');
const NO_DATA = Buffer.alloc(0);
const GIVEN = claim('nrq_given');
const ATTEMPTS = claim('nrq_attempts');
const TIMEOUT = claim('timeout');
const RESULT_TTL = claim('result_ttl');
const META = claim('meta');
const CREATED_AT = claim('created_at');
const SAVED_BY_PYTHON = claim('success_callback_name');
const RETRIES_LEFT = further('retries_left');
const RETRY_INTERVALS = further('retry_intervals');
const OWN_RETRY = further('nrq_retry');
const OWN_TIMEOUT = further('nrq_timeout');
const FAILURE_TTL = further('failure_ttl');

const NUMBER_OF_RETRIES = further('number_of_retries');
const FRONT_ON_RETRY = further('enqueue_at_front_on_retry');
const CRASHES = further('nrq_crashes');
const OWN_RETRIES_LEFT = further('nrq_retries_left');

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };

const LONGEST_SECONDS = LONGEST_DURATION / 1000;

/** RQ's readers take `3m`, too. */
function secondsOf(text: string): number | undefined {
  if (text.length > LONGEST_NUMBER) return undefined;
  // Nearly all are so, and come with every job.
  if (/^\d+$/.test(text)) return Number(text);
  const match = /^(-?\d+)([smhd]?)$/.exec(text.trim().toLowerCase());
  return match
    ? Number(match[1]) * (UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS] ?? 1)
    : undefined;
}

/** A number that steers a timer or a score: neither below 0 nor endless. */
function numberWithin(value: unknown, most: number): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.min(value, most) : undefined;
}

function intervalsIn(json: string | undefined): number[] {
  try {
    const list: unknown = JSON.parse(json ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.map((value) => numberWithin(value, LONGEST_SECONDS) ?? 0);
  } catch {
    return [];
  }
}
