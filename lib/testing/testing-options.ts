import { either, optionTable, otherwise, readOptions } from '../job/index.js';

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
  return readOptions(options, TESTING_OPTIONS, 'RqTestingModule.forRoot');
}

const TESTING_OPTIONS = optionTable<RqTestingOptions>()({
  mode: otherwise('manual', either('manual', 'inline')),
});

/** For how long jobs may take to come to rest, where nobody says otherwise. */
export const DRAIN_TIMEOUT_MS = 30_000;
