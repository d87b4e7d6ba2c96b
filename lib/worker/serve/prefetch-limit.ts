/**
 * How many jobs may be claimed beyond the free slots.
 *
 * When jobs are shorter than the way to Redis and back, a slot stands empty while its next job travels. So as many more
 * jobs are prefetched as run in that time. Long jobs are never prefetched: another worker might start them at once.
 *
 * For example 10 slots, jobs of 1 ms and a round trip of 2 ms: 20 jobs. The same with jobs of 3 ms: none.
 */
export class PrefetchLimit {
  private meanRoundTripMs = 1;
  private meanDurationMs = Infinity;

  /**
   * @param setting `auto`, or a fixed number of jobs (0: none)
   * @param concurrency how many slots there are; it may change
   */
  constructor(
    private readonly setting: 'auto' | number,
    public concurrency: number,
  ) {}

  /** How many jobs may be prefetched now. */
  get limit(): number {
    if (this.setting !== 'auto') return this.setting;
    if (this.meanDurationMs >= this.meanRoundTripMs) return 0;
    const perRoundTrip =
      (this.concurrency * this.meanRoundTripMs) / Math.max(this.meanDurationMs, 0.05);
    return Math.min(Math.ceil(perRoundTrip), MOST_PREFETCHED);
  }

  /** An exchange took so many milliseconds. */
  exchanged(milliseconds: number): void {
    this.meanRoundTripMs += (milliseconds - this.meanRoundTripMs) / 8;
  }

  /** A job ran for so many milliseconds. */
  ran(milliseconds: number): void {
    // A long job counts at once, short ones win back trust slowly.
    const isLonger = milliseconds > this.meanDurationMs || this.meanDurationMs === Infinity;
    if (isLonger) this.meanDurationMs = milliseconds;
    else this.meanDurationMs += (milliseconds - this.meanDurationMs) / 8;
  }
}

const MOST_PREFETCHED = 500;
