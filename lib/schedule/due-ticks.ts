import type { Grid } from './grid.js';

/** What becomes of ticks at whose time nobody was there to fire them. */
export type MissedRule = 'once' | 'skip' | 'all';

/** One step of a schedule, from the moment for which it is due to the one for which it is due then. */
export interface DueTick {
  /** The moment that is stored: only while it is, the step is made. */
  readonly due: number;
  /** The moment that the job is for; undefined: there is no job, the ticks up to `next` were missed. */
  readonly at: number | undefined;
  readonly next: number;
  /** Ticks between `due` and `next` that get no job. */
  readonly missed: number;
}

/**
 * The steps to make for a schedule that is due. Mostly it is one tick. When nobody was there for a while, `missed` says
 * what becomes of the ticks since:
 *
 * - `once`: one job, for the latest of them.
 * - `skip`: the same, unless the latest is more than a minute late.
 * - `all`: a job for each, at most 1000; what is beyond that is missed.
 *
 * @param due the moment that is stored, in milliseconds since the epoch, as all others
 * @param now Redis's clock; `due` is not after it
 */
export function dueTicks(grid: Grid, due: number, now: number, rule: MissedRule): DueTick[] {
  const passed = passedTicks(grid, due, now, rule === 'all' ? MOST_TICKS : MOST_COUNTED);
  const { next } = passed;
  if (rule === 'all') {
    return passed.ticks.map((at, index) => {
      const following = passed.ticks[index + 1];
      return {
        due: at,
        at,
        next: following ?? next,
        missed: following === undefined ? passed.more : 0,
      };
    });
  }
  const { latest } = passed;
  const others = passed.ticks.length + passed.more - 1;
  if (rule === 'skip' && now - latest > LATEST_MS) {
    return [{ due, at: undefined, next, missed: others + 1 }];
  }
  return [{ due, at: latest, next, missed: others }];
}

/** The moments of a grid that have come since `due`, itself included. */
function passedTicks(grid: Grid, due: number, now: number, most: number): PassedTicks {
  const ticks = [due];
  let latest = due;
  let next = grid.next(due) ?? Infinity;
  while (next <= now && ticks.length < most) {
    ticks.push(next);
    latest = next;
    next = grid.next(next) ?? Infinity;
  }
  if (next > now) return { ticks, more: 0, latest, next };
  // More than are counted: the latest is looked for from now on backwards.
  for (let back = 60_000; ; back *= 2) {
    let found = grid.next(Math.max(latest, now - back)) ?? Infinity;
    if (found > now) continue;
    let more = 0;
    for (; found <= now; found = grid.next(found) ?? Infinity) {
      latest = found;
      more += 1;
    }
    return { ticks, more, latest, next: found };
  }
}

interface PassedTicks {
  /** The first of them, in order. */
  readonly ticks: readonly number[];
  /** At least so many come after those. */
  readonly more: number;
  readonly latest: number;
  /** The first that has not come yet. */
  readonly next: number;
}

const MOST_TICKS = 1000;
/** Of those that get no job: to go through more of a grid takes too long. */
const MOST_COUNTED = 100;
/** Milliseconds by which a tick may be late under `skip`. */
const LATEST_MS = 60_000;
