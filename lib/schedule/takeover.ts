import { type Grid } from './grid.js';
import { type ScheduleWhen, encodeWhen } from './when.js';

/**
 * When a definition that replaces another one is due first. What is told of the record is the moment up to which the other
 * one has surely been looked after: no tick since then is lost, and none comes twice.
 */
export function firstDue(
  grid: Grid,
  when: ScheduleWhen,
  replaced: ReplacedSchedule | undefined,
  now: number,
): number | undefined {
  if (!replaced) return grid.next(now);
  // Only its data changed: the tick that it waits for stays.
  if (replaced.due !== undefined && replaced.when === encodeWhen(when)) return replaced.due;
  const sinceSeen = grid.next(Math.min(now, replaced.seen));
  const sinceLast = grid.next(replaced.last);
  if (sinceSeen === undefined || sinceLast === undefined) return undefined;
  return Math.max(sinceSeen, sinceLast);
}

/** What the record of a schedule says of the definition that is to be replaced; all in milliseconds since the epoch. */
export interface ReplacedSchedule {
  readonly when: string;
  /** When it is due; undefined: it is paused. */
  readonly due: number | undefined;
  /** When somebody who holds the definition was there last. */
  readonly seen: number;
  /** The last tick that was fired; 0: none. */
  readonly last: number;
}
