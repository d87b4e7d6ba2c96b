import type { ScheduleOptions, When } from '../../schedule/index.js';
import { markMethod, markedMethods, placeOf } from '../discovery/method-marks.js';

/**
 * What `@Schedule` leaves on a method, and the one place that writes and reads it. The key is a registered symbol, so
 * that two copies of the package see each other's schedules.
 */
const SCHEDULE_METADATA = Symbol.for('nestjs-rq:schedule');

/** What `@Schedule` takes beside the time. */
export interface ScheduleDecoratorOptions<Data = unknown> extends Omit<ScheduleOptions, 'call'> {
  /** The data of each job, as the method's first parameter wants it; default: none. */
  data?: Data;
  /** The time zone of a cron expression, such as `'Europe/Berlin'`; default `'UTC'`. */
  tz?: string;
  /**
   * Letters, digits, `_` and `-`; one for all queues. Default: the queue and the job's name, joined with `-`. Needed where
   * a method has several schedules. Under another id it is another schedule, with a history of its own.
   */
  id?: string;
}

/** A schedule as it stands on a method. */
export interface ScheduleMark {
  readonly when: When;
  readonly options: ScheduleDecoratorOptions;
}

/** Adds a schedule to those that the method has. */
export function addSchedule(
  target: object,
  key: string | symbol,
  method: unknown,
  mark: ScheduleMark,
): void {
  markMethod(SCHEDULE_METADATA, placeOf('@Schedule', target, key), target, key, method, mark);
}

/** The methods of a class that `@Schedule` has jobs made for, by name. */
export function schedulesOf(prototype: object): Map<string, ScheduleMark[]> {
  return markedMethods(SCHEDULE_METADATA, prototype);
}
