/**
 * Which jobs are the same, so that only one of them is stored. A user names the same jobs by a text, or leaves that to
 * the job's name and data, and says for how long one keeps the others away. All of it is checked at the enqueue.
 */
import { type Duration, toMilliseconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { checkOptions, readFlag } from './option-checks.js';

/**
 * While a job with the same `by` waits or runs in the queue, no second one is stored: `enqueue` gives the handle of the
 * first (its `isNew` is false).
 *
 * ```ts
 * { unique: { by: `user-${id}` } } // one at a time
 * { unique: {} } // the same, of jobs with the same name and data
 * { unique: { by, for: '1m' } } // throttle: at most one a minute
 * { unique: { by, replace: true }, delay: '5s' } // debounce: the newest data, 5 seconds after the last call
 * { unique: { by, until: 'started' } } // at most one waits, however many run
 * ```
 */
export interface UniqueOptions {
  /** What the same jobs have in common, within one queue: 1 to 500 characters; default: name and data of the job. */
  by?: string;
  /**
   * So long from its enqueue a job keeps others away, whatever becomes of it unless it is canceled or deleted; then no
   * longer, even if it still waits. Not together with `until` or `replace`.
   */
  for?: Duration;
  /**
   * `'ended'`: until the job has ended for good, its retries and repeats included. `'started'`: only while it waits.
   * Default `'ended'`; with `replace` `'started'`, so that no data are lost.
   */
  until?: 'ended' | 'started';
  /**
   * The job that waits gets the newest data and `meta`. It keeps its id, its place and its other options; one that waits
   * for its time waits anew, as `delay` or `at` of this call say. Default false.
   */
  replace?: boolean;
  /** `'error'`: where no job is stored and none replaced, `enqueue` throws DuplicateJobError. */
  else?: 'error';
}

/** Checked. */
export interface UniqueRule {
  /** undefined: name and data. */
  readonly by: string | undefined;
  /** Milliseconds, or the event that frees the key. */
  readonly hold: number | 'ended' | 'started';
  readonly replace: boolean;
  readonly orError: boolean;
}

/** @throws InvalidOptionError naming the key */
export function readUnique(options: UniqueOptions, where: string | undefined): UniqueRule {
  checkOptions(options, UNIQUE_KEYS, 'unique', where);
  const { by, until, else: otherwise } = options;
  const refuse = (key: string, problem: string, value?: unknown): never => {
    throw new InvalidOptionError({ option: `unique.${key}`, problem, value, where });
  };
  if (by !== undefined && (typeof by !== 'string' || by === '' || by.length > LONGEST_BY)) {
    refuse(
      'by',
      `must be text of 1 to ${LONGEST_BY} characters`,
      typeof by === 'string' ? undefined : by,
    );
  }
  if (until !== undefined && until !== 'ended' && until !== 'started') {
    refuse('until', "must be 'ended' or 'started'", until);
  }
  if (otherwise !== undefined && otherwise !== 'error')
    refuse('else', "must be 'error'", otherwise);
  const replace = readFlag(options.replace, 'unique.replace', where);
  const orError = otherwise !== undefined;
  if (options.for === undefined) {
    return { by, hold: until ?? (replace ? 'started' : 'ended'), replace, orError };
  }
  const hold = toMilliseconds(options.for, 'unique.for', where);
  if (hold === 0) refuse('for', 'must be above 0', options.for);
  if (until !== undefined) refuse('for', 'and until exclude each other: give one of them');
  if (replace)
    refuse('for', 'and replace exclude each other: a job that has run cannot take new data');
  return { by, hold, replace, orError };
}

const LONGEST_BY = 500;
const UNIQUE_KEYS: ReadonlySet<string> = new Set(['by', 'for', 'until', 'replace', 'else']);
