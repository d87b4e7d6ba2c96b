/**
 * Which errors are worth a retry, as a handler says it: `on` (only these), `except` (never these), `when` (ask me).
 * All that is given must agree. A filter that itself breaks lets the job fail, where somebody will see why, instead
 * of running it again and again. Where neither `on` nor `except` is said, those errors are not retried of which it is
 * known that another run cannot help, such as a payload that fails validation.
 */
import { InvalidOptionError } from './errors.js';

/** Any class, also an abstract one: what `instanceof` takes. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** Which errors are worth a retry. All that is given must agree. */
export interface RetryFilter<Job = unknown> {
  /** Only these errors (and their subclasses) are retried. */
  on?: readonly ErrorClass[];
  /**
   * These errors (and their subclasses) are never retried, also when `on` names them. Default in `@Job` without `on`:
   * Nest's BadRequestException and UnprocessableEntityException; `[]` is none.
   */
  except?: readonly ErrorClass[];
  // A method, so that a predicate on a more special job type fits where the job's type is not known.
  /** Asked last: true is worth a retry. */
  when?(error: unknown, job: Job): boolean;
}

/** A handler's checked filter. */
export interface CheckedFilter<Job = unknown> extends RetryFilter<Job> {
  /** Errors that another run cannot help, of a filter that has neither `on` nor `except`. */
  readonly nonRetryable?: readonly ErrorClass[];
}

/** The filter with these errors never retried, unless it says itself which are, by `on` or `except`. */
export function withNonRetryable<Job>(
  filter: CheckedFilter<Job> | undefined,
  nonRetryable: readonly ErrorClass[] | undefined,
): CheckedFilter<Job> | undefined {
  return nonRetryable === undefined || filter?.on || filter?.except
    ? filter
    : { ...filter, nonRetryable };
}

/**
 * Checks and copies the filter out of a handler's retry options; `undefined` when there is none.
 * @throws InvalidOptionError naming the key
 */
export function readFilter<Job>(
  options: RetryFilter<Job>,
  where: string | undefined,
): CheckedFilter<Job> | undefined {
  // An empty `on` would retry nothing, which is no retry at all; an empty `except` retries everything.
  const on = readClasses(options.on, 'retry.on', 1, where);
  const except = readClasses(options.except, 'retry.except', 0, where);
  if (options.when !== undefined && typeof options.when !== 'function') {
    const problem = 'must be a function (error, job) => boolean';
    throw new InvalidOptionError({ option: 'retry.when', problem, where });
  }
  const when = options.when?.bind(options);
  return on || except || when ? { on, except, when } : undefined;
}

/** Why the error is not worth a retry, as a clause for the log; `undefined` when it is worth one. Never throws. */
export function objectionTo<Job>(
  error: unknown,
  filter: CheckedFilter<Job>,
  job: Job,
): string | undefined {
  const { on, except, nonRetryable } = filter;
  const unwanted = except?.find((one) => isInstance(error, one));
  if (unwanted) {
    return `retry.except names ${unwanted.name}`;
  }
  if (on && !on.some((one) => isInstance(error, one))) {
    return `retry.on names only ${on.map((one) => one.name).join(', ')}`;
  }
  const expected = nonRetryable?.find((one) => isInstance(error, one));
  if (expected) {
    return `${expected.name} is not worth a retry unless retry.on or retry.except says so`;
  }
  return filter.when && objectionOfPredicate(filter, error, job);
}

function objectionOfPredicate<Job>(
  filter: RetryFilter<Job>,
  error: unknown,
  job: Job,
): string | undefined {
  let verdict: unknown;
  try {
    verdict = filter.when?.(error, job);
  } catch {
    return 'retry.when threw an error';
  }
  if (verdict instanceof Promise) {
    // An async predicate is a mistake; its rejection must not end the process on top.
    verdict.catch(() => undefined);
  }
  if (typeof verdict !== 'boolean') {
    return 'retry.when did not return true or false (it must not be async)';
  }
  return verdict ? undefined : 'retry.when returned false';
}

function readClasses(
  classes: unknown,
  option: string,
  fewest: number,
  where: string | undefined,
): readonly ErrorClass[] | undefined {
  if (classes === undefined) {
    return undefined;
  }
  if (!Array.isArray(classes) || classes.length < fewest || !Array.from(classes).every(isClass)) {
    const problem = 'must be a list of error classes, such as [TimeoutError]';
    throw new InvalidOptionError({ option, problem, where });
  }
  return [...(classes as ErrorClass[])];
}

function isClass(value: unknown): value is ErrorClass {
  try {
    // Throws for all that `instanceof` could not use later: non-functions, arrow functions.
    return typeof ({} instanceof (value as ErrorClass)) === 'boolean';
  } catch {
    return false;
  }
}

/** A thrown proxy may refuse to tell its class. */
function isInstance(error: unknown, one: ErrorClass): boolean {
  try {
    return error instanceof one;
  } catch {
    return false;
  }
}
