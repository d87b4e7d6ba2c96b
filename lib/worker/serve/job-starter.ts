import type { ClaimedJob } from '../../wire/index.js';
import type { JobRunner } from '../run/job-runner.js';
import type { ClaimBudget } from './claim-budget.js';
import type { ConsumerMode } from './consumer-mode.js';
import type { OutcomeQueue } from './outcome-queue.js';
import { PrefetchedJobs } from './prefetched-jobs.js';

/**
 * Puts claimed jobs into slots, in the order of the queue.
 *
 * 1. Jobs come in, and slots: those that were reserved for them, and those in which a job has ended.
 * 2. The first job starts in the first slot. A job that cannot run, or belongs behind a gate, leaves the slot to the
 *    next one.
 * 3. Jobs that were handed out as a batch start together, in one slot.
 * 4. Jobs that are left wait as prefetched jobs. Slots that are left are given back, for other queues to use.
 * 5. A slot that is too many, since the concurrency was lowered, is given back as soon as its job has ended.
 * 6. When the worker stops or is paused, nothing starts any more: every slot is given back, and so is every job that has not
 *    started, once no more can come in.
 */
export class JobStarter {
  readonly prefetched: PrefetchedJobs;
  /** Slots that are ours and in which nothing runs. */
  private freeSlots = 0;
  private isStarting = false;

  constructor(
    private readonly runner: Pick<JobRunner, 'start' | 'startBatch'>,
    private readonly outcomes: Pick<OutcomeQueue, 'giveBack'>,
    private readonly mode: Pick<ConsumerMode, 'acceptsJobs'>,
    private readonly budget: Pick<ClaimBudget, 'awaitsJobs'>,
    private readonly slots: StarterSlots,
  ) {
    this.prefetched = new PrefetchedJobs(
      (jobs) => outcomes.giveBack(jobs),
      () => !budget.awaitsJobs,
    );
  }

  /** A claim has brought jobs. @param reserved the slots that were reserved for it */
  receive(jobs: readonly ClaimedJob[], reserved: number): void {
    this.freeSlots += reserved;
    for (const job of jobs) this.prefetched.push(job);
    this.giveBackUnstarted();
    this.startInFreeSlots();
    this.prefetched.watch();
  }

  /** A job has ended: its slot is for the next one. */
  slotFreed(): void {
    this.freeSlots += 1;
    this.startInFreeSlots();
  }

  /** When the worker stops or is paused, and no more jobs can come in: gives back what has not started, in its order. */
  giveBackUnstarted(): void {
    if (this.mode.acceptsJobs || this.budget.awaitsJobs) return;
    this.outcomes.giveBack(this.prefetched.removeAll());
  }

  /** Whether the slot is taken. */
  private start(job: ClaimedJob): boolean {
    const { batch } = job;
    if (batch === undefined) return this.runner.start(job);
    return this.runner.startBatch([job, ...this.prefetched.shiftBatch(batch)]);
  }

  private startInFreeSlots(): void {
    // A handler that ends at once comes back here while the loop is still running.
    if (this.isStarting) return;
    this.isStarting = true;
    const tooMany = Math.min(this.freeSlots, -this.slots.free());
    if (tooMany > 0) {
      this.freeSlots -= tooMany;
      this.slots.release(tooMany);
    }
    while (this.freeSlots > 0) {
      const next = this.mode.acceptsJobs ? this.prefetched.shift() : undefined;
      if (!next) break;
      if (this.start(next)) this.freeSlots -= 1;
    }
    this.isStarting = false;
    const count = this.freeSlots;
    this.freeSlots = 0;
    if (count > 0) this.slots.release(count);
  }
}

/** The slots of one queue. */
export interface StarterSlots {
  /** How many it could have beside those that it has; below zero: so many it has to give back. */
  free(): number;
  release(count: number): void;
}
