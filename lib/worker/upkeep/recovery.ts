import { type Durability, type JobEvent, poisonFailure } from '../../job/index.js';
import { ReplicatedEnds } from '../../queue/index.js';
import { type RecoverReply, type WorkerStore, storeFor } from '../../store/index.js';
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
 * 5. A job that has failed is told of, once it can be read, and once replicas have its end where they are to. Until then it
 *    is tried again at each look, and looks are made each second.
 * 6. A look fails, since Redis is away. It is made again after a second, or half a lease if that is less.
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
  /** Of queues whose ends replicas are to have before they are told. */
  private readonly ends = new Map<string, ReplicatedEnds>();
  /** Jobs that failed since their workers died, of which nobody has been told yet. */
  private readonly untold = new Map<string, UntoldEnd[]>();

  /** How many jobs of dead workers it has put right. */
  recovered = 0;

  constructor(
    private readonly store: WorkerStore,
    private readonly queues: readonly string[],
    private readonly settings: RecoverySettings,
    private readonly reporter: JobReporter,
  ) {
    for (const queue of queues) {
      const durability = settings.durability?.(queue);
      if (durability) this.ends.set(queue, new ReplicatedEnds(store, durability));
    }
  }

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
      this.recovered += handled.length;
      for (const one of handled) {
        if (one.outcome === 'failed') this.noteFailed(queue, one);
        else this.tellRecovered(queue, one);
      }
      if (nextDue !== undefined) this.settings.onDue(queue, nextDue);
      await this.tellFailed(queue);
      this.reporter.problemSolved(problem, solved);
      // A lease that is renewed in time is longer than that when it ends; a few milliseconds later it has surely ended.
      if (nextLook !== undefined) next = Math.min(regular, Math.max(nextLook + 5, SHORTEST_PAUSE));
      if (this.untold.has(queue)) next = Math.min(next, AFTER_TROUBLE);
    } catch (error) {
      this.reporter.problem(problem, error, queue);
      next = Math.min(regular, AFTER_TROUBLE);
    }
    if (this.isStopped) return;
    this.timers.set(
      queue,
      after(next, () => void this.sweep(queue)),
    );
  }

  private tellRecovered(queue: string, { id, outcome, event }: Handled): void {
    const name = event?.name ?? '';
    this.reporter.tell('jobRecovered', { queue, name, jobId: id, outcome });
    if (event) this.reporter.event(event);
  }

  /** Nothing keeps one from being told of but replicas. */
  private noteFailed(queue: string, one: Handled): void {
    const isSure = !this.ends.has(queue);
    if (isSure) this.tellRecovered(queue, one);
    const untold = this.untold.get(queue) ?? [];
    this.untold.set(queue, untold);
    untold.push({ ...one, since: performance.now(), isSure });
  }

  /** Those that cannot be told of now are at a later look: the script names each of them once. */
  private async tellFailed(queue: string): Promise<void> {
    const untold = this.untold.get(queue);
    if (!untold) return;
    // Replicas may take their time: they are asked for all at once.
    const asked = await Promise.allSettled(untold.map((one) => this.askReplicas(queue, one)));
    for (const one of untold.filter(({ isSure }) => isSure)) {
      if (one.event && !one.isOther) await this.tellPoisoned(one.event);
      untold.splice(untold.indexOf(one), 1);
    }
    if (untold.length === 0) this.untold.delete(queue);
    const refused = asked.find(({ status }) => status === 'rejected');
    if (refused) throw (refused as PromiseRejectedResult).reason;
  }

  /** An end like every other: nothing is told of one that a new primary does not know. */
  private async askReplicas(queue: string, one: UntoldEnd): Promise<void> {
    if (one.isSure) return;
    const seen = await this.ends.get(queue)?.look(queue, one.id, performance.now(), one.since);
    if (seen === 'late') return;
    one.isSure = true;
    one.isOther = typeof seen === 'object' && seen.status !== 'failed';
    if (!one.isOther) this.tellRecovered(queue, one);
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
  /** What replicas must have of a queue before it is told; undefined: Redis's answer is enough. */
  readonly durability?: (queue: string) => Durability | undefined;
  /** Awaited before each look at a queue: what this worker holds must not be taken for lost. */
  before(queue: string): Promise<void>;
  /** Told in how many milliseconds a scheduled job is due: Python's are not announced otherwise. */
  onDue(queue: string, milliseconds: number): void;
}

type Handled = RecoverReply['handled'][number];

/** A job that has failed since its workers died. */
interface UntoldEnd extends Handled {
  /** When it was recovered, by `performance.now()`. */
  readonly since: number;
  /** Replicas have its end, or nobody asks them. */
  isSure: boolean;
  /** They have another one. */
  isOther?: boolean;
}

// Milliseconds.
const SHORTEST_PAUSE = 50;
const AFTER_TROUBLE = 1000;
