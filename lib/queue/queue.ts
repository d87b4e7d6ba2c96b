import type { Observable } from 'rxjs';
import {
  type Duration,
  type EnqueueCall,
  type JobEvent,
  type JobOptions,
  type RqTelemetry,
  DuplicateJobError,
  InvalidOptionError,
  RqConnectionError,
  SELECTABLE_IN,
  assertInTime,
  assertJobId,
  assertQueueName,
  layerDefaults,
  readDurability,
  readRoomRule,
  resolveDefaults,
  splitCallbacks,
  wholeNumber,
} from '../job/index.js';
import {
  type JobStore,
  type NewJob,
  type Refusal,
  type RegistryCounts,
  type RegistryName,
  storeFor,
} from '../store/index.js';
import { EnqueueBatch } from './enqueue-batch.js';
import type { JobSummary } from '../wire/index.js';
import {
  type JobOfCall,
  assertParents,
  assertTogether,
  jobOfCall,
  jobsOf,
  preparedParents,
  storeInSlices,
} from './enqueue-together.js';
import type { AnyHandlers, JobArguments, JobName, JobResult, ManyItem } from './handler-types.js';
import { type ListeningOptions, eventsOfQueue } from './job-events.js';
import { NewJobs } from './new-jobs.js';
import { assertParentsHere } from './parents-elsewhere.js';
import { Preparation, PreparedJob } from './prepared-job.js';
import type { CallOptions, QueueOptions } from './queue-options.js';
import { ResultWaiter } from './result-waiter.js';
import { RqGroup } from './rq-group.js';
import { RqJob } from './rq-job.js';
import { refusalError } from './refusal-error.js';
import { sendWhenRoom } from './wait-for-room.js';
import { SchedulingQueue } from './scheduling-queue.js';

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
export class Queue<Handlers = AnyHandlers> extends SchedulingQueue<Handlers> {
  readonly #store: JobStore;
  readonly #newJobs: NewJobs;
  readonly #batch: EnqueueBatch<NewJob, Refusal>;
  readonly #waiter: ResultWaiter;
  readonly #telemetry: Pick<RqTelemetry, 'enqueue'> | undefined;

