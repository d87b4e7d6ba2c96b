/**
 * The time between a failure and its retry. A user writes one interval for all retries, a list with one per retry
 * (its last value repeats), or growing intervals. All become the list that RQ keeps with a job, in the shortest form
 * that gives the same answers under RQ's own rule, so that a Python worker waits exactly as long as ours.
 *
 * Where a policy says nothing of intervals they are 3, 9, 27, 81, ... seconds, at most an hour, each up to 20 % longer
 * or shorter. The first retry comes soon, as a passing fault needs it (Rails begins with 3 seconds, Oban and Sidekiq with
 * 15). Three retries outlast the 40 seconds of a restart or a failover, five outlast 6 minutes, and a long trouble is
 * asked after once an hour. The 20 % keep jobs that failed together from coming back together. RQ and BullMQ
 * would retry at once, which uses up three retries within milliseconds.
 */
import { type Duration, LONGEST_DURATION, toMilliseconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { checkOptions, isObject } from './option-checks.js';

/** Intervals that grow: `delay`, `delay * factor`, `delay * factor²`, ... never above `max`. */
export interface ExponentialInterval {
  type: 'exponential';
  /** The first interval; above 0. */
  delay: Duration;
  /** By how much each interval is longer than the one before; at least 1, default 2. */
  factor?: number;
  /** The longest interval, which `jitter` does not exceed either; default: no limit. */
  max?: Duration;
  /** Share of the interval by which each wait is made longer or shorter at random, 0 to 1; default 0. */
  jitter?: number;
}

/** One interval for all retries, one per retry (the last repeats), or growing ones. A number is seconds. */
export type IntervalOption = Duration | readonly Duration[] | ExponentialInterval;

/** The most retries a job may have. */
export const MOST_RETRIES = 1000;

/** Checked intervals. */
export interface Intervals {
  /** Milliseconds before a retry; 0 is the first. */
  before(retry: number): number;
  /** 0 to 1. */
  readonly jitter: number;
  /** Milliseconds that no wait exceeds, whatever the jitter; `undefined`: no limit, or no jitter. */
  readonly longest?: number;
}

/**
 * Checks what a user says about intervals.
 * @param path the key to name in errors: `retry.interval`
 * @throws InvalidOptionError
 */
export function readIntervals(
  interval: IntervalOption,
  path: string,
  where: string | undefined,
): Intervals {
  if (Array.isArray(interval)) {
    return readList(interval, path, where);
  }
  if (isObject(interval)) {
    return readExponential(interval, path, where);
  }
  const every = toMilliseconds(interval as Duration, path, where);
  return { before: () => every, jitter: 0 };
}

/** The first `max` intervals, in seconds. */
export function listIntervals(intervals: Intervals, max: number): number[] {
  // A loop, for this runs at every enqueue with a retry: Array.from is several times slower.
  const seconds: number[] = [];
  for (let retry = 0; retry < max; retry += 1) {
    seconds.push(intervals.before(retry) / 1000);
  }
  return seconds;
}

/**
 * The shortest list that {@link intervalFor} reads as the same intervals. It repeats the first value of a list that
 * is shorter than the retries left, so values at the head that equal the first one need not be stored.
 */
export function shortestList(intervals: readonly number[]): number[] {
  const different = intervals.findIndex((value) => value !== intervals[0]);
  return intervals.slice(different === -1 ? -1 : different - 1);
}

/**
 * The interval before the next retry, in seconds, by RQ's rule for stored lists: the list belongs to the LAST
 * retries, and its first value repeats while more retries are left than it has values. An empty list is 0.
 * @param retriesLeft at least 1: before this retry is taken off
 */
export function intervalFor(intervals: readonly number[], retriesLeft: number): number {
  const index = Math.max(intervals.length - retriesLeft, 0);
  return intervals[Math.min(index, intervals.length - 1)] ?? 0;
}

const EXPONENTIAL_KEYS: ReadonlySet<string> = new Set(['type', 'delay', 'factor', 'max', 'jitter']);

function readList(list: readonly Duration[], path: string, where: string | undefined): Intervals {
  if (list.length === 0 || list.length > MOST_RETRIES) {
    const problem = `must have 1 to ${MOST_RETRIES} intervals`;
    throw new InvalidOptionError({ option: path, problem, where });
  }
  const values: number[] = [];
  // By index, not map: a hole in the list is an error, too.
  for (let index = 0; index < list.length; index += 1) {
    values.push(toMilliseconds(list[index]!, `${path}[${index}]`, where));
  }
  return { before: (retry) => values[Math.min(retry, values.length - 1)]!, jitter: 0 };
}

function readExponential(
  interval: Record<string, unknown>,
  path: string,
  where: string | undefined,
): Intervals {
  checkOptions(interval, EXPONENTIAL_KEYS, path, where);
  const refuse = (key: string, problem: string): never => {
    const option = `${path}.${key}`;
    throw new InvalidOptionError({ option, problem, value: interval[key], where });
  };
  const { type, delay, factor = 2, max = LONGEST_DURATION / 1000, jitter = 0 } = interval;
  if (type !== 'exponential') {
    refuse('type', "must be 'exponential'");
  }
  const first = toMilliseconds(delay as Duration, `${path}.delay`, where);
  if (first === 0) {
    refuse('delay', 'must be above 0');
  }
  const longest = toMilliseconds(max as Duration, `${path}.max`, where);
  if (longest < first) {
    refuse('max', 'must not be shorter than delay');
  }
  if (typeof factor !== 'number' || !Number.isFinite(factor) || factor < 1) {
    return refuse('factor', 'must be a number of at least 1');
  }
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) {
    return refuse('jitter', 'must be a number from 0 to 1');
  }
  return {
    before: (retry) => Math.round(Math.min(first * factor ** retry, longest)),
    jitter,
    longest: jitter > 0 && longest < LONGEST_DURATION ? longest : undefined,
  };
}

/** The intervals of a policy that says nothing about them. */
export const DEFAULT_INTERVALS = readIntervals(
  { type: 'exponential', delay: 3, factor: 3, max: '1h', jitter: 0.2 },
  'retry.interval',
  undefined,
);
