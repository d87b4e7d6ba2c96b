/**
 * What a handler throws, or returns, to steer its own job. It says: try again (spending a retry), not now (spending
 * none), never again, or forget it. The thrown ones are errors, so they pass through interceptors and filters as errors
 * do.
 *
 * ```ts
 * if (response.status === 429) throw new SnoozeJob({ for: response.retryAfter });
 * if (response.status === 410) throw new FailJob('the image is gone');
 * ```
 */
import type { Duration } from './duration.js';
import type { SnoozeScope } from './outcome.js';
import {
  duration,
  durationAboveZero,
  oneOf,
  flag,
  optionTable,
  optional,
  otherwise,
  readOptions,
  unchecked,
} from './option-table.js';
import { type IntervalOption, listIntervals, readIntervals } from './retry-interval.js';
import { readMax } from './retry-policy.js';

type Signal = 'retry' | 'snooze' | 'fail' | 'cancel' | 'returned-retry';

// Known to the whole process, so that two copies of this package (a library's and the application's) understand each other.
const BRAND: unique symbol = Symbol.for('nestjs-rq.signal');

/** The parent of what a handler throws to steer its job. */
export abstract class JobSignal extends Error {
  abstract get [BRAND](): Signal;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    const name = { value: new.target.name, writable: true, configurable: true };
    Object.defineProperty(this, 'name', name);
    Error.captureStackTrace(this, new.target);
  }
}

export interface RetryJobOptions {
  /** How long to wait; default: the interval of the job's retry policy. */
  in?: Duration;
  /** To the head of the queue? Default: as the policy says. */
  front?: boolean;
  /** What the log and the failure record say. */
  reason?: string;
  /** The error that made the handler give up for now; its stack is recorded, too. */
  cause?: unknown;
}

/**
 * Throw it to have the job tried again, whatever the retry policy thinks of this kind of error. It spends a retry:
 * when none is left, the job fails.
 * @throws InvalidOptionError if an option is impossible
 */
export class RetryJob extends JobSignal {
  /** Milliseconds; `undefined`: the policy's interval. */
  readonly delay: number | undefined;
  readonly front: boolean | undefined;

  constructor(options: RetryJobOptions = {}) {
    const { in: delay, front, reason } = readOptions(options, RETRY_JOB, undefined, 'RetryJob');
    super(reason, causeOf(options));
    this.delay = delay;
    this.front = front;
  }

  get [BRAND](): Signal {
    return 'retry';
  }
}

export interface SnoozeJobOptions {
  /** For how long; a number is seconds. */
  for: Duration;
  /**
   * What else is put off: all jobs of its `key`, of its `handler`, or of its `queue`, in all processes. Those that run go
   * on; this job is the next one. Default `job`: nothing else.
   */
  scope?: SnoozeScope;
}

/**
 * Throw it to have the job run again after a while: not a failure, no retry is spent, no attempt is counted.
 *
 * ```ts
 * if (response.status === 429) throw new SnoozeJob({ for: retryAfter, scope: 'handler' }); // nobody asks meanwhile
 * ```
 *
 * @throws InvalidOptionError if `for` is missing or not above 0, or `scope` is another word
 */
export class SnoozeJob extends JobSignal {
  /** Milliseconds. */
  readonly delay: number;
  readonly scope: SnoozeScope;

  constructor(options: SnoozeJobOptions) {
    const { for: delay, scope } = readOptions(options, SNOOZE_JOB, undefined, 'SnoozeJob');
    super('The handler put the job off');
    this.delay = delay;
    this.scope = scope;
  }

  get [BRAND](): Signal {
    return 'snooze';
  }
}

/** Throw it to fail the job for good: its remaining retries are not used. */
export class FailJob extends JobSignal {
  constructor(reason = 'The handler gave the job up', options: { cause?: unknown } = {}) {
    super(reason, causeOf(options));
  }

  get [BRAND](): Signal {
    return 'fail';
  }
}

/** Throw it to cancel the job: it ends as `canceled`, which is not a failure. */
export class CancelJob extends JobSignal {
  constructor(reason = 'The handler canceled the job') {
    super(reason);
  }

  get [BRAND](): Signal {
    return 'cancel';
  }
}

/** What {@link Retry} gives. */
export class ReturnedRetry {
  /** Retries after the first run. */
  readonly max: number;
  /** Seconds, one per retry already made; the last one repeats. */
  readonly intervals: readonly number[];
  /** 0 to 1. */
  readonly jitter: number;
  /** Milliseconds that no wait exceeds, whatever the jitter. */
  readonly longest: number | undefined;

  constructor(options: { max: number; interval?: IntervalOption }) {
    const { max, interval } = readOptions(options, RETURNED_RETRY, undefined, 'Retry');
    this.max = max;
    this.intervals = listIntervals(interval, max);
    this.jitter = interval.jitter;
    this.longest = interval.longest;
  }

  get [BRAND](): Signal {
    return 'returned-retry';
  }
}

/**
 * Return it from a handler to have the job run again without it being an error (RQ >= 2.1): `return Retry({ max: 5,
 * interval: 60 })`. These retries have a counter of their own, compared with the `max` of what is returned.
 * @param options.max retries after the first run, 1 to 1000
 * @param options.interval default 0, at once, as in RQ
 * @throws InvalidOptionError if an option is impossible
 */
export function Retry(options: { max: number; interval?: IntervalOption }): ReturnedRetry {
  return new ReturnedRetry(options);
}

export function isRetryJob(thrown: unknown): thrown is RetryJob {
  return signalOf(thrown) === 'retry';
}

/** One of an older copy of this package knows no scope. */
export function isSnoozeJob(
  thrown: unknown,
): thrown is Pick<SnoozeJob, 'delay'> & Partial<Pick<SnoozeJob, 'scope'>> {
  return signalOf(thrown) === 'snooze';
}

export function isFailJob(thrown: unknown): thrown is FailJob {
  return signalOf(thrown) === 'fail';
}

export function isCancelJob(thrown: unknown): thrown is CancelJob {
  return signalOf(thrown) === 'cancel';
}

export function isReturnedRetry(returned: unknown): returned is ReturnedRetry {
  return signalOf(returned) === 'returned-retry';
}

const RETRY_JOB = optionTable<RetryJobOptions>()({
  in: optional(duration),
  front: optional(flag),
  reason: otherwise('The handler asked for a retry', unchecked<string>()),
  cause: unchecked(),
});

const SNOOZE_JOB = optionTable<SnoozeJobOptions>()({
  // At 0 the job would run again and again without a pause.
  for: durationAboveZero,
  scope: otherwise('job', oneOf('job', 'key', 'handler', 'queue')),
});

const RETURNED_RETRY = optionTable<{ max: number; interval?: IntervalOption }>()({
  max: readMax,
  // RQ's own rule for a returned Retry: at once unless it says otherwise.
  interval: otherwise(0, (value, option, where) =>
    readIntervals(value as IntervalOption, option, where),
  ),
});

function causeOf(options: { cause?: unknown }): ErrorOptions | undefined {
  return options.cause === undefined ? undefined : { cause: options.cause };
}

/** Anything may be thrown, also a proxy that throws when it is looked at. */
function signalOf(value: unknown): Signal | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  try {
    return (value as { [BRAND]?: Signal })[BRAND];
  } catch {
    return undefined;
  }
}
