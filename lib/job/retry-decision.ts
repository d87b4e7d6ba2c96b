/**
 * An attempt has failed: is the job tried again, and when? The decision depends on nothing but what is passed in
 * (clock and randomness included), so that it can be read and tested as a table. In this order: FailJob never is
 * retried; a retry must be left; the error must be worth one (unless the handler asked for it with RetryJob);
 * the retry must start within the policy's window.
 */
import { formatDuration, LONGEST_DURATION } from './duration.js';
import { type CheckedFilter, objectionTo } from './retry-filter.js';
import { intervalFor, type RetryPolicy } from './retry-policy.js';
import { isFailJob, isRetryJob, type ReturnedRetry } from './signals.js';

export interface FailedAttempt<Job = unknown> {
  /** What the handler threw. */
  readonly error: unknown;
  /** The job's policy; `undefined`: it has none. */
  readonly policy: RetryPolicy | undefined;
  /** As stored with the job, before this decision; `undefined`: not stored yet, so all of the policy's. */
  readonly retriesLeft: number | undefined;
  /** What the handler says about errors. */
  readonly filter: CheckedFilter<Job> | undefined;
  readonly job: Job;
  /** Milliseconds since 1970; `undefined`: not known, the window begins now. */
  readonly firstEnqueuedAt: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** 0 (included) to 1 (excluded), as Math.random. */
  readonly random: () => number;
}

/** `delay` is milliseconds from now; `why` is a clause for the log; `exhausted`: there were retries, they are used up. */
export type RetryDecision =
  | { readonly retry: true; readonly delay: number; readonly front: boolean }
  | { readonly retry: false; readonly why: string; readonly exhausted: boolean };

/** Whether and when the failed job runs again. Never throws, whatever was thrown and whatever the filter does. */
export function decideRetry<Job>(attempt: FailedAttempt<Job>): RetryDecision {
  const { error, policy, filter, job, now, random } = attempt;
  if (isFailJob(error)) {
    return no('the handler threw FailJob');
  }
  if (policy === undefined) {
    return no('it has no retry policy');
  }
  const retriesLeft = attempt.retriesLeft ?? policy.max;
  if (retriesLeft < 1) {
    return exhausted('no retries are left');
  }
  const asked = isRetryJob(error) ? error : undefined;
  const objection = filter && !asked ? objectionTo(error, filter, job) : undefined;
  if (objection !== undefined) {
    return no(objection);
  }
  const delay =
    asked?.delay ?? jittered(intervalFor(policy.intervals, retriesLeft), policy, random);
  const { within } = policy;
  if (within !== undefined && now + delay > (attempt.firstEnqueuedAt ?? now) + within) {
    return exhausted(
      `the next retry would start later than ${formatDuration(within)} after the enqueue`,
    );
  }
  return { retry: true, delay, front: asked?.front ?? policy.front };
}

/**
 * Whether and when a job runs again whose handler returned `Retry(...)`: RQ's second counter, compared with the
 * returned `max`. Never to the head of the queue, as in RQ.
 * @param details.done retries of this kind already made (`number_of_retries`)
 */
export function decideReturnedRetry(details: {
  retry: ReturnedRetry;
  done: number;
  random: () => number;
}): RetryDecision {
  const { retry, done, random } = details;
  if (done >= retry.max) {
    return exhausted(`the handler returned Retry, and all ${retry.max} retries are used`);
  }
  const interval = retry.intervals[Math.min(retry.intervals.length - 1, done)] ?? 0;
  return { retry: true, delay: jittered(interval, retry, random), front: false };
}

function no(why: string): RetryDecision {
  return { retry: false, why, exhausted: false };
}

function exhausted(why: string): RetryDecision {
  return { retry: false, why, exhausted: true };
}

/** Seconds to milliseconds, made longer or shorter at random by at most the jitter's share, never above the longest. */
function jittered(
  seconds: number,
  { jitter, longest = LONGEST_DURATION }: Pick<RetryPolicy, 'jitter' | 'longest'>,
  random: () => number,
): number {
  const interval = seconds * 1000;
  if (jitter === 0) {
    return Math.round(interval);
  }
  // Spread over what is left of the range: cut off, half of the jobs at the limit would come back together.
  const least = interval * (1 - jitter);
  const most = Math.max(least, Math.min(interval * (1 + jitter), longest));
  return Math.round(least + random() * (most - least));
}
