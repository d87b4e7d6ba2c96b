/**
 * Which names of jobs without a handler are worth a line in the log. Each is told once, then once in ten minutes.
 * Anybody may enqueue under any name: beyond a hundred names no further one is told.
 */
export class UnknownNames {
  private readonly told = new Map<string, number>();

  /** @param now milliseconds of a clock that is never set */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether to tell it now; it counts as told then. */
  isDue(queue: string, name: string): boolean {
    const now = this.now();
    const key = JSON.stringify([queue, name]);
    const last = this.told.get(key);
    if (last !== undefined && now - last < INTERVAL) return false;
    if (last === undefined && this.told.size >= MOST_NAMES) {
      for (const [other, time] of this.told) if (now - time >= INTERVAL) this.told.delete(other);
      if (this.told.size >= MOST_NAMES) return false;
    }
    this.told.set(key, now);
    return true;
  }
}

/** Milliseconds. */
const INTERVAL = 600_000;
const MOST_NAMES = 100;
