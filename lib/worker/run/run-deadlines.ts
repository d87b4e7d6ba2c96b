import type { Execution } from './execution.js';
import { type Timer, after } from '../../time/timer.js';

/**
 * Ends the runs whose timeout is over. One timer serves all of them, set for the earliest: a timer for each run would
 * cost as much as a short run itself, and hardly one of them ever goes off.
 */
export class RunDeadlines {
  private timer: Timer | undefined;
  private wakesAt = Infinity;

  constructor(
    private readonly running: {
      values(): Iterable<Pick<Execution, 'expiresAt' | 'expire'>>;
    },
  ) {}

  /** A run has started. */
  watch({ expiresAt }: Pick<Execution, 'expiresAt'>): void {
    if (expiresAt < this.wakesAt) this.wakeAt(expiresAt);
  }

  /** No run is left, and none will start. */
  close(): void {
    this.timer?.cancel();
  }

  private wakeAt(time: number): void {
    this.timer?.cancel();
    this.wakesAt = time;
    const milliseconds = Math.ceil(time - performance.now());
    // It outlasts the runs that it was set for: it must not keep a process that is done.
    this.timer = after(milliseconds, () => this.expireRuns()).unref();
  }

  private expireRuns(): void {
    const now = performance.now();
    this.wakesAt = Infinity;
    const expired = [];
    for (const run of this.running.values()) {
      if (run.expiresAt <= now) expired.push(run);
      else this.watch(run);
    }
    // Each may go to the head of its queue: the last one first, so that their order stays.
    for (const run of expired.reverse()) run.expire();
  }
}
