/**
 * Handlers that take several jobs at once. The jobs gather in Redis, each in the lane of its key, until there are enough
 * of them or the first has waited for long enough.
 */
import type { Duration } from './duration.js';
import { InvalidOptionError } from './errors.js';
import {
  type OptionRule,
  duration,
  optionTable,
  otherwise,
  readOptions,
  wholeNumber,
} from './option-table.js';

/** How many jobs a handler takes at once. */
export interface BatchOptions {
  /** At most so many, 1 to 500. */
  size: number;
  /** For how long the first one waits for others, as long as there are fewer. Default 0: not at all. */
  wait?: Duration;
}

/** Checked options. */
export interface BatchRule {
  readonly size: number;
  /** Milliseconds. */
  readonly wait: number;
}

/** @throws InvalidOptionError naming the key */
export const batchRule: OptionRule<BatchRule> = (value, option, where) => {
  const { size, wait } = readOptions(value, BATCH, where, option);
  if (size <= LARGEST_BATCH) return { size, wait };
  const problem = `must be at most ${LARGEST_BATCH}: so many are handed out in one step`;
  throw new InvalidOptionError({ option: `${option}.size`, problem, value: size, where });
};

const BATCH = optionTable<BatchOptions>()({
  size: wholeNumber(1),
  wait: otherwise(0, duration),
});

/** The same as BATCHED_AT_ONCE of include/serve-lanes.lua. */
const LARGEST_BATCH = 500;
