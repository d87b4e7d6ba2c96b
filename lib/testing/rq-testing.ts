import type { ModuleRef } from '@nestjs/core';
import {
  type Duration,
  InvalidOptionError,
  ShortForm,
  duration,
  flag,
  optionTable,
  otherwise,
  readOptions,
  toMilliseconds,
} from '../job/index.js';
import type { RqRoot } from '../nest/root/rq-root.js';
import { DEFAULT_ROOT, getRootToken } from '../nest/tokens.js';
import type { AnyHandlers, Queue } from '../queue/index.js';
import { advanceTime } from './advance-time.js';
import type { ControlledStore } from './controlled-store.js';
import type { EmbeddedRoots } from './embedded-roots.js';
import { type EnqueuedJob, enqueuedJobs } from './enqueued-jobs.js';
import { type DrainSummary, difference } from './run-control.js';
import { DRAIN_TIMEOUT_MS } from './testing-options.js';

/**
 * What a test does with the jobs of its application. It looks at those that are enqueued, has them run, and moves time.
 *
 * @example
 * const rq = app.get(RqTesting);
 * await signup('a@b.c');
 * await expect(rq.queue('mail')).toHaveEnqueued('sendMail', { to: 'a@b.c' });
 * await rq.drain();
 */
export class RqTesting extends ShortForm {
  readonly #roots: EmbeddedRoots;
  readonly #moduleRef: ModuleRef;

  constructor(roots: EmbeddedRoots, moduleRef: ModuleRef) {
    super();
    this.#roots = roots;
    this.#moduleRef = moduleRef;
  }

  /**
   * A queue of the application, as `@InjectQueue` gives it.
   *
   * @param root the `name` of the `RqModule.forRoot` that the queue belongs to; default: the one without a name
   * @throws InvalidOptionError when there is no such root, or no queue can have this name
   */
  queue<Handlers = AnyHandlers>(name: string, root: string = DEFAULT_ROOT): Queue<Handlers> {
    this.storeOf(root);
    const rqRoot = this.#moduleRef.get<RqRoot>(getRootToken(root), { strict: false });
    return rqRoot.queues.get(name) as Queue<Handlers>;
  }

  /**
   * Runs everything that is due on all queues that the application serves, in all its roots, and what those jobs enqueue,
   * until nothing is left; what is scheduled for later stays, and so does what waits for a job that stays. A job that fails
   * does not make it reject: look at the counts, at the job, or at what the application did.
   *
   * @returns the outcomes of this call, of all queues together; those of one queue: `queue.counts()`
   * @param options.timeout default 30 s
   * @throws DrainTimeoutError when jobs still run or wait then
   */
  async drain(options: DrainOptions = {}): Promise<DrainSummary> {
    const { timeout } = readOptions(options, DRAIN_OPTIONS, 'RqTesting.drain');
    return this.#roots.drain.run(timeout);
  }

  /**
   * Lets time pass for Redis: first runs what is due, then moves its clock forward to each job that becomes due
   * within `duration`, and to each tick of a schedule, one after the other, and runs it. A job that is retried every minute therefore runs five times
   * in `advance('5m')`, and what expires (`ttl`, `resultTtl`, ...) does so in between. `Date` in the application
   * stays as it is, as do timers and timeouts of handlers.
   *
   * @param duration a number is seconds, or text with a unit
   * @param options.drain `false` moves the clock only; default `true`
   * @param options.timeout for all of it; default 30 s
   * @throws DrainTimeoutError when jobs still run or wait then
   */
  async advance(duration: Duration, options: AdvanceOptions = {}): Promise<DrainSummary> {
    const where = 'RqTesting.advance';
    const { drain, timeout } = readOptions(options, ADVANCE_OPTIONS, where);
    const milliseconds = toMilliseconds(duration, 'duration', where);
    const roots = this.#roots;
    const before = { ...roots.control.totals };
    if (drain) await advanceTime(milliseconds, roots.drain, roots.redis, timeout);
    else roots.redis.advance(milliseconds);
    return difference(roots.control.totals, before);
  }

  /**
   * The jobs that wait, the next one first, then those that are scheduled, the earliest first, then those that wait for
   * other jobs (`waitsFor` says for which). The next job of each schedule is among those that are scheduled (`tick` says
   * of which).
   *
   * @param queue its name, or the queue itself
   * @param root of a queue given by its name; default: the one without a name
   */
  async enqueued(queue: string | Queue, root: string = DEFAULT_ROOT): Promise<EnqueuedJob[]> {
    if (typeof queue === 'string') return this.enqueuedOn(root, this.queue(queue, root));
    const owner = [...this.#roots.stores.keys()].find(
      (name) => this.queue(queue.name, name) === queue,
    );
    if (owner === undefined) {
      const problem = 'is no queue of this application';
      throw new InvalidOptionError({ option: 'queue', problem, where: 'RqTesting.enqueued' });
    }
    return this.enqueuedOn(owner, queue);
  }

  /** Deletes all jobs and whatever else is in Redis, for the next test; the clock goes on from where it is. */
  async clear(): Promise<void> {
    for (const store of this.#roots.stores.values()) {
      await store.clear();
    }
  }

  /** What time it is for Redis. */
  async now(): Promise<Date> {
    const [work] = await this.#roots.drain.workLeft();
    return new Date(work?.now ?? Date.now());
  }

  /** What JSON and logs show of it: the names of the roots. */
  toJSON(): { readonly roots: readonly string[] } {
    return { roots: [...this.#roots.stores.keys()] };
  }

  private async enqueuedOn(root: string, queue: Queue): Promise<EnqueuedJob[]> {
    // So that schedules are there again after `clear()`.
    await this.#roots.schedulers.get(root)?.look(Infinity);
    return enqueuedJobs(this.storeOf(root), queue);
  }

  private storeOf(root: string): ControlledStore {
    const store = this.#roots.stores.get(root);
    if (store) return store;
    const known = [...this.#roots.stores.keys()].join(', ') || 'none';
    const problem = `is no RqModule.forRoot of this application. Known: ${known}`;
    throw new InvalidOptionError({ option: 'root', problem, value: root, where: 'RqTesting' });
  }
}

interface DrainOptions {
  timeout?: Duration;
}

interface AdvanceOptions extends DrainOptions {
  drain?: boolean;
}

const timeoutOfDrain = otherwise(DRAIN_TIMEOUT_MS / 1000, duration);
const DRAIN_OPTIONS = optionTable<DrainOptions>()({ timeout: timeoutOfDrain });
const ADVANCE_OPTIONS = optionTable<AdvanceOptions>()({
  drain: otherwise(true, flag),
  timeout: timeoutOfDrain,
});
