import type { WorkerRecord, WorkerStore } from '../../store/index.js';
import { type Timer, every } from '../../time/timer.js';
import type { JobReporter } from '../report/job-reporter.js';
import { workerNotListed } from '../report/troubles.js';

/**
 * Keeps this worker listed where RQ's tools look (`rq info`, dashboards). They show that it lives, whether it is busy,
 * and what it has done. It shows itself every 10 seconds, and within a second when it becomes busy or idle. Jobs do not
 * depend on it.
 */
export class Heartbeat {
  private readonly worker: Omit<WorkerRecord, 'state'>;
  private timer: Timer | undefined;
  private state: WorkerRecord['state'] = 'started';
  private writtenAt = 0;

  /** @param currentState what the worker does now */
  constructor(
    private readonly store: WorkerStore,
    worker: Pick<WorkerRecord, 'name' | 'queues' | 'version'>,
    private readonly currentState: () => WorkerRecord['state'],
    private readonly reporter: JobReporter,
  ) {
    this.worker = { ...worker, ttl: LISTED };
  }

  async start(): Promise<void> {
    this.state = 'idle';
    this.writtenAt = performance.now();
    await this.store.workers.register({ ...this.worker, state: this.state });
    this.timer = every(CHECK, () => void this.beat());
  }

  async stop(): Promise<void> {
    if (this.timer === undefined) return;
    this.timer.cancel();
    await this.write();
    await this.store.workers.deregister({ ...this.worker, state: this.state });
  }

  private async beat(): Promise<void> {
    const state = this.currentState();
    if (state === this.state && performance.now() - this.writtenAt < HEARTBEAT - CHECK / 2) return;
    this.state = state;
    try {
      await this.write();
    } catch (error) {
      this.reporter.problem(workerNotListed, error);
    }
  }

  private async write(): Promise<void> {
    this.writtenAt = performance.now();
    await this.store.workers.heartbeat(
      { ...this.worker, state: this.state },
      this.reporter.takeCounts(),
    );
  }
}

/** Milliseconds between two signs of life. */
const HEARTBEAT = 10_000;
/** Seconds, six heartbeats: a worker that was killed is listed no longer than that. */
const LISTED = 60;
/** Milliseconds between two looks at what the worker does: a change of it is shown as soon as that. */
const CHECK = 1000;
