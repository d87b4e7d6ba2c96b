import {
  type CallbackMoment,
  LONGEST_DURATION,
  type StoredRepeat,
  type StoredRetry,
} from '../job/index.js';
import { type JobCall, OPENING_BRACKET, decodeCall, readCall, tooLong } from './call.js';
import type { ClaimedFields } from './claim.js';
import { CLAIM_FIELDS, FURTHER_FIELDS, RARE_FIELDS } from './claim-fields.js';
import { type Round, decodeRound } from './fields.js';
import { parentIdsIn } from './dependency-fields.js';
import { decodeMeta } from './meta.js';
import { LONGEST_NUMBER, callbackIn, timeOf } from './stored-text.js';
import { type JobTick, decodeTick } from './tick.js';

/**
 * A job that this worker has claimed: what `exchange` answered, read only as far as it is asked for. Most jobs have
 * few fields, and what a job does not have costs nothing. A field that makes no sense counts as absent.
 */
export class ClaimedJob {
  readonly id: string;
  /** 1-based, this run included; the rounds of one that repeats count, too. */
  readonly attempt: number;
  /** This run has told lines of its log. */
  hasLog = false;

  /**
   * @param execution names this run of the job; the lease is held under `ID:EXECUTION`
   * @param fields undefined: only the name is known, which is enough to give the job back
   */
  constructor(
    readonly queue: string,
    readonly execution: string,
    private readonly fields:
      | Pick<ClaimedFields, 'has' | 'text' | 'bytes' | 'time' | 'digits' | 'isShort' | 'wasLeftOut'>
      | undefined,
    id?: string,
  ) {
    this.id = id ?? this.text(ID) ?? '';
    this.attempt = this.failures + (fields?.has(ROUND) ? this.round.done : 0) + 1;
  }

  /** Attempts so far that have failed. */
  get failures(): number {
    return this.number(ATTEMPTS) ?? 0;
  }

  /** A claim of which only the name is known. */
  static unread(queue: string, id: string, execution: string): ClaimedJob {
    return new ClaimedJob(queue, execution, undefined, id);
  }

  /** The lane from which it was claimed (see lane.ts); undefined: from RQ's list. */
  get lane(): string | undefined {
    const text = this.text(LANE);
    const key = text === undefined ? 0 : text.indexOf('\t') + 1;
    if (key === 0) return undefined;
    const end = text?.indexOf('\t', key) ?? -1;
    return end < 0 ? text : text?.slice(0, end);
  }

  /** The batch in which it was handed out: jobs of one claim with the same text are one. Undefined: by itself. */
  get batch(): string | undefined {
    return this.text(LANE)?.split('\t')[2];
  }

  /** A Python process has written or saved it, so its results belong into RQ's stream, where Python looks for them. */
  get isSavedByPython(): boolean {
    return this.fields?.has(SAVED_BY_PYTHON) ?? false;
  }

  /** Milliseconds; -1: none; undefined: RQ's default. */
  get timeout(): number | undefined {
    const own = this.number(OWN_TIMEOUT);
    if (own !== undefined && own > 0) return own;
    const seconds = this.fields?.digits(TIMEOUT) ?? secondsOf(this.text(TIMEOUT));
    if (seconds === undefined) return undefined;
    return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds * 1000 : -1;
  }

  /** In which of the queue's levels it waits; undefined: in none, as most do. */
  get level(): 'high' | 'low' | undefined {
    const { given } = this;
    if (given?.includes('h')) return 'high';
    if (given?.includes('b')) return 'low';
    // Of Python's: the claim says it, in the place of the status.
    const text = this.text(STATUS);
    return text === 'high' || text === 'low' ? text : undefined;
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
    return (given === undefined && this.isSavedByPython) || this.hasHandlersRetry;
  }

  /** Something hangs on it, so that its end is more than that of a plain job. */
  get hasMore(): boolean {
    const { given } = this;
    return this.hasLog || (given !== undefined && /[udpo]/.test(given));
  }

  /** It belongs to a group of ours. */
  get isMember(): boolean {
    return this.given?.includes('g') ?? false;
  }

  /** Of a job that repeats: the repeats that are left, maybe 0. */
  get repeat(): StoredRepeat | undefined {
    const times = this.number(REPEATS_LEFT);
    if (times === undefined || times < 0) return undefined;
    return { times, intervals: intervalsIn(this.text(REPEAT_INTERVALS)) };
  }

  /** Where a job that repeats stands. */
  get round(): Round {
    return decodeRound(this.text(ROUND));
  }

  /** We have stored it as one that repeats: each round has all its retries. Python's have them once. */
  get isRepeatOfOurs(): boolean {
    return this.given?.includes('p') ?? false;
  }

