/**
 * How often a failed job is tried again. `{ max: 3, interval: 5 }` means at most 3 retries after the first run (4
 * runs), 5 seconds apart. A policy given when the job is enqueued wins over the handler's, which wins over the
 * queue's and the root's defaults. It is stored in RQ's own fields: a Python worker that picks the job up follows it.
 */
import { type Duration, toMilliseconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { checkOptions, readFlag } from './option-checks.js';
import type { StoredRetry } from './outcome.js';
import { type CheckedFilter, type RetryFilter, readFilter } from './retry-filter.js';
import {
  DEFAULT_INTERVALS,
  type IntervalOption,
  type Intervals,
  listIntervals,
  MOST_RETRIES,
  readIntervals,
  shortestList,
} from './retry-interval.js';

export { type ErrorClass, type RetryFilter, withNonRetryable } from './retry-filter.js';
export { type ExponentialInterval, intervalFor, type IntervalOption } from './retry-interval.js';

/** What may be said about retries wherever a job is enqueued. */
export interface RetryOptions {
  /** Retries after the first run, 1 to 1000. Required unless `within` is given. */
  max?: number;
  /** Time between a failure and its retry, 0 is at once; default 3, 9, 27, ... s, at most an hour, ±20 %. */
  interval?: IntervalOption;
  /** No retry that would start later than this after the job was first enqueued. Without `max`: as many retries as fit. */
  within?: Duration;
  /** Retries go to the head of the queue; default false. */
  front?: boolean;
}

/** What a handler may say about retries: also which errors are worth one. */
export interface HandlerRetryOptions<Job = unknown> extends RetryOptions, RetryFilter<Job> {}

/** A checked policy. */
export interface RetryPolicy {
  /** Retries after the first run. */
  readonly max: number;
  /** Seconds, to be read with {@link intervalFor}. */
  readonly intervals: readonly number[];
  /** 0 to 1. */
  readonly jitter: number;
  /** Milliseconds that no wait exceeds, whatever the jitter. */
  readonly longest?: number;
  /** Milliseconds since the first enqueue. */
  readonly within?: number;
  readonly front: boolean;
}

/** A handler's checked retry options. A filter without a policy applies to whatever policy the job has. */
export interface HandlerRetry<Job = unknown> {
  /** `false`: no retries, whatever the defaults say; `undefined`: nothing is said. */
  readonly policy: StoredRetry | false | undefined;
  readonly filter: CheckedFilter<Job> | undefined;
}

/**
 * Checks retry options and turns them into a policy.
 * @param where the call or module to name in errors
 * @throws InvalidOptionError naming the key (`retry.max`)
 */
export function retryPolicy(options: RetryOptions, where?: string): StoredRetry {
  refuseTrue(options, where);
  checkOptions(options, POLICY_KEYS, 'retry', where);
  return readPolicy(options, where);
}

/**
 * Checks what `@Job({ retry })` says: a policy, a filter (`on`, `except`, `when`), both, or `false`.
 * @throws InvalidOptionError naming the key
 */
export function handlerRetry<Job>(
  options: HandlerRetryOptions<Job> | false,
  where?: string,
): HandlerRetry<Job> {
  if (options === false) {
    return { policy: false, filter: undefined };
  }
  refuseTrue(options, where);
  checkOptions(options, HANDLER_KEYS, 'retry', where);
  const filter = readFilter<Job>(options, where);
  const { max, interval, within, front } = options;
  const saysNothingElse = [max, interval, within, front].every((value) => value === undefined);
  return {
    policy: filter && saysNothingElse ? undefined : readPolicy(options, where),
    filter,
  };
}

/** A number of retries. @throws InvalidOptionError unless it is a whole number from 1 to 1000 */
export function readMax(value: unknown, option: string, where: string | undefined): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > MOST_RETRIES) {
    const none = value === 0 && option === 'retry.max' ? ' (no retries at all: retry: false)' : '';
    const problem = `must be a whole number from 1 to ${MOST_RETRIES}${none}`;
    throw new InvalidOptionError({ option, problem, value, where });
  }
  return value as number;
}

const POLICY_KEYS: ReadonlySet<string> = new Set(['max', 'interval', 'within', 'front']);
const HANDLER_KEYS: ReadonlySet<string> = new Set([...POLICY_KEYS, 'on', 'except', 'when']);

function refuseTrue(options: unknown, where: string | undefined): void {
  if (options === true) {
    const problem = 'must be false, or an object such as { max: 3 }';
    throw new InvalidOptionError({ option: 'retry', problem, value: options, where });
  }
}

function readPolicy(options: RetryOptions, where: string | undefined): StoredRetry {
  const intervals =
    options.interval === undefined
      ? DEFAULT_INTERVALS
      : readIntervals(options.interval, 'retry.interval', where);
  const within = readWithin(options.within, intervals, where);
  const max =
    options.max === undefined && within !== undefined
      ? retriesThatFit(within, intervals, where)
      : readMax(options.max, 'retry.max', where);
  return {
    max,
    intervals: shortestList(listIntervals(intervals, max)),
    jitter: intervals.jitter,
    longest: intervals.longest,
    within,
    front: readFlag(options.front, 'retry.front', where),
  };
}

function readWithin(
  value: Duration | undefined,
  intervals: Intervals,
  where: string | undefined,
): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  const within = toMilliseconds(value, 'retry.within', where);
  if (within === 0 || within < intervals.before(0)) {
    const problem = 'must not be shorter than the first interval: no retry could ever start';
    throw new InvalidOptionError({ option: 'retry.within', problem, value, where });
  }
  return within;
}

/** As many retries as start within the window, were every run to fail at once. */
function retriesThatFit(within: number, intervals: Intervals, where: string | undefined): number {
  // The last interval repeats: were it 0, any number of retries would fit.
  if (intervals.before(MOST_RETRIES) === 0) {
    const problem = 'must end above 0 when within is given without max';
    throw new InvalidOptionError({ option: 'retry.interval', problem, where });
  }
  let count = 0;
  let start = intervals.before(0);
  while (start <= within && count < MOST_RETRIES) {
    count += 1;
    start += intervals.before(count);
  }
  return count;
}