  /** @throws InvalidOptionError when the name or a default is impossible */
  constructor(name: string, storeOfAll: JobStore, options: QueueOptions = {}) {
    assertQueueName(name);
    const store = storeFor(storeOfAll, name);
    const where = `defaultJobOptions of queue "${name}"`;
    const own = resolveDefaults(options.defaultJobOptions, where);
    const defaults = options.rootDefaults ? layerDefaults(options.rootDefaults, own) : own;
    const { inject, maxLength, whenFull, keyOf, priorityOf } = options;
    const whereElse = `options of queue "${name}"`;
    const room = readRoomRule({ maxLength, whenFull }, whereElse);
    const durability = readDurability(options.durability, 'durability', whereElse);
    assertInTime(durability, store.commandTimeout, whereElse);
    const newJobs = new NewJobs(name, store.maxPayloadBytes, defaults, inject, {
      room,
      durability,
      keyOf,
      priorityOf,
    });
    super(name, store, newJobs);
    this.#store = store;
    this.#newJobs = newJobs;
    this.#batch = new EnqueueBatch(
      (jobs) => this.send(jobs),
      TOGETHER,
      ({ data }) => data.length,
    );
    this.#waiter = new ResultWaiter(store, durability);
    this.#telemetry = options.telemetry;
  }

  /**
   * Enqueues a job. Resolves when Redis has acknowledged it; jobs enqueued in the same turn of the event loop travel
   * together. With an `id` that exists already nothing happens, and the handle of the existing job is given: repeating
   * a call whose outcome is uncertain is harmless. The same goes for a job that is `unique`; `job.isNew` tells.
   *
   * @throws InvalidOptionError, UnserializableDataError, PayloadTooLargeError; nothing is stored then
   * @throws DuplicateJobError with `unique: true` when the id exists, with `unique: { else: 'error' }` when another job
   * is the same
   * @throws QueueFullError when the queue holds as many jobs as its `maxLength` allows
   * @throws CircularDependencyError when the job would wait for itself, by way of its `group`
   * @throws RqConnectionError when Redis did not acknowledge in time (with `durability`: NotReplicatedError when too few
   * replicas did); when it is `uncertain`, repeat the call with `{ id: error.jobIds[0] }`
   */
  async enqueue<Name extends JobName<Handlers>>(
    name: Name,
    ...[data, options]: JobArguments<Handlers, Name>
  ): Promise<RqJob<JobResult<Handlers, Name>>> {
    return this.add(name, data, options as JobOptions | undefined);
  }

  /** Enqueues a job that may start after `delay` (a number is seconds). See {@link enqueue}; RQ's `enqueue_in`. */
  async enqueueIn<Name extends JobName<Handlers>>(
    delay: Duration,
    name: Name,
    ...[data, options]: JobArguments<Handlers, Name, 'delay' | 'at'>
  ): Promise<RqJob<JobResult<Handlers, Name>>> {
    return this.add(name, data, { ...(options as JobOptions | undefined), delay });
  }

  /** Enqueues a job that may start at a time; one in the past is at once. See {@link enqueue}; RQ's `enqueue_at`. */
  async enqueueAt<Name extends JobName<Handlers>>(
    date: Date,
    name: Name,
    ...[data, options]: JobArguments<Handlers, Name, 'delay' | 'at'>
  ): Promise<RqJob<JobResult<Handlers, Name>>> {
    return this.add(name, data, { ...(options as JobOptions | undefined), at: date });
  }

  /**
   * Makes a job that is not stored yet, so that others can wait for it before anything is enqueued. `rq.enqueueMany` (of
   * the `RqService`) or {@link enqueueMany} stores it, together with those.
   *
   * ```ts
   * const resize = images.prepare('resize', { path });
   * await rq.enqueueMany([resize, mail.prepare('notify', { to }, { dependsOn: resize })]);
   * ```
   *
   * @throws InvalidOptionError, UnserializableDataError, PayloadTooLargeError
   */
  prepare<Name extends JobName<Handlers>>(
    name: Name,
    ...[data, options]: JobArguments<Handlers, Name>
  ): PreparedJob<JobResult<Handlers, Name>> {
    const given = options as JobOptions | undefined;
    const job = this.#newJobs.withData(name, data, given);
    const preparation = new Preparation(job, this.#store, this.parents(name, given));
    return new PreparedJob(this.name, job.id, name, preparation, this.job(job.id));
  }

  /**
   * Enqueues many jobs, in order: with their data, or prepared ones (of other queues too). Up to 1000 are one step: all
   * of them or none. A longer list goes in slices of 1000, each all or nothing.
   *
   * @throws EnqueueManyError when a later slice failed: `stored` tells how many jobs are enqueued, `jobIds` the ids with
   * which to repeat the rest
   * @throws what {@link enqueue} throws when nothing is stored, and DuplicateJobError when the id of a job that others of
   * the call wait for is taken
   */
  async enqueueMany<const Name extends JobName<Handlers>, Prepared = never>(
    jobs: readonly (ManyItem<Handlers, Name> | PreparedJob<Prepared>)[],
  ): Promise<RqJob<JobResult<Handlers, Name> | Prepared>[]> {
    const [first] = jobs;
    if (!this.#telemetry || !first) return this.addMany(jobs);
    const about = { queue: this.name, name: first.name, count: jobs.length };
    return this.#telemetry.enqueue(about, () => this.addMany(jobs));
  }

  private async addMany<const Name extends JobName<Handlers>, Prepared>(
    jobs: readonly (ManyItem<Handlers, Name> | PreparedJob<Prepared>)[],
  ): Promise<RqJob<JobResult<Handlers, Name> | Prepared>[]> {
    const call = jobs.map((job, index) =>
      job instanceof PreparedJob ? jobOfCall(job) : this.itemOfCall(job as AnyItem, index),
    );
    const [store, where] = [this.#store, `enqueueMany on queue "${this.name}"`];
    if (store.hashTag !== undefined) await assertParentsHere(store, jobsOf(call), where);
    assertTogether(store, call, where);
    const refusals = await storeInSlices(store, this.name, call);
    return jobs.map((job, index) => {
      const handle =
        job instanceof PreparedJob
          ? job.handle()
          : this.job<JobResult<Handlers, Name>>((call[index] as JobOfCall).job.id);
      return handle.answered(refusals[index]);
    });
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
    options?: CallOptions,
  ): Promise<RqJob<Result>> {
    const { args = [], kwargs = {} } = call;
    const where = `enqueueCall("${func}") on queue "${this.name}"`;
    const { callbacks, rest } = splitCallbacks(options, where);
    const add = () => {
      const job = this.#newJobs.withCall(func, args, kwargs, rest);
      const called = callbacks ? { ...job, options: { ...job.options, callbacks } } : job;
      return this.added<Result>(func, called, rest);
    };
    return this.#telemetry ? this.#telemetry.enqueue(this.callOf(func), add) : add();
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

  /**
   * The jobs with the same `group`, of this and of other queues.
   * @throws InvalidOptionError when no group can have this name
   */
  group(name: string): RqGroup {
    return new RqGroup(name, this.#store, this.#waiter.replicated);
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
    if (!SELECTABLE_IN.includes(registry)) {
      const problem = `must be one of ${SELECTABLE_IN.join(', ')}`;
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
    const add = () =>
      this.added<Result>(name, this.#newJobs.withData(name, data, options), options);
    return this.#telemetry ? this.#telemetry.enqueue(this.callOf(name), add) : add();
  }

  private callOf(name: string): EnqueueCall {
    return { queue: this.name, name, count: 1 };
  }

  private async added<Result>(
    name: string,
    job: NewJob,
    options: JobOptions | undefined,
  ): Promise<RqJob<Result>> {
    if (job.waitsFor) {
      assertParents(this.parents(name, options), new Map(), this.where(name));
      if (this.#store.hashTag !== undefined) {
        await assertParentsHere(this.#store, [job], this.where(name));
      }
    }
    try {
      const answer = job.room?.waits
        ? await sendWhenRoom(this.#store, () => this.#batch.add(job))
        : await this.#batch.add(job);
      return this.job<Result>(job.id).answered(answer);
    } catch (error) {
      throw error instanceof RqConnectionError ? error.of([job.id]) : error;
    }
  }

  private itemOfCall({ name, data, options }: AnyItem, index: number): JobOfCall {
    const item = `jobs[${index}]: `;
    const job = this.#newJobs.withData(name, data, options, item);
    return { job, parents: this.parents(name, options, item), preparation: undefined };
  }

  /** The prepared ones of the jobs that a job is to wait for. */
  private parents(
    name: string,
    options: JobOptions | undefined,
    item = '',
  ): readonly Preparation[] {
    const dependsOn = options?.dependsOn;
    if (dependsOn === undefined) return NO_PARENTS;
    return preparedParents(this.#store, dependsOn, `${item}${this.where(name)}`);
  }

  private where(name: string): string {
    return `enqueue("${name}") on queue "${this.name}"`;
  }

  private async send(jobs: NewJob[]): Promise<(Error | Refusal | undefined)[]> {
    const answers: (Error | Refusal | undefined)[] = [];
    for (const refusal of await this.#store.enqueue(jobs, 'each')) {
      const { index, reason } = refusal;
      const job = jobs[index] as NewJob;
      if (reason === 'duplicate') answers[index] = this.duplicate(job, refusal);
      else answers[index] = refusalError(job, refusal) ?? refusal;
    }
    return answers;
  }

  private duplicate({ id }: NewJob, { holder }: Refusal): DuplicateJobError {
    const isSame = holder !== undefined;
    return new DuplicateJobError({ queue: this.name, jobId: holder ?? id, isSame });
  }
}

interface AnyItem {
  readonly name: string;
  readonly data?: unknown;
  readonly options?: JobOptions;
}

const NO_PARENTS: readonly Preparation[] = [];
/** Of the jobs that are enqueued in one turn: as many as one call takes. */
const TOGETHER = 25;
