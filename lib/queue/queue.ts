import type { Observable } from 'rxjs';
import {
  type DefaultJobOptions,
  type Duration,
  type JobEvent,
  type JobOptions,
  type ResolvedDefaults,
  type ResolvedJobOptions,
  DuplicateJobError,
  EnqueueManyError,
  InvalidOptionError,
  RqConnectionError,
  assertJobId,
  assertJobName,
  assertQueueName,
  layerDefaults,
  resolveDefaults,
  resolveJobOptions,
  wholeNumber,
} from '../job/index.js';
import {
  type JobStore,
  type NewJob,
  type RegistryCounts,
  type RegistryName,
} from '../store/index.js';
import { BulkActions } from './bulk-actions.js';
import { EnqueueBatch } from './enqueue-batch.js';
import { type JobSummary, assertSize, encodeCall, encodePayload, toJson } from '../wire/index.js';
import type {
  AnyHandlers,
  JobName,
  JobPayload,
  JobResult,
  PayloadArguments,
} from './handler-types.js';
import { type ListeningOptions, eventsOfQueue } from './job-events.js';
import { type HeaderInjector, withInjectedHeaders } from './job-headers.js';
import { newJobId } from './job-id.js';
import { ResultWaiter } from './result-waiter.js';
import { RqJob } from './rq-job.js';

/**
 * What a producer holds: the place to put jobs into, and to look after them.
 *
 * ```ts
 * const job = await images.enqueue('processImage', { path }, { retry: { max: 3, interval: 5 } });
 * await job.result({ timeout: '1m' });
 * ```
 *
 * Every method rejects with `RqConnectionError` within `commandTimeout` when Redis cannot be reached.
 */
export class Queue<Handlers = AnyHandlers> extends BulkActions {
  readonly #store: JobStore;
  readonly #defaults: ResolvedDefaults;
  readonly #inject: HeaderInjector | undefined;
  readonly #batch: EnqueueBatch<NewJob>;
  readonly #waiter: ResultWaiter;
  readonly #knownNames = new Set<string>();

