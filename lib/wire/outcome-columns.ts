/**
 * What exchange.lua is given of an outcome, by its type, in this order. The script knows each value by its name
 * (`FAILED.record`), which scripts/compile-lua.mjs turns into its distance from the first.
 *
 * How a job ends begins with its `ttl`; one that has succeeded goes on with `place` and `result`.
 */
export const OUTCOME_COLUMNS = {
  /** The last two only in a stream. */
  finished: ['ttl', 'place', 'result', 'began', 'ended'],
  failed: ['ttl', 'place', 'text', 'streamed', 'attempt', 'record', 'began', 'ended', 'cause'],
  canceled: ['ttl', 'reason'],
  retrying: [
    'delay',
    'place',
    'attempt',
    'record',
    'retries',
    'intervals',
    'policy',
    'counts',
    'clears',
    'most',
  ],
  repeating: ['ttl', 'place', 'result', 'began', 'ended', 'delay', 'repeats', 'round', 'retries'],
  /** The name is its handler's; of no account when only the job is put off. */
  snoozed: ['delay', 'scope', 'name'],
  sorted: ['lane', 'gate'],
} as const;

/**
 * With this text a retry is refused: as many jobs wait for one as may. The lease is kept, and the worker settles the run as
 * a failure.
 */
export const RETRYING_FULL = 'error RETRYING FULL';
