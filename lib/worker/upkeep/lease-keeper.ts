import type { LeaseGuard } from '../../redis/index.js';
import type { WorkerStore } from '../../store/index.js';
import { type Timer, every } from '../../time/timer.js';
import type { JobReporter } from '../report/job-reporter.js';
import type { JobRunner } from '../run/job-runner.js';
import type { QueueConsumer } from '../serve/queue-consumer.js';

/**
 * Keeps the leases of everything this worker holds: renews them every third of their length, and ends the runs of
 * which Redis says that they are not ours any more or shall stop. While a handler blocks the event loop, the guard's
 * thread renews in its place.
 */
export class LeaseKeeper {
  private timer: Timer | undefined;
  private isRenewing = false;

  /** @param lease milliseconds */
  constructor(
    private readonly store: WorkerStore,
    private readonly served: readonly ServedQueue[],
    private readonly lease: number,
    private readonly guard: LeaseGuard,
    private readonly reporter: JobReporter,
  ) {}

  start(): void {
    const { problem } = this.guard;
    if (problem !== undefined) this.reporter.problem(problem);
    this.guard.start();
    this.timer = every(this.lease / 3, () => {
      this.guard.beat(Math.max(0, ...this.served.map(({ runner }) => runner.latestDeadline)));
      void this.renew();
    });
  }

  stop(): Promise<void> {
    this.timer?.cancel();
    return this.guard.stop();
  }

  private async renew(): Promise<void> {
    if (this.isRenewing) return;
    this.isRenewing = true;
    await Promise.all(this.served.map((queue) => this.renewQueue(queue)));
    this.isRenewing = false;
  }

  private async renewQueue({ consumer, runner }: ServedQueue): Promise<void> {
    const leases = consumer.leases();
    if (leases.length === 0) return;
    const trouble = `leases on queue "${consumer.queue}" cannot be renewed`;
    try {
      for (const { index, status } of await this.store.renew(consumer.queue, this.lease, leases)) {
        const held = leases[index];
        if (!held) continue;
        if (status === 'stop') runner.stop(held.id);
        else runner.lost(held.execution, status);
      }
      this.reporter.problemSolved(trouble, `leases on queue "${consumer.queue}" are renewed again`);
    } catch (error) {
      this.reporter.problem(trouble, error);
    }
  }
}

/** A queue with the two that serve it. */
export interface ServedQueue {
  readonly consumer: QueueConsumer;
  readonly runner: JobRunner;
}
