import { Cron } from 'croner';

/**
 * The moments at which a schedule is due: a grid in time, without a beginning or an end. This is the one place that knows
 * the library behind cron expressions.
 *
 * Of that library only "what comes next" is used, none of its timers. Where clocks are set forward, a fixed time that
 * does not exist is the first moment after the gap. Where they are set back, a fixed time is the first of the two; what
 * is due every hour or more often goes on in real time.
 */
export interface Grid {
  /**
   * The first moment after that one. Both are milliseconds since the epoch.
   * @returns undefined when there is none, as of 30 February
   */
  next(after: number): number | undefined;
}

/** A grid of so many milliseconds from the epoch on: a restart shifts nothing. */
export function everyGrid(milliseconds: number): Grid {
  return { next: (after) => (Math.floor(after / milliseconds) + 1) * milliseconds };
}

/**
 * The grid of a cron expression in a time zone.
 * @param cron 5 fields, 6 with seconds first, or a nickname such as `@daily`
 * @throws Error when it is no such expression; its message says why
 */
export function cronGrid(cron: string, tz: string): Grid {
  const expression = new Cron(cron, { timezone: tz, mode: '5-or-6-parts', paused: true });
  return { next: (after) => expression.nextRun(new Date(after))?.getTime() };
}
