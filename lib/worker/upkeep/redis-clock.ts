/**
 * Redis's clock, as far as it is known here: its difference to a clock of ours that nobody sets. A timer that is set by it
 * goes off at the right moment, whatever the time of this machine is.
 */
export class RedisClock {
  private offset = Date.now() - performance.now();
  private isSet = false;

  /** Milliseconds since the epoch. */
  now(): number {
    return performance.now() + this.offset;
  }

  /**
   * Redis has told its time.
   * @param sentAt when it was asked, by `performance.now()`
   */
  told(time: number, sentAt: number): void {
    const way = (performance.now() - sentAt) / 2;
    const offset = time - (sentAt + way);
    // On a slow way the estimate is rough: what agrees with it is kept.
    if (this.isSet && Math.abs(offset - this.offset) <= way) return;
    this.offset = offset;
    this.isSet = true;
  }

  /** It was so many milliseconds before a moment when it answered. */
  wasBefore(moment: number, milliseconds: number, sentAt: number): void {
    const way = (performance.now() - sentAt) / 2;
    this.offset = moment - milliseconds - (sentAt + way);
  }
}
