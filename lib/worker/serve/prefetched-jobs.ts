import { type Timer, after } from '../../time/timer.js';
import type { ClaimedJob } from '../../wire/index.js';

/**
 * Jobs that are claimed and wait for a slot here. They were claimed ahead because jobs are short; when one turns out to
 * be long, those behind it must not wait for it while another worker is idle: what has not moved for a while goes back.
 */
export class PrefetchedJobs {
  /** They did not move and went back: until a slot is free no others are to be taken, they would only go back again. */
  isStalled = false;

  private jobs: ClaimedJob[] = [];
  private timer: Timer | undefined;
  private firstBefore: ClaimedJob | undefined;

  /**
   * @param onStale gets the jobs that do not move
   * @param mayReturn false while more are on their way here: going back before them would change their order
   */
  constructor(
    private readonly onStale: (jobs: ClaimedJob[]) => void,
    private readonly mayReturn: () => boolean = () => true,
  ) {}

  get length(): number {
    return this.jobs.length;
  }

  push(job: ClaimedJob): void {
    this.jobs.push(job);
  }

  /** The next one, for a slot that is free. */
  shift(): ClaimedJob | undefined {
    this.isStalled = false;
    return this.jobs.shift();
  }

  takeAll(): ClaimedJob[] {
    return this.jobs.splice(0);
  }

  /** Takes one out that must not be started, if it is here. */
  remove(matches: (job: ClaimedJob) => boolean): ClaimedJob | undefined {
    const index = this.jobs.findIndex(matches);
    return index < 0 ? undefined : this.jobs.splice(index, 1)[0];
  }

  /** Looks from now on, as long as there are jobs, whether they move. */
  watch(): void {
    if (this.jobs.length === 0 || this.timer) return;
    this.firstBefore = this.jobs[0];
    this.timer = after(STALE_AFTER, () => {
      this.timer = undefined;
      const isStale = this.jobs.length > 0 && this.jobs[0] === this.firstBefore;
      if (isStale && this.mayReturn()) {
        this.isStalled = true;
        this.onStale(this.takeAll());
      }
      this.watch();
    });
  }

  close(): void {
    this.timer?.cancel();
  }

  [Symbol.iterator](): Iterator<ClaimedJob> {
    return this.jobs[Symbol.iterator]();
  }
}

/** Milliseconds. */
const STALE_AFTER = 50;
