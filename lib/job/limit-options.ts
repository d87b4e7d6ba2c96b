/**
 * Limits: how many jobs run at once, and how many may start in a span of time. They are said by a handler, by a queue for
 * its handlers, and at run time by an operator; the numbers have one form.
 */
import type { Duration } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { isObject } from './option-checks.js';
import {
  type OptionRule,
  type ReadOptions,
  durationAboveZero,
  optionTable,
  optional,
  readOptions,
  wholeNumber,
} from './option-table.js';

/** How many jobs run at once. What is left out is not limited. */
export interface ConcurrencyLimits {
  /** In all processes together; Python's workers do not know it. */
  total?: number;
  /** Of each key, in all processes together. */
  perKey?: number;
}

/** The same of a handler, which may be limited within each worker, too. */
export interface HandlerConcurrency extends ConcurrencyLimits {
  /** Within one worker; default: as many as the worker has slots. */
  perWorker?: number;
}

/** Never more than `max` starts in any span of `per`; every run counts, retries too. */
export interface RateLimit {
  max: number;
  /** A number is seconds. */
  per: Duration;
}

/** How many jobs may start: in all (`max` and `per`, both or neither), and of each key. */
export interface RateLimitOptions extends Partial<RateLimit> {
  perKey?: RateLimit;
}

/** Says which key a job has, from its data and its name; nothing, null and empty text: none. */
export type JobKey<Data = never> = (data: Data, name: string) => string | number | null | undefined;

/** Limits in numbers; times are milliseconds; undefined: none. */
export interface Limits {
  readonly total: number | undefined;
  readonly perKey: number | undefined;
  readonly rate: Rate | undefined;
  readonly keyRate: Rate | undefined;
}

export interface Rate {
  readonly max: number;
  /** Milliseconds. */
  readonly per: number;
}

/** @throws InvalidOptionError naming the key */
export const handlerConcurrency: OptionRule<ReadOptions<typeof HANDLER_CONCURRENCY.rules>> = (
  value,
  option,
  where,
) => {
  if (isObject(value)) return readOptions(value, HANDLER_CONCURRENCY, where, option);
  return { ...NO_CONCURRENCY, perWorker: wholeNumber(1)(value, option, where) };
};

/** @throws InvalidOptionError naming the key */
export const queueConcurrency: OptionRule<ReadOptions<typeof QUEUE_CONCURRENCY.rules>> = (
  value,
  option,
  where,
) => readOptions(value, QUEUE_CONCURRENCY, where, option);

/** @throws InvalidOptionError naming the key */
export const rateLimit: OptionRule<{ rate: Rate | undefined; keyRate: Rate | undefined }> = (
  value,
  option,
  where,
) => {
  const { max, per, perKey } = readOptions(value, RATE_LIMIT, where, option);
  if ((max === undefined) !== (per === undefined)) {
    const missing = max === undefined ? 'max' : 'per';
    const problem = 'is missing: so many starts (max) in each span of time (per)';
    throw new InvalidOptionError({ option: `${option}.${missing}`, problem, where });
  }
  const rate = max === undefined || per === undefined ? undefined : { max, per };
  return { rate, keyRate: perKey };
};

const RATE = optionTable<RateLimit>()({ max: wholeNumber(1), per: durationAboveZero });

const RATE_LIMIT = optionTable<RateLimitOptions>()({
  max: optional(wholeNumber(1)),
  per: optional(durationAboveZero),
  perKey: optional((value, option, where) => readOptions(value, RATE, where, option)),
});

const QUEUE_CONCURRENCY = optionTable<ConcurrencyLimits>()({
  total: optional(wholeNumber(1)),
  perKey: optional(wholeNumber(1)),
});

const HANDLER_CONCURRENCY = optionTable<HandlerConcurrency>()({
  ...QUEUE_CONCURRENCY.rules,
  perWorker: optional(wholeNumber(1)),
});

const NO_CONCURRENCY = { total: undefined, perKey: undefined };
