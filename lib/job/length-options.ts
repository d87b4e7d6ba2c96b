import { InvalidOptionError } from './errors.js';
import {
  either,
  optionTable,
  optional,
  otherwise,
  readOptions,
  wholeNumber,
} from './option-table.js';

/** How many jobs a queue may hold, so that producers which are quicker than the workers hear of it in time. */
export interface MaxLength {
  /** At most so many wait to be run; a call of `enqueue` that would bring more is refused or waits. Default: no limit. */
  readonly total?: number;
}

/** What `whenFull` may be. */
export type WhenFull = 'reject' | 'wait';

/** How many jobs a queue may hold, and what a call of `enqueue` does at a full one. */
export interface RoomRule {
  readonly most: number;
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
  if (maxLength?.total === undefined) {
    if (options.whenFull === undefined) return undefined;
    const problem = 'says what happens at a full queue: give maxLength: { total }, too';
    throw new InvalidOptionError({ option: 'whenFull', problem, where });
  }
  return { most: maxLength.total, waits: whenFull === 'wait' };
}

const MAX_LENGTH = optionTable<MaxLength>()({ total: optional(wholeNumber(1)) });

const ROOM_OPTIONS = optionTable<{ maxLength?: unknown; whenFull?: unknown }>()({
  maxLength: optional((value, option, where) => readOptions(value, MAX_LENGTH, where, option)),
  whenFull: otherwise('reject', either('reject', 'wait')),
});
