import { type Timer, after } from '../../time/timer.js';
import { type ClaimedJob, nameInLane } from '../../wire/index.js';

/**
 * Prefetched jobs: claimed by this worker, and waiting here until a slot is free.
 *
 * 1. A job comes in behind the others. It was prefetched because the jobs before it were short.
 * 2. A slot becomes free: the first job leaves and starts there.
 * 3. A running job may turn out to be long. Those that wait here must not wait for it while another worker is idle: when
 *    the first one has not left for 50 ms, all go back to the head of the queue, in their order.
 * 4. After that nothing is prefetched until a job starts here again (`isStalled`): it would only go back, too.
 *
 * For example one slot and jobs A, B, C: A was expected to take 1 ms and takes a minute. After 50 ms B and C are back
 * in Redis, and another worker runs them.
 */
export class PrefetchedJobs {
  /** The last ones went back because they did not move: no others are to be prefetched until a slot is free. */
  isStalled = false;

  private jobs: ClaimedJob[] = [];
  private timer: Timer | undefined;
  private firstBefore: ClaimedJob | undefined;

  /**
   * @param onStale gets the jobs that do not move, to give them back
   * @param mayGoBack false while more jobs are on their way here: to go back before them would change the order
   */
  constructor(
    private readonly onStale: (jobs: ClaimedJob[]) => void,
    private readonly mayGoBack: () => boolean = () => true,
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

  /** Those that were handed out in one batch with a job that has just left, in their order. */
  shiftBatch(batch: string): ClaimedJob[] {
    const end = this.jobs.findIndex((job) => job.batch !== batch);
    return this.jobs.splice(0, end < 0 ? this.jobs.length : end);
  }

  removeAll(): ClaimedJob[] {
    return this.jobs.splice(0);
  }

  /** Removes one that must not be started, if it is here. */
  remove(matches: (job: ClaimedJob) => boolean): ClaimedJob | undefined {
    const index = this.jobs.findIndex(matches);
    return index < 0 ? undefined : this.jobs.splice(index, 1)[0];
  }

  /** How many of them came from a lane of this handler; a batch counts as one. */
  countOf(name: string): number {
    let count = 0;
    let last: string | undefined;
    for (const { lane, batch } of this.jobs) {
      const isOfLast = batch !== undefined && batch === last;
      last = batch;
      if (!isOfLast && lane !== undefined && nameInLane(lane) === name) count += 1;
    }
    return count;
  }

  /** From now on, and as long as jobs wait here, checks whether they move. */
  watch(): void {
    if (this.jobs.length === 0 || this.timer) return;
    this.firstBefore = this.jobs[0];
    this.timer = after(STALE_AFTER_MS, () => {
      this.timer = undefined;
      const isStale = this.jobs.length > 0 && this.jobs[0] === this.firstBefore;
      if (isStale && this.mayGoBack()) {
        this.isStalled = true;
        this.onStale(this.removeAll());
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

const STALE_AFTER_MS = 50;