  /** @throws InvalidOptionError when the name or a default is impossible */
  constructor(name: string, store: JobStore, options: QueueOptions = {}) {
    super(name, store);
    this.#store = store;
    assertQueueName(name);
    const where = `defaultJobOptions of queue "${name}"`;
    const own = resolveDefaults(options.defaultJobOptions, where);
    this.#defaults = options.rootDefaults ? layerDefaults(options.rootDefaults, own) : own;
    this.#inject = options.inject;
    this.#batch = new EnqueueBatch(
      (jobs) => this.send(jobs),
      TOGETHER,
      ({ data }) => data.length,
    );
    this.#waiter = new ResultWaiter(name, store);
  }

  /**
   * Enqueues a job. Resolves when Redis has acknowledged it; jobs enqueued in the same turn of the event loop travel
   * together. With an `id` that exists already nothing happens, and the handle of the existing job is given: repeating
   * a call whose outcome is uncertain is harmless.
   *
   * @throws InvalidOptionError, UnserializableDataError, PayloadTooLargeError; nothing is stored then
   * @throws DuplicateJobError with `unique: true` when the id exists
   * @throws RqConnectionError when Redis did not acknowledge in time; when it is `uncertain`, repeat the call with
   * `{ id: error.jobIds[0] }`
   */
  async enqueue<Name extends JobName<Handlers>>(
    name: Name,
    ...[data, options]: PayloadArguments<JobPayload<Handlers, Name>, JobOptions>
  ): Promise<RqJob<JobResult<Handlers, Name>>> {
    return this.add(name, data, options);
  }

  /** Enqueues a job that may start after `delay` (a number is seconds). See {@link enqueue}; RQ's `enqueue_in`. */
  async enqueueIn<Name extends JobName<Handlers>>(
    delay: Duration,
    name: Name,
    ...[data, options]: PayloadArguments<
      JobPayload<Handlers, Name>,
      Omit<JobOptions, 'delay' | 'at'>
    >
  ): Promise<RqJob<JobResult<Handlers, Name>>> {
    return this.add(name, data, { ...(options as JobOptions | undefined), delay });
  }

  /** Enqueues a job that may start at a time; one in the past is at once. See {@link enqueue}; RQ's `enqueue_at`. */
  async enqueueAt<Name extends JobName<Handlers>>(
    date: Date,
    name: Name,
    ...[data, options]: PayloadArguments<
      JobPayload<Handlers, Name>,
      Omit<JobOptions, 'delay' | 'at'>
    >
  ): Promise<RqJob<JobResult<Handlers, Name>>> {
    return this.add(name, data, { ...(options as JobOptions | undefined), at: date });
  }

  /**
   * Enqueues many jobs, in order. Up to 1000 are one step: all of them or none. A longer list goes in slices of 1000,
   * each all or nothing.
   *
   * @throws EnqueueManyError when a later slice failed: `stored` tells how many jobs are enqueued, `jobIds` the ids with
   * which to repeat the rest
   * @throws what {@link enqueue} throws when nothing is stored
   */
  async enqueueMany<const Name extends JobName<Handlers>>(
    jobs: readonly ManyItem<Handlers, Name>[],
  ): Promise<RqJob<JobResult<Handlers, Name>>[]> {
    const prepared = jobs.map((job, index) => {
      const { name, data, options } = job as { name: string; data?: unknown; options?: JobOptions };
      return this.prepare(
        name,
        encodePayload(this.name, this.named(name), data),
        options,
        `jobs[${index}]: `,
      );
    });
    for (let first = 0; first < prepared.length; first += AT_ONCE) {
      const slice = prepared.slice(first, first + AT_ONCE);
      try {
        const [refusal] = await this.#store.enqueue(slice, 'all');
        if (refusal?.reason === 'duplicate') throw this.duplicate(slice[refusal.index] as NewJob);
      } catch (cause) {
        const jobIds = prepared.map(({ id }) => id);
        if (first === 0) throw ofJobs(cause, jobIds);
        throw new EnqueueManyError({ queue: this.name, stored: first, jobIds, cause });
      }
    }
    return prepared.map(({ id }) => this.job(id));
  }

  /**
   * Enqueues a call with positional and keyword arguments, for a Python worker: `enqueueCall('tasks.add', { args: [1, 2] })`.
   * @throws what {@link enqueue} throws
   */
  async enqueueCall<Result = unknown>(
    func: string,
    call: {
      readonly args?: readonly unknown[];
      readonly kwargs?: Readonly<Record<string, unknown>>;
    } = {},
    options?: JobOptions,
  ): Promise<RqJob<Result>> {
    const { args = [], kwargs = {} } = call;
    const data = encodeCall(this.name, { name: this.named(func), args, kwargs });
    const job = this.prepare(func, data, options);
    return this.added(job);
  }

  /** The handle of an existing job of this queue; undefined when there is none. */
  async getJob<Result = unknown>(id: string): Promise<RqJob<Result> | undefined> {
    assertJobId(id, `getJob on queue "${this.name}"`);
    const record = await this.#store.read(id);
    return record && (record.origin === this.name || record.origin === '')
      ? this.job(id)
      : undefined;
  }

  /** The handle of a job by its id, without asking Redis whether there is such a job. */
  job<Result = unknown>(id: string): RqJob<Result> {
    return new RqJob<Result>(this.name, id, this.#store, this.#waiter);
  }

  /** How many jobs wait in the queue (not the running, scheduled or settled ones). */
  async count(): Promise<number> {
    return (await this.counts()).queued;
  }

  /** How many jobs are in each registry; watch `scheduled`, where retries wait, so that they cannot pile up. */
  counts(): Promise<RegistryCounts> {
    return this.#store.counts(this.name);
  }

  /**
   * What a person wants to see of the jobs in a registry, in its order (the queue: next first; registries: earliest
   * first). It is plain data; `queue.job(summary.id)` is the handle. Up to 200 jobs are one call, whatever their size.
   *
   * ```ts
   * for (const { id, name, failure } of await queue.jobs('failed')) console.log(id, name, failure);
   * ```
   *
   * A page may have fewer than `limit` jobs: ids whose job is gone (deleted, or its `ttl` is over) are left out.
   * @param registry RQ's word; default `queued`, the queue itself; stopped jobs are in `failed`
   * @param range default the first 100
   * @throws InvalidOptionError when there is no such registry, or offset or limit is no whole number of at least 0
   * @throws RqConnectionError
   */
  async jobs(
    registry: RegistryName = 'queued',
    { offset = 0, limit = 100 }: { offset?: number; limit?: number } = {},
  ): Promise<JobSummary[]> {
    const where = `jobs of queue "${this.name}"`;
    if (!REGISTRIES.has(registry)) {
      const problem = `must be one of ${[...REGISTRIES].join(', ')}`;
      throw new InvalidOptionError({ option: 'registry', problem, value: registry, where });
    }
    wholeNumber(0)(offset, 'offset', where);
    wholeNumber(0)(limit, 'limit', where);
    return this.#store.list(this.name, registry, { offset, limit });
  }

  /**
   * What becomes of the queue's jobs, as it happens, in whatever process: started, progress, retrying, finished,
   * exhausted, failed, canceled, lost. While nobody is subscribed it costs workers nothing. Python's workers tell none.
   *
   * ```ts
   * images.events().pipe(filter(({ type }) => type === 'exhausted')).subscribe((event) => alert(event));
   * ```
   *
   * Events may be missed: before Redis has confirmed the subscription (`onListening` is called then), and while the
   * link is cut. It ends with RqConnectionError when Redis cannot be reached in time at the start.
   */
  events(options?: ListeningOptions): Observable<JobEvent> {
    return eventsOfQueue(this.name, this.#store, options);
  }

  /** No worker takes a job of this queue until {@link resume}; running jobs go on, jobs may be enqueued. */
  pause(): Promise<void> {
    return this.#store.pause(this.name);
  }

  resume(): Promise<void> {
    return this.#store.resume(this.name);
  }

  isPaused(): Promise<boolean> {
    return this.#store.isPaused(this.name);
  }

  /** Deletes all waiting jobs (not the running, scheduled or settled ones). Gives how many. RQ's `empty`. */
  empty(): Promise<number> {
    return this.#store.empty(this.name);
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly name: string } {
    return { name: this.name };
  }

  private async add<Result>(
    name: string,
    data: unknown,
    options: JobOptions | undefined,
  ): Promise<RqJob<Result>> {
    const job = this.prepare(name, encodePayload(this.name, this.named(name), data), options);
    return this.added(job);
  }

  private async added<Result>(job: NewJob): Promise<RqJob<Result>> {
    try {
      await this.#batch.add(job);
    } catch (error) {
      throw ofJobs(error, [job.id]);
    }
    return this.job(job.id);
  }

  private prepare(name: string, data: string, options: JobOptions | undefined, item = ''): NewJob {
    const resolved = this.resolve(name, options, item);
    const limit = this.#store.maxPayloadBytes;
    assertSize(data, `data of job "${name}"`, limit);
    let meta: string | undefined;
    const own = this.#inject ? withInjectedHeaders(resolved.meta, this.#inject) : resolved.meta;
    if (own && Object.keys(own).length > 0) {
      meta = toJson(own, { queue: this.name, name, what: 'meta' });
      assertSize(meta, `meta of job "${name}"`, limit);
    }
    const { id } = resolved;
    const queue = this.name;
    if (id === undefined) {
      return { queue, id: newJobId(), check: 'new', data, options: resolved, meta };
    }
    return { queue, id, check: resolved.unique ? 'unique' : 'once', data, options: resolved, meta };
  }

  private resolve(name: string, options: JobOptions | undefined, item: string): ResolvedJobOptions {
    if (options === undefined) return this.#defaults.plainJob;
    return resolveJobOptions(
      options,
      this.#defaults,
      `${item}enqueue("${name}") on queue "${this.name}"`,
    );
  }

  private named(name: unknown): string {
    if (typeof name === 'string' && this.#knownNames.has(name)) return name;
    assertJobName(name, `enqueue on queue "${this.name}"`);
    if (this.#knownNames.size < 1000) this.#knownNames.add(name);
    return name;
  }

  private async send(jobs: NewJob[]): Promise<(Error | undefined)[]> {
    const problems: (Error | undefined)[] = [];
    for (const { index, reason } of await this.#store.enqueue(jobs, 'each')) {
      if (reason === 'duplicate') problems[index] = this.duplicate(jobs[index] as NewJob);
    }
    return problems;
  }

  private duplicate(job: NewJob): DuplicateJobError {
    return new DuplicateJobError({ queue: this.name, jobId: job.id });
  }
}

export interface QueueOptions {
  /** For jobs of this queue that do not say it themselves. */
  readonly defaultJobOptions?: DefaultJobOptions;
  /** For what `defaultJobOptions` leaves open; RQ's defaults follow. */
  readonly rootDefaults?: ResolvedDefaults;
  /** Called for each job that is enqueued, there and then, to put texts into its `meta.headers`. */
  readonly inject?: HeaderInjector;
}

/** One job of `enqueueMany`. */
export type ManyItem<Handlers, Name extends JobName<Handlers>> =
  Name extends JobName<Handlers>
    ? {
        readonly name: Name;
        readonly options?: JobOptions;
      } & (undefined extends JobPayload<Handlers, Name>
        ? { readonly data?: JobPayload<Handlers, Name> }
        : { readonly data: JobPayload<Handlers, Name> })
    : never;

/** A call that failed carries jobs of several callers: each is told of its own. */
function ofJobs(error: unknown, jobIds: readonly string[]): unknown {
  return error instanceof RqConnectionError ? error.of(jobIds) : error;
}

/** Keeps a script below 5 ms. */
const AT_ONCE = 1000;
/** Of the jobs that are enqueued in one turn: as many as one call takes. */
const TOGETHER = 25;
const REGISTRIES: ReadonlySet<string> = new Set([
  'queued',
  'started',
  'scheduled',
  'deferred',
  'finished',
  'failed',
  'canceled',
] satisfies RegistryName[]);
