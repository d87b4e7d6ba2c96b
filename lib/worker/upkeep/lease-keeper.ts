import type { LeaseGuard } from '../../redis/index.js';
import type { WorkerStore } from '../../store/index.js';
import { type Timer, after, every } from '../../time/timer.js';
import type { JobReporter } from '../report/job-reporter.js';
import { leasesNotRenewed } from '../report/troubles.js';
import type { JobRunner } from '../run/job-runner.js';
import type { QueueConsumer } from '../serve/queue-consumer.js';

/**
 * Keeps the leases of everything this worker holds. It renews them every third of their length. It ends runs that
 * Redis reports as lost or to be stopped. While a handler blocks the event loop, the guard's thread renews instead.
 */
export class LeaseKeeper {
  private timer: Timer | undefined;
  private again: Timer | undefined;
  private renewing: Promise<void> | undefined;
  private isStopped = false;
  /** When the leases of each queue were renewed last, by the clock of `performance.now()`. */
  private readonly renewedAt = new Map<string, number>();

  constructor(
    private readonly store: WorkerStore,
    private readonly served: readonly ServedQueue[],
    private readonly leaseMs: number,
    private readonly guard: LeaseGuard,
    private readonly reporter: JobReporter,
  ) {}

  start(): void {
    this.guard.start(this.reporter);
    this.timer = every(this.leaseMs / 3, () => {
      this.guard.beat();
      void this.renew();
    });
  }

  stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    this.again?.cancel();
    return this.guard.stop();
  }

  /** Renews all leases now: Redis is back after a failure. Never rejects. */
  renew(): Promise<void> {
    this.renewing ??= this.renewAll().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** Resolves when the leases on this queue were renewed not long ago: before anything is swept there. Never rejects. */
  async renewedLately(queue: string): Promise<void> {
    const last = this.renewedAt.get(queue) ?? -Infinity;
    if (performance.now() - last > this.leaseMs / 2) await this.renew();
  }

  private async renewAll(): Promise<void> {
    this.again?.cancel();
    const renewed = await Promise.all(this.served.map((queue) => this.renewQueue(queue)));
    // One that was under way at the stop must not begin another: the process would never end.
    if (this.isStopped || !renewed.includes(false)) return;
    // Not as late as the next round: leases go on ending while Redis is away.
    this.again = after(this.leaseMs / 15, () => void this.renew());
  }

  /** Whether it was possible. */
  private async renewQueue({ consumer, runner }: ServedQueue): Promise<boolean> {
    const leases = consumer.leases();
    if (leases.length === 0) return true;
    const begun = performance.now();
    const { problem, solved } = leasesNotRenewed(consumer.queue);
    try {
      for (const { index, status } of await this.store.renew(
        consumer.queue,
        this.leaseMs,
        leases,
      )) {
        const held = leases[index];
        if (!held) continue;
        if (status === 'stop') runner.stop(held.id);
        else runner.lost(held.execution, status);
      }
      this.reporter.problemSolved(problem, solved);
      this.renewedAt.set(consumer.queue, begun);
      return true;
    } catch (error) {
      this.reporter.problem(problem, error, consumer.queue);
      return false;
    }
  }
}

/** A queue with the two that serve it. */
export interface ServedQueue {
  readonly consumer: QueueConsumer;
  readonly runner: JobRunner;
}
