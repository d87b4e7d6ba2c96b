import { InvalidOptionError } from './errors.js';
import { isObject } from './option-checks.js';
import {
  jobName,
  oneOf,
  optionTable,
  optional,
  readOptions,
  text,
  wholeNumber,
} from './option-table.js';

/**
 * Which jobs something is to be done to: those of some ids, or those of a registry (`queued`: of the queue) in its order.
 *
 * ```ts
 * await queue.requeue(['id1', 'id2']);
 * await queue.requeue({ in: 'failed', name: 'resize', after: new Date('2026-03-01') });
 * await queue.requeue({ in: 'failed', error: /ETIMEDOUT/ });
 * await queue.delete({ in: 'canceled', limit: 1000 });
 * ```
 */
export type JobSelection<In extends SelectableIn = SelectableIn> =
  | readonly string[]
  | {
      /** Stopped jobs are in the failed registry. */
      readonly in: In;
      /** Only jobs of this name. */
      readonly name?: string;
      /** Only jobs that failed for this cause: see `inspector.failures()` and `cause` of `queue.jobs('failed')`. */
      readonly cause?: string;
      /** Only jobs whose last failure (`TypeError: no such file`) has this text in it, or fits this expression. */
      readonly error?: string | RegExp;
      /**
       * Only jobs that came there before this time: that of their end (`finished`, `failed`, `canceled`) or start
       * (`started`), when they became ready to run (`queued`), were enqueued (`deferred`) or are due (`scheduled`).
       */
      readonly before?: Date;
      /** Only jobs of this time or later: see `before`. */
      readonly after?: Date;
      /** At most so many; default: all that are there when it begins. */
      readonly limit?: number;
    };

/** Where jobs can be selected: RQ's registries, and the queue itself. */
export type SelectableIn = (typeof SELECTABLE_IN)[number];
export const SELECTABLE_IN = [
  'queued',
  'started',
  'scheduled',
  'deferred',
  'finished',
  'failed',
  'canceled',
] as const;

/** Where the jobs stand to which each can be done. */
export type RequeueFrom = 'failed' | 'canceled' | 'finished';
export type CancelFrom = 'queued' | 'scheduled' | 'deferred' | 'started';
export type PromoteFrom = 'scheduled' | 'deferred';

/** A checked selection of a registry; times are milliseconds since the epoch. */
export interface ResolvedSelection {
  readonly in: SelectableIn;
  readonly name: string | undefined;
  readonly cause: string | undefined;
  readonly error: string | RegExp | undefined;
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly limit: number | undefined;
}

/**
 * Checks a selection and reads it.
 * @param places where the action is possible
 * @throws InvalidOptionError naming the key
 */
export function readSelection(
  selection: JobSelection,
  places: readonly SelectableIn[],
  where: string,
): readonly string[] | ResolvedSelection {
  if (Array.isArray(selection)) {
    const ids = selection as readonly string[];
    const wrong = ids.findIndex((id) => typeof id !== 'string');
    if (wrong === -1) return ids;
    throw new InvalidOptionError({ option: `ids[${wrong}]`, problem: 'must be text', where });
  }
  if (!isObject(selection)) {
    const names = places.map((place) => `'${place}'`).join(' | ');
    const problem = `must be a list of ids, or { in: ${names}, name, cause, error, before, after, limit }`;
    throw new InvalidOptionError({ option: 'selection', problem, value: selection, where });
  }
  const table = optionTable<Exclude<JobSelection, readonly string[]>>()({
    in: oneOf(...places),
    name: optional(jobName),
    cause: optional(text(/^[\da-f]{10}$/, 'must be a cause, as `inspector.failures()` gives it')),
    error: optional(errorPattern),
    before: optional(moment),
    after: optional(moment),
    limit: optional(wholeNumber(0)),
  });
  return readOptions(selection, table, where);
}

function errorPattern(value: unknown, option: string, where: string | undefined): string | RegExp {
  if (value instanceof RegExp || (typeof value === 'string' && value !== '')) return value;
  throw new InvalidOptionError({ option, problem: 'must be text or a RegExp', value, where });
}

function moment(value: unknown, option: string, where: string | undefined): number {
  const time = value instanceof Date ? value.getTime() : NaN;
  if (!Number.isNaN(time)) return Math.min(Math.max(0, time), LATEST);
  throw new InvalidOptionError({ option, problem: 'must be a Date', value, where });
}

/** Dates are compared as texts, whose years have four digits. */
const LATEST = Date.UTC(9999, 11, 31);
