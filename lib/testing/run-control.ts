import { after } from '../time/timer.js';
/**
 * The one switch of the kit: jobs start only while it is open, which is while somebody drains. It also notes what
 * happens meanwhile, in all roots together, so that a drain neither overlooks a job that moves from one queue to
 * another nor has to look all the time.
 */
export class RunControl {
  /** What became of the attempts so far. */
  readonly totals: Record<keyof DrainSummary, number> = { ...NOTHING };
  /** Rises with everything that may leave something to do. */
  changes = 0;
  /** Steps of which the answer is not here yet. */
  underWay = 0;
  private openers = 0;
  private readonly listeners = new Set<() => void>();

  get isOpen(): boolean {
    return this.openers > 0;
  }

  open(): void {
    this.openers += 1;
  }

  close(): void {
    this.openers -= 1;
  }

  /** Something changed: those who wait for it look again. */
  changed(): void {
    this.changes += 1;
    for (const listener of this.listeners) listener();
  }

  /** Keeps count of a step until it has ended. */
  async during<Reply>(step: Promise<Reply>): Promise<Reply> {
    this.underWay += 1;
    try {
      return await step;
    } finally {
      this.underWay -= 1;
    }
  }

  /** Resolves at the next change, after so many milliseconds at the latest. */
  async nextChange(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const finish = () => {
        timer.cancel();
        this.listeners.delete(finish);
        resolve();
      };
      const timer = after(milliseconds, finish);
      this.listeners.add(finish);
    });
  }
}

/** What became of the attempts that ended during a drain: a job that was retried twice counts in three of them. */
export interface DrainSummary {
  /** Jobs that succeeded. */
  readonly finished: number;
  /** Jobs that failed for good. */
  readonly failed: number;
  /** Attempts that failed and are, or were, tried again. */
  readonly retrying: number;
  /** Times that a handler said "not now" (`SnoozeJob`). */
  readonly snoozed: number;
  /** Jobs that were canceled or stopped while they ran. */
  readonly canceled: number;
}

export const NOTHING: DrainSummary = {
  finished: 0,
  failed: 0,
  retrying: 0,
  snoozed: 0,
  canceled: 0,
};

/** What came to `now` beyond `before`. */
export function difference(now: DrainSummary, before: DrainSummary): DrainSummary {
  return {
    finished: now.finished - before.finished,
    failed: now.failed - before.failed,
    retrying: now.retrying - before.retrying,
    snoozed: now.snoozed - before.snoozed,
    canceled: now.canceled - before.canceled,
  };
}
