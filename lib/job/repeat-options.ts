/**
 * A job that runs again after it has succeeded, so many times: RQ's `Repeat`. RQ keeps the intervals with the job and
 * reads them from their end, by how many repeats are left; what a user writes in order is stored the other way round, so
 * that workers of both languages wait what was written.
 */
import type { Duration } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { checkOptions, isObject } from './option-checks.js';
import { type Intervals, readIntervals } from './retry-interval.js';

/** Runs the job again after each success, until it fails or the repeats are used up. */
export interface RepeatOptions {
  /** How many times, after the first: 1 to 1000. For jobs without an end, use a schedule. */
  times: number;
  /** From the end of a round to the next: one for all, or a list with one per repeat (its last repeats); default 0. */
  interval?: Duration | readonly Duration[];
}

/** A repetition as RQ keeps it with the job. */
export interface StoredRepeat {
  readonly times: number;
  /** Seconds, read by {@link repeatIntervalFor}. */
  readonly intervals: readonly number[];
}

/** @throws InvalidOptionError naming the key */
export function readRepeat(options: RepeatOptions, where: string | undefined): StoredRepeat {
  checkOptions(options, REPEAT_KEYS, 'repeat', where);
  const { times, interval = 0 } = options;
  if (!Number.isSafeInteger(times) || times < 1 || times > MOST_REPEATS) {
    const problem = `must be a whole number from 1 to ${MOST_REPEATS}`;
    throw new InvalidOptionError({ option: 'repeat.times', problem, value: times, where });
  }
  if (isObject(interval)) {
    const problem = 'must be a duration or a list of durations';
    throw new InvalidOptionError({ option: 'repeat.interval', problem, where });
  }
  return { times, intervals: storedList(readIntervals(interval, 'repeat.interval', where), times) };
}

/**
 * The interval before the next round, in seconds, by RQ's rule: the list belongs to the LAST repeats, the last of them
 * first; its last value is that of all before. An empty list is 0.
 * @param repeatsLeft at least 1: before this repeat is taken off
 */
export function repeatIntervalFor(intervals: readonly number[], repeatsLeft: number): number {
  return intervals[Math.min(repeatsLeft, intervals.length) - 1] ?? 0;
}

function storedList(intervals: Intervals, times: number): number[] {
  const seconds: number[] = [];
  for (let repeat = times - 1; repeat >= 0; repeat -= 1)
    seconds.push(intervals.before(repeat) / 1000);
  // RQ takes the last value for all repeats that the list does not reach.
  const different = seconds.findLastIndex((value) => value !== seconds.at(-1));
  return seconds.slice(0, different + 2);
}

/** The most repeats that a job may have. */
const MOST_REPEATS = 1000;
const REPEAT_KEYS: ReadonlySet<string> = new Set(['times', 'interval']);
