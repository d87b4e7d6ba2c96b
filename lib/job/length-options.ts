import { InvalidOptionError } from './errors.js';
import {
  type OptionRule,
  type ReadOptions,
  either,
  optionTable,
  optional,
  otherwise,
  readOptions,
  wholeNumber,
} from './option-table.js';

/**
 * The option `maxLength`: how many jobs a queue may hold. Producers that are quicker than the workers are refused then,
 * before Redis is full.
 */
export interface MaxLength {
  /** At most so many wait to be run; a call of `enqueue` that would bring more is refused or waits. Default: no limit. */
  readonly total?: number;
  /** The same of each key, of each handler. Default: no limit. */
  readonly perKey?: number;
  /**
   * At most so many jobs wait for the time of a retry; one that would be another fails, whatever retries it has left. Default:
   * no limit.
   */
  readonly retrying?: number;
}

/** What `whenFull` may be. */
export type WhenFull = 'reject' | 'wait';

/** How many jobs a queue may hold, and what a call of `enqueue` does at a full one. */
export interface RoomRule {
  /** Undefined: any number. */
  readonly most: number | undefined;
  /** Of each key. */
  readonly perKey: number | undefined;
  /** It waits for room, until `commandTimeout`. */
  readonly waits: boolean;
}

/**
 * @param where the call, for errors
 * @throws InvalidOptionError naming the key
 */
export function readRoomRule(
  options: { readonly maxLength?: unknown; readonly whenFull?: unknown },
  where: string | undefined,
): RoomRule | undefined {
  const { maxLength, whenFull } = readOptions(options, ROOM_OPTIONS, where);
  const { total, perKey } = maxLength ?? {};
  if (total === undefined && perKey === undefined) {
    if (options.whenFull === undefined) return undefined;
    const problem =
      'says what happens at a full queue: give maxLength: { total } or { perKey }, too';
    throw new InvalidOptionError({ option: 'whenFull', problem, where });
  }
  return { most: total, perKey, waits: whenFull === 'wait' };
}

/** @throws InvalidOptionError naming the key */
export const maxLengthOf: OptionRule<ReadOptions<typeof MAX_LENGTH.rules>> = (
  value,
  option,
  where,
) => readOptions(value, MAX_LENGTH, where, option);

const MAX_LENGTH = optionTable<MaxLength>()({
  total: optional(wholeNumber(1)),
  perKey: optional(wholeNumber(1)),
  retrying: optional(wholeNumber(1)),
});

const ROOM_OPTIONS = optionTable<{ maxLength?: unknown; whenFull?: unknown }>()({
  maxLength: optional(maxLengthOf),
  whenFull: otherwise('reject', either('reject', 'wait')),
});
