import type { Scheduler } from '../worker/index.js';
import type { ControlledStore } from './controlled-store.js';
import { describeJobs } from './enqueued-jobs.js';
import { DrainTimeoutError } from './errors.js';
import { type DrainSummary, type RunControl, difference } from './run-control.js';
import { type WorkLeft, workLeftIn } from './work-left.js';

/**
 * Runs what is due, in all roots of an application, until nothing is left. What those jobs enqueue is run, too, on
 * whatever queue. The control is open for exactly that long.
 */
export class Drain {
  constructor(
    private readonly control: RunControl,
    private readonly stores: ReadonlyMap<string, ControlledStore>,
    private readonly schedulers: ReadonlyMap<string, Scheduler>,
  ) {}

  /**
   * @param timeout milliseconds
   * @throws DrainTimeoutError when something still runs or waits then; what runs goes on, nothing more is started
   */
  async run(timeout: number): Promise<DrainSummary> {
    const deadline = performance.now() + timeout;
    const before = { ...this.control.totals };
    this.control.open();
    try {
      for (let pause = SHORTEST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
        const change = this.control.nextChange(pause);
        if ((await this.isAtRest()) && !(await this.hasFired())) break;
        if (performance.now() > deadline) throw await this.tooLate(timeout);
        await change;
      }
    } finally {
      this.control.close();
    }
    return difference(this.control.totals, before);
  }

  /** What there is to do in every root. */
  async workLeft(): Promise<WorkLeft[]> {
    return Promise.all(
      [...this.stores].map(async ([root, store]) => {
        const work = await workLeftIn(store);
        const tick = this.schedulers.get(root)?.nextDue ?? Infinity;
        return { ...work, nextDue: Math.min(work.nextDue, tick) };
      }),
    );
  }

  /** Wakes the workers of queues with something to do; true: there is none, and nothing is on its way. */
  private async isAtRest(): Promise<boolean> {
    const { changes } = this.control;
    let isIdle = true;
    for (const store of this.stores.values()) {
      const { due, started } = await workLeftIn(store);
      for (const queue of due) store.wake(queue);
      if (due.length > 0 || started.length > 0) isIdle = false;
    }
    // Roots are looked at one after the other: a job of the one may have put one into the other.
    return isIdle && this.control.underWay === 0 && this.control.changes === changes;
  }

  /** Has the schedules fired that are due; false: none was. */
  private async hasFired(): Promise<boolean> {
    let fired = 0;
    for (const scheduler of this.schedulers.values()) fired += await scheduler.catchUp(Infinity);
    return fired > 0;
  }

  private async tooLate(timeout: number): Promise<DrainTimeoutError> {
    const started: string[] = [];
    const waiting: string[] = [];
    for (const store of this.stores.values()) {
      const work = await workLeftIn(store);
      for (const queue of work.started)
        started.push(...(await describeJobs(store, queue, 'started')));
      for (const queue of work.due) waiting.push(...(await describeJobs(store, queue, 'queued')));
    }
    return new DrainTimeoutError({ timeout, started, waiting });
  }
}

// Milliseconds between two looks, unless something happens before.
const SHORTEST_PAUSE = 2;
const LONGEST_PAUSE = 50;
