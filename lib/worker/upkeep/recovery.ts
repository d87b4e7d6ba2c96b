import type { WorkerStore } from '../../store/index.js';
import { type Timer, after } from '../../time/timer.js';
import type { JobReporter } from '../report/job-reporter.js';
import { queueNotRecovered } from '../report/troubles.js';

/**
 * Finds the jobs of crashed workers, of whatever process, and has them run again.
 *
 * 1. A worker dies. Nobody renews the leases of its jobs any more.
 * 2. Each worker that serves the queue looks for leases that have ended: when it starts, right after the end of the
 *    earliest lease that it knows of, and every half of a lease in any case.
 * 3. Before it looks, it renews the leases that it holds itself, unless it did so within half a lease. After an outage of
 *    Redis no lease counts as ended for a while, so that the other workers can renew theirs, too (include/alive.lua).
 * 4. The script `recover` puts each such job back to the head of its queue, or fails it at the last allowed crash.
 * 5. The same look asks when the next scheduled job is due, since Python tells no worker when it schedules a job.
 *
 * For example a lease of 15 seconds, and a worker that is killed 4 seconds after it was renewed: the other workers
 * know when that lease ends, and one of them runs the job 11 seconds later.
 */
export class Recovery {
  private timers = new Map<string, Timer>();
  private isStopped = false;

  constructor(
    private readonly store: WorkerStore,
    private readonly queues: readonly string[],
    private readonly settings: RecoverySettings,
    private readonly reporter: JobReporter,
  ) {}

  start(): void {
    for (const queue of this.queues) void this.sweep(queue);
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers.values()) timer.cancel();
  }

  private async sweep(queue: string): Promise<void> {
    const { leaseMs, maxCrashes } = this.settings;
    const regular = leaseMs / 2;
    let next = regular;
    const { problem, solved } = queueNotRecovered(queue);
    try {
      await this.settings.before(queue);
      const { handled, nextLook, nextDue } = await this.store.recover(queue, {
        maxCrashes,
        leaseMs,
      });
      for (const { id, outcome, event } of handled) {
        this.reporter.tell('jobRecovered', { queue, jobId: id, outcome });
        if (event) this.reporter.event(event);
      }
      if (nextDue !== undefined) this.settings.onDue(queue, nextDue);
      this.reporter.problemSolved(problem, solved);
      // A lease that is renewed in time is longer than that when it ends; a few milliseconds later it has surely ended.
      if (nextLook !== undefined) next = Math.min(regular, Math.max(nextLook + 5, SHORTEST_PAUSE));
    } catch (error) {
      this.reporter.problem(problem, error);
      next = Math.min(regular, AFTER_TROUBLE);
    }
    if (this.isStopped) return;
    this.timers.set(
      queue,
      after(next, () => void this.sweep(queue)),
    );
  }
}

export interface RecoverySettings {
  readonly leaseMs: number;
  /** Crashes that make a job poison. */
  readonly maxCrashes: number;
  /** Awaited before each look at a queue: what this worker holds must not be taken for lost. */
  before(queue: string): Promise<void>;
  /** Told in how many milliseconds a scheduled job is due: Python's are not announced otherwise. */
  onDue(queue: string, milliseconds: number): void;
}

// Milliseconds.
const SHORTEST_PAUSE = 50;
const AFTER_TROUBLE = 1000;
