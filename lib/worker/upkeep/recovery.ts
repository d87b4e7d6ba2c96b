import { type JobEvent, poisonFailure } from '../../job/index.js';
import { type WorkerStore, storeFor } from '../../store/index.js';
import { type Timer, after } from '../../time/timer.js';
import type { JobReporter } from '../report/job-reporter.js';
import { queueNotRecovered } from '../report/troubles.js';

/**
 * Finds jobs whose worker has crashed, in whatever process, and has them run again.
 *
 * 1. A job runs. Its worker holds a lease on it, which ends after some seconds, and renews the lease before it ends.
 * 2. The worker dies. Nobody renews the lease any more, and it ends.
 * 3. Another worker of the same queue looks for leases that have ended. It does so when it starts, every half of a
 *    lease, and right after the end of the earliest lease that it has seen.
 * 4. It finds the job, and puts it back to the head of the queue; a retry is spent, if the job has any. At the crash
 *    number `maxCrashes` in a row, the job fails instead. The script recover.lua does both.
 * 5. A look fails, since Redis is away. It is made again after a second, or half a lease if that is less. What has become
 *    known by then of jobs that failed is told then.
 *
 * A worker that lives must not be taken for dead. So each worker tries to renew its own leases before it looks. And
 * after an outage of Redis no lease counts as ended for a while, until all have renewed theirs (include/alive.lua).
 *
 * By the way the consumer learns when the next scheduled job is due: Python's programs do not tell workers.
 *
 * For example a lease of 15 seconds, and a worker that is killed 4 seconds after it renewed it: the other workers know
 * when the lease ends, and 11 seconds later one of them puts the job back.
 */
export class Recovery {
  private timers = new Map<string, Timer>();
  private isStopped = false;
  /** Jobs that failed since their workers died, of which nobody has been told yet. */
  private readonly untold = new Map<string, JobEvent[]>();

  /** How many jobs of dead workers it has put right. */
  recovered = 0;

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
        this.recovered += 1;
        const name = event?.name ?? '';
        this.reporter.tell('jobRecovered', { queue, name, jobId: id, outcome });
        if (event) this.reporter.event(event);
      }
      if (nextDue !== undefined) this.settings.onDue(queue, nextDue);
      const poisoned = handled.flatMap(({ outcome, event }) =>
        outcome === 'failed' && event ? [event] : [],
      );
      await this.tellAllPoisoned(queue, poisoned);
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

  /** Those that cannot be read now are told at a later look: the script names each of them once. */
  private async tellAllPoisoned(queue: string, poisoned: readonly JobEvent[]): Promise<void> {
    const untold = [...(this.untold.get(queue) ?? []), ...poisoned];
    if (untold.length === 0) return;
    this.untold.set(queue, untold);
    while (untold[0]) {
      await this.tellPoisoned(untold[0]);
      untold.shift();
    }
    this.untold.delete(queue);
  }

  /** It may have callbacks, or other things that its end is to be told to. */
  private async tellPoisoned(lost: JobEvent): Promise<void> {
    const record = await storeFor(this.store, lost.queue).read(lost.jobId);
    let { name } = lost;
    try {
      if (record) ({ name } = record.call(this.store.maxPayloadBytes));
    } catch {
      // What it calls cannot be read.
    }
    const { queue, jobId, attempt, at } = lost;
    const error = poisonFailure(this.settings.maxCrashes);
    this.reporter.poisoned({ type: 'failed', queue, jobId, name, attempt, at, error }, record);
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
