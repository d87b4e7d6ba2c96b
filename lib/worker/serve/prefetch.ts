/**
 * How far ahead to claim. When jobs are shorter than the way to Redis and back, claiming only into free slots leaves
 * them empty while the next jobs travel; then as many more are claimed as run in that time. Long jobs are never claimed
 * ahead: another worker might start them at once.
 */
export class Prefetch {
  /** Mean, milliseconds. */
  private roundTrip = 1;
  private duration = Infinity;

  /** @param setting `auto`, or a fixed number of jobs (0: never ahead) */
  constructor(
    private readonly setting: 'auto' | number,
    private readonly concurrency: number,
  ) {}

  /** How many jobs may be claimed beyond the free slots. */
  get ahead(): number {
    if (this.setting !== 'auto') return this.setting;
    if (this.duration >= this.roundTrip) return 0;
    const perRoundTrip = (this.concurrency * this.roundTrip) / Math.max(this.duration, 0.05);
    return Math.min(Math.ceil(perRoundTrip), MOST_AHEAD);
  }

  /** An exchange took so many milliseconds. */
  exchanged(milliseconds: number): void {
    this.roundTrip += (milliseconds - this.roundTrip) / 8;
  }

  /** Jobs have run, for so many milliseconds each. */
  ran(milliseconds: number): void {
    // A long job counts at once, short ones win back trust slowly.
    if (milliseconds > this.duration || this.duration === Infinity) this.duration = milliseconds;
    else this.duration += (milliseconds - this.duration) / 8;
  }
}

const MOST_AHEAD = 500;
