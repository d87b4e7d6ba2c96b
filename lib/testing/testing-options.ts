import { InvalidOptionError, checkOptions } from '../job/index.js';

/** What `RqTestingModule.forRoot` takes. */
export interface RqTestingOptions {
  /**
   * When jobs run. `'manual'` (default): only during `drain()` and `advance()`, so that a test sees what is enqueued
   * before it runs. `'inline'`: `enqueue` resolves when the job has run, and what it enqueued, too; delayed jobs and
   * retries still wait for `advance()`.
   */
  mode?: 'manual' | 'inline';
}

export interface ResolvedTestingOptions {
  readonly mode: 'manual' | 'inline';
}

/** @throws InvalidOptionError naming the key */
export function readTestingOptions(options: RqTestingOptions = {}): ResolvedTestingOptions {
  const where = 'RqTestingModule.forRoot';
  checkOptions(options, KEYS, '', where);
  const { mode = 'manual' } = options;
  if (mode !== 'manual' && mode !== 'inline') {
    const problem = "must be 'manual' or 'inline'";
    throw new InvalidOptionError({ option: 'mode', problem, value: mode, where });
  }
  return { mode };
}

/** Milliseconds: for how long jobs may take to come to rest, where nobody says otherwise. */
export const DRAIN_TIMEOUT = 30_000;

const KEYS: ReadonlySet<string> = new Set(['mode'] satisfies (keyof RqTestingOptions)[]);
