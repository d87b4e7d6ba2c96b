import { type Timer, after } from './timer.js';

/**
 * How long an answer may take, counted in time in which we could have heard it. While a handler computes, our own event
 * loop stands still: an answer may lie there unread, and its sender is not to blame. That time does not count, nor does
 * time in which the answer is seen to be on its way. One timer serves all that is waited for.
 */
export class Patience {
  /** Milliseconds that have counted so far. */
  private counted = 0;
  private lookedAt = 0;
  private timer: Timer | undefined;
  private readonly waits = new Set<Wait>();
  private readonly step: number;

  /**
   * @param limit milliseconds
   * @param isMoving asked at each look whether something arrives or leaves
   */
  constructor(
    private readonly limit: number,
    private readonly isMoving: () => boolean = () => false,
  ) {
    this.step = Math.max(1, limit / 20);
  }

  /**
   * Waits for an answer, until `end` is called with what this returns.
   * @param onLate called once, when the limit is over
   * @param onLost called once, when it is over for the second time
   */
  wait(onLate: () => void, onLost?: () => void): Wait {
    let since = this.counted;
    if (this.timer) {
      since += Math.min(this.step, performance.now() - this.lookedAt);
    } else {
      this.isMoving();
      this.plan();
    }
    const wait = { since, onLate, onLost, isLate: false };
    this.waits.add(wait);
    return wait;
  }

  /** The answer has come, or nobody waits for it any more. */
  end(wait: Wait): void {
    this.waits.delete(wait);
  }

  private plan(): void {
    this.lookedAt = performance.now();
    this.timer = after(this.step, () => this.look()).unref();
  }

  private look(): void {
    this.timer = undefined;
    if (this.waits.size === 0) return;
    const passed = performance.now() - this.lookedAt;
    if (!this.isMoving()) this.counted += this.heard(passed);
    this.plan();
    for (const wait of this.waits) {
      const age = this.counted - wait.since;
      if (age < this.limit) continue;
      if (!wait.isLate) {
        wait.isLate = true;
        wait.onLate();
      }
      if (wait.onLost && age < 2 * this.limit) continue;
      this.waits.delete(wait);
      wait.onLost?.();
    }
  }

  /** How much of the time since the last look we could hear something: a look that comes late tells. */
  private heard(passed: number): number {
    const late = passed - this.step;
    if (late <= Math.max(5, this.step / 4)) return passed;
    // A loop that is always late must still see an end.
    return Math.max(this.step / 4, this.step - late);
  }
}

/** Calls back once, when so many milliseconds have passed in which our event loop turned. Returns the way to cancel. */
export function afterAwake(milliseconds: number, callback: () => void): () => void {
  const patience = new Patience(milliseconds);
  const wait = patience.wait(callback);
  return () => patience.end(wait);
}

/** Something that is waited for. */
export interface Wait {
  readonly since: number;
  readonly onLate: () => void;
  readonly onLost: (() => void) | undefined;
  isLate: boolean;
}
