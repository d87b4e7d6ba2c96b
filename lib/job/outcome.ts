/**
 * How one execution of a job ended, as the worker decided it. The store writes an outcome down as it is:
 * every judgement (is it worth a retry, after how long) was made before, every change of state is made after,
 * in one script.
 */

/** A failure as it is recorded: short for lists and logs, with the stack for people. */
export interface FailureRecord {
  /** Class of the error, `Error` when nothing better is known. */
  readonly name: string;
  /** One line. */
  readonly message: string;
  /** Text with the stack, as Python's `exc_string` is. */
  readonly stack: string;
}

/** The handler returned: `result` is JSON text, `undefined` for no value (RQ stores none for null). */
export interface FinishedOutcome {
  readonly type: 'finished';
  readonly result: string | undefined;
}

/** The handler returned, and the job runs again: the result is kept, and the next round has all its retries. */
export interface RepeatingOutcome {
  readonly type: 'repeating';
  readonly result: string | undefined;
  /** Milliseconds from the moment at which Redis settles the execution. */
  readonly delay: number;
  /** How many rounds follow, the next one included. */
  readonly repeatsLeft: number;
}

/** The attempt failed and no retry follows. */
export interface FailedOutcome {
  readonly type: 'failed';
  readonly failure: FailureRecord;
}

/** The attempt failed; the job goes back, now (`delay` 0) or through the scheduled registry. */
export interface RetryingOutcome {
  readonly type: 'retrying';
  readonly failure: FailureRecord;
  /** Milliseconds from the moment at which Redis settles the execution. */
  readonly delay: number;
  readonly front: boolean;
  /** Set when this is the first failure of a job that takes its handler's policy: the policy to store. */
  readonly policy: StoredRetry | undefined;
  /** RQ's second mechanism: the handler returned `Retry(...)`; counts in `number_of_retries`. */
  readonly returned: boolean;
  /** As many jobs of the queue may wait for a retry: with more the outcome is refused. Default: any number. */
  readonly most?: number | undefined;
}

/** What of a retry policy is kept with the job (see the fields `retries_left`, `retry_intervals`). */
export interface StoredRetry {
  readonly max: number;
  readonly intervals: readonly number[];
  readonly jitter: number;
  /** Milliseconds that no wait exceeds, whatever the jitter. */
  readonly longest?: number;
  /** Milliseconds. */
  readonly within: number | undefined;
  readonly front: boolean;
}

/** Not now: runs again after `delay` milliseconds; no retry is spent, no attempt counted. */
export interface SnoozedOutcome {
  readonly type: 'snoozed';
  readonly delay: number;
  /** What is put off with it; default: nothing. */
  readonly scope?: SnoozeScope;
  /** Of its handler; of no account when nothing else is put off. */
  readonly name?: string;
}

/** What `SnoozeJob` puts off: this job alone, all of its key, all of its handler, or all of its queue. */
export type SnoozeScope = 'job' | 'key' | 'handler' | 'queue';

/** It has not run: its handler has a gate, and only now is it known in which lane it belongs. */
export interface SortedOutcome {
  readonly type: 'sorted';
  /** See wire/lane.ts. */
  readonly lane: string;
  /** The gate's limits, should the database not know them (see wire/limit-text.ts). */
  readonly gate: string;
}

/** Given back unfinished (shutdown, prefetched): to the head of the queue; no retry is spent, no attempt counted. */
export interface ReleasedOutcome {
  readonly type: 'released';
}

/** The handler asked to cancel its own job. */
export interface CanceledOutcome {
  readonly type: 'canceled';
  readonly reason: string;
}

/** Stopped by command: failed registry, no retry, as in RQ. */
export interface StoppedOutcome {
  readonly type: 'stopped';
  readonly failure: FailureRecord;
}

export type Outcome =
  | FinishedOutcome
  | RepeatingOutcome
  | FailedOutcome
  | RetryingOutcome
  | SnoozedOutcome
  | SortedOutcome
  | ReleasedOutcome
  | CanceledOutcome
  | StoppedOutcome;

/** An outcome and why it is that one, for those who are told of it. */
export interface Verdict {
  readonly outcome: Outcome;
  /** What was thrown, of a failed attempt. */
  readonly error?: unknown;
  /** Why no retry follows, of a job that failed for good. */
  readonly why?: string;
  /** It had retries, and they are used up. */
  readonly exhausted?: boolean;
  readonly retriesLeft?: number;
}