  /** The retry policy was taken over from the handler. */
  get hasHandlersRetry(): boolean {
    return this.ownRetry.by === 'handler';
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

  /** The jobs that it waited for, in the order in which they were given. */
  get parentIds(): readonly string[] {
    return parentIdsIn(this.text(PARENT_IDS));
  }

  /** The tick of a schedule that it is for; undefined: of none. */
  get tick(): JobTick | undefined {
    return decodeTick(this.text(TICK));
  }

  /** Milliseconds since the epoch. */
  get createdAt(): number | undefined {
    return timeOf(this.text(CREATED_AT));
  }

  /** The name of the Python function that is to be called when the job ends so, if there is one. */
  callback(on: CallbackMoment): string | undefined {
    return callbackIn(this.text(CALLBACKS[on]));
  }

  /** Text of RQ's field; undefined: there are none. */
  get webhooks(): string | undefined {
    return this.text(WEBHOOKS) || undefined;
  }

  /** When it became ready to run, milliseconds since the epoch. Read only of jobs that have more than the usual. */
  get enqueuedAt(): number | undefined {
    return timeOf(this.text(ENQUEUED_AT)) ?? this.createdAt;
  }

  /** The same as far as it is known: of a job that was delayed, `created_at` does not tell. */
  get readyAt(): number | undefined {
    const { fields } = this;
    if (!fields) return undefined;
    if (fields.has(ENQUEUED_AT)) return fields.time(ENQUEUED_AT);
    return fields.has(GIVEN) && this.given?.includes('l') ? undefined : fields.time(CREATED_AT);
  }

  /** Milliseconds since the epoch from which the time of a policy's `within` is counted. */
  get retriesSince(): number | undefined {
    const { retriesRenewedAt: renewed = 0, round } = this;
    const begun = (this.isRepeatOfOurs ? round.at : undefined) ?? this.createdAt;
    return renewed > (begun ?? 0) ? renewed : begun;
  }

  /** When a requeue gave it new retries; milliseconds since the epoch. */
  get retriesRenewedAt(): number | undefined {
    return numberWithin(this.ownRetry.since, Number.MAX_SAFE_INTEGER);
  }

  /** How many retries its policy gave it at first, as far as that is kept. */
  get firstRetries(): number | undefined {
    return numberWithin(this.ownRetry.max, Number.MAX_SAFE_INTEGER);
  }

  /** @param maxBytes longer meta counts as empty */
  meta(maxBytes: number): Record<string, unknown> {
    return decodeMeta(this.fields?.bytes(META), maxBytes);
  }

  /** @throws MalformedJobError when it is a pickle or otherwise unreadable */
  call(maxBytes: number): JobCall {
    const { fields } = this;
    // Nearly all are plain JSON: it becomes text where it lies.
    if (fields?.isShort(DATA, maxBytes, OPENING_BRACKET)) {
      return readCall(this.id, fields.text(DATA) ?? '');
    }
    return decodeCall(this.id, fields?.bytes(DATA) ?? this.noData(maxBytes), maxBytes);
  }

  private noData(maxBytes: number): Buffer {
    if (this.fields?.wasLeftOut(DATA)) throw tooLong(this.id, maxBytes);
    return NO_DATA;
  }

  /** Not there for jobs that came without options of their own, and for Python's. */
  private get given(): string | undefined {
    return this.text(GIVEN);
  }

  /** What is kept of its policy beside RQ's fields. */
  get ownRetry(): Partial<
    Record<'by' | 'jitter' | 'longest' | 'within' | 'front' | 'max' | 'since', unknown>
  > {
    const text = this.text(OWN_RETRY);
    if (!text) return {};
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
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
    const digits = this.fields?.digits(field);
    if (digits !== undefined) return digits;
    const text = this.text(field);
    if (!text) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  }
}

// The reply holds the claim's fields, the id, and for some jobs the further fields, for few of these the rare ones.
const claim = (name: (typeof CLAIM_FIELDS)[number]) => CLAIM_FIELDS.indexOf(name);
const further = (name: (typeof FURTHER_FIELDS)[number]) =>
  CLAIM_FIELDS.length + 1 + FURTHER_FIELDS.indexOf(name);
const rare = (name: (typeof RARE_FIELDS)[number]) =>
  CLAIM_FIELDS.length + 1 + FURTHER_FIELDS.length + RARE_FIELDS.indexOf(name);
const ID = CLAIM_FIELDS.length;
// Its status is known; in its place stands the lane.
const LANE = claim('status');
const DATA = claim('data');
const STATUS = claim('status');
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
const REPEATS_LEFT = rare('repeats_left');
const REPEAT_INTERVALS = rare('repeat_intervals');
const ROUND = rare('nrq_round');
const TICK = rare('nrq_tick');
const PARENT_IDS = rare('dependency_ids');
const ENQUEUED_AT = further('enqueued_at');
const WEBHOOKS = rare('webhooks');
const CALLBACKS = {
  success: SAVED_BY_PYTHON,
  failure: rare('failure_callback_name'),
  stopped: rare('stopped_callback_name'),
} as const;

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };

const LONGEST_SECONDS = LONGEST_DURATION / 1000;

/** RQ's readers take `3m`, too. */
function secondsOf(text: string | undefined): number | undefined {
  if (!text || text.length > LONGEST_NUMBER) return undefined;
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
