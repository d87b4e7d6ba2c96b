// A producer that goes on whatever happens, as a careful application would: it counts a job as enqueued when `enqueue`
// says so, and repeats a call of which the outcome is uncertain with the same id. The jobs are of all kinds: quick
// ones, slow ones, some that fail first, some that fail for good, some delayed, some that leave nothing behind.
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type JobOptions, type Queue, RqConnectionError } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import type { AcknowledgedJob } from './auditor.js';
import type { Act } from './scene.js';

export class Load {
  /** The jobs that are surely stored. */
  readonly acknowledged: AcknowledgedJob[] = [];
  /** What the last of them said that was rejected. */
  lastRejection: unknown;
  /** How many calls were rejected. */
  rejected = 0;
  /** Of these, calls that may have been carried out all the same. */
  uncertain = 0;
  /** The longest time, in milliseconds, from the first call for a job until one was acknowledged. */
  outage = 0;
  /** What `enqueue` threw that is no RqConnectionError: there should be none. */
  readonly surprises: unknown[] = [];
  private readonly callers: Promise<void>[] = [];
  private isStopped = false;
  private next = 0;

  /**
   * @param callers how many call at the same time, each about every 10 ms
   * @param name begins the ids of its jobs
   */
  constructor(
    private readonly queue: Queue,
    callers = 8,
    private readonly name = 'load',
  ) {
    for (let caller = 0; caller < callers; caller++) this.callers.push(this.callAgainAndAgain());
  }

  /** Waits until so many calls were rejected without anybody knowing whether they were carried out. */
  async trouble(count: number): Promise<void> {
    await eventually(() => this.uncertain >= count, { what: `${count} uncertain calls` });
  }

  /** Waits until a job is acknowledged of which the first call begins now or was refused before. */
  async served({ timeout = 15_000 } = {}): Promise<void> {
    const before = this.acknowledged.length;
    const what = 'a job to be acknowledged';
    await eventually(() => this.acknowledged.length > before, { what, timeout, every: 2 });
  }

  /**
   * Milliseconds until a job that is acknowledged from now on has been run there: with a primary that has just been
   * elected, both producers and workers have found it then.
   */
  async servedBy(primary: Redis, { timeout = 20_000 } = {}): Promise<number> {
    const begun = performance.now();
    const before = this.acknowledged.length;
    await eventually(
      async () => {
        const ids = this.acknowledged.slice(before).map(({ id }) => id);
        const statuses = ids.map((id) => primary.hget(`rq:job:${id}`, 'status'));
        return (await Promise.all(statuses)).includes('finished');
      },
      { what: 'a job to be run by the new primary', timeout, every: 5 },
    );
    return performance.now() - begun;
  }

  /** Resolves when every job that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.callers);
  }

  private async callAgainAndAgain(): Promise<void> {
    while (!this.isStopped) {
      const number = this.next++;
      await this.enqueue(`${this.name}-${number}`, kindOf(number));
      await pause(10);
    }
  }

  private async enqueue(id: string, { act, options = {}, ...known }: Kind): Promise<void> {
    const begun = performance.now();
    for (;;) {
      try {
        await this.queue.enqueue('act', act, { ...options, id });
        this.acknowledged.push({ id, ...known });
        this.outage = Math.max(this.outage, performance.now() - begun);
        return;
      } catch (error) {
        if (!(error instanceof RqConnectionError)) {
          this.surprises.push(error);
          return;
        }
        this.rejected += 1;
        this.lastRejection = error;
        if (performance.now() - begun > GIVEN_UP_AFTER) {
          this.isStopped = true;
          this.surprises.push(error);
          return;
        }
        if (error.uncertain) this.uncertain += 1;
        await pause(20);
        // An id is known as long as its job is kept: of this one there may be nothing left to know it by.
        if (error.uncertain && known.vanishes) return;
      }
    }
  }
}

/** Milliseconds: no test has an outage as long as this, and one that has failed must end. */
const GIVEN_UP_AFTER = 60_000;

interface Kind extends Pick<AcknowledgedJob, 'retries' | 'vanishes'> {
  readonly act: Act;
  readonly options?: JobOptions;
}

function kindOf(number: number): Kind {
  switch (number % 10) {
    case 1:
      return { act: { fails: 1 }, options: { retry: { max: 3, interval: 0.05 } }, retries: 3 };
    case 2:
      return { act: {}, options: { resultTtl: 0 }, vanishes: true };
    case 3:
      return { act: { fails: 99 }, options: { retry: { max: 2, interval: 0 } }, retries: 2 };
    case 4:
      return { act: { takes: 50 } };
    case 5:
      return { act: {}, options: { delay: '100ms' } };
    default:
      return { act: { takes: number % 4 } };
  }
}
