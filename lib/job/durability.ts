/**
 * How sure a job is once `enqueue` has resolved. Redis answers before its replicas have what was written: when it dies at
 * that moment, the job is lost although the caller was told that it is stored. With `durability` the call resolves only
 * when so many replicas have the job, and the end of a job is told only when they have it.
 */
import type { Duration } from './duration.js';
import { InvalidOptionError } from './errors.js';
import {
  type OptionRule,
  durationAboveZero,
  optionTable,
  otherwise,
  readOptions,
  wholeNumber,
} from './option-table.js';

/** How many replicas must have a job before the call of `enqueue` resolves. */
export interface DurabilityOptions {
  /** At least so many replicas; a whole number of at least 1. */
  readonly replicas: number;
  /**
   * How long they may take; default 1 s. After that the call rejects with NotReplicatedError. It must be shorter than
   * `commandTimeout`.
   */
  readonly timeout?: Duration;
}

/** The same as it is used. */
export interface Durability {
  readonly replicas: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Undefined where nothing is given, or `false`. */
export const readDurability: OptionRule<Durability | undefined> = (value, option, where) =>
  value === undefined || value === false
    ? undefined
    : readOptions(value, DURABILITY_OPTIONS, where, option);

/**
 * @param commandTimeout milliseconds within which each command is answered
 * @throws InvalidOptionError when replicas may take longer than a command: the call would be given up before
 */
export function assertInTime(
  durability: Durability | undefined,
  commandTimeout: number,
  where: string,
): void {
  if (durability === undefined || durability.timeout < commandTimeout) return;
  const problem = `must be shorter than commandTimeout, which is ${commandTimeout / 1000} s`;
  const value = `${durability.timeout / 1000}s`;
  throw new InvalidOptionError({ option: 'durability.timeout', problem, value, where });
}

const DURABILITY_OPTIONS = optionTable<DurabilityOptions>()({
  replicas: wholeNumber(1),
  timeout: otherwise(1, durationAboveZero),
});
