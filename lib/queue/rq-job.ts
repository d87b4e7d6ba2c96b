import type { Observable } from 'rxjs';
import {
  type Duration,
  type JobEvent,
  type JobStatus,
  type WaitsFor,
  DuplicateJobError,
  InvalidJobStateError,
  JobNotFoundError,
  type RequeueOptions,
  LOG_LINES,
  ShortForm,
  oneOf,
  isJobStatus,
  readRequeueOptions,
  optionTable,
  optional,
  readOptions,
  toMilliseconds,
  wholeNumber,
} from '../job/index.js';
import { type ControlAction, type JobStore } from '../store/index.js';
import {
  type JobRecord,
  type JobSummary,
  type JobTick,
  assertSize,
  payloadOf,
  factsOf,
  summaryOf,
  toJson,
} from '../wire/index.js';
import { attemptsOf, type JobAttempt } from './job-attempts.js';
import { type ListeningOptions, eventsOfJob } from './job-events.js';
import { type JobWait, waitsOf } from './job-wait.js';
import type { ResultWaiter } from './result-waiter.js';

/**
 * A job's handle: an id, and everything that can be asked of it or done to it, from any process. It holds no copy of
 * the job; each method asks Redis.
 */
export class RqJob<Result = unknown> extends ShortForm {
  readonly #store: JobStore;
  readonly #waiter: ResultWaiter;
  readonly #isNew: boolean;

  constructor(
    /** Name of its queue. */
    readonly queue: string,
    readonly id: string,
    store: JobStore,
    waiter: ResultWaiter,
    isNew = false,
  ) {
    super();
    this.#store = store;
    this.#waiter = waiter;
    this.#isNew = isNew;
  }

  /**
   * The call of `enqueue` (or `enqueueMany`) that gave this handle has stored the job; false: the job was there already,
   * by its id or as a unique one, or the handle comes from elsewhere.
   */
  get isNew(): boolean {
    return this.#isNew;
  }

  /**
   * The handle that a call of enqueue gives. @param refusal the job was not stored, since it, or this holder, was there
   * @internal
   */
  answered(refusal: { readonly holder: string | undefined } | undefined): RqJob<Result> {
    const id = refusal?.holder ?? this.id;
    return new RqJob<Result>(this.queue, id, this.#store, this.#waiter, refusal === undefined);
  }

  /** @throws JobNotFoundError */
  async status(): Promise<JobStatus> {
    return (await this.record()).status;
  }

  /** All that is known of the job now. @throws JobNotFoundError, MalformedJobError when its data cannot be read */
  async refresh(): Promise<JobSnapshot> {
    const record = await this.record();
    const { maxPayloadBytes } = this.#store;
    const call = record.call(maxPayloadBytes);
    return {
      ...factsOf(record),
      id: this.id,
      queue: this.queue,
      name: call.name,
      data: payloadOf(call),
      args: call.args,
      kwargs: call.kwargs,
      meta: record.meta(maxPayloadBytes),
      progress: record.progress,
      tick: record.tick,
    };
  }

  /** What `queue.jobs()` shows of it, also of a job whose data cannot be read. @throws JobNotFoundError */
  async summary(): Promise<JobSummary> {
    return summaryOf(await this.record());
  }

  /**
   * Waits until the job is settled and gives what its handler returned (`null` for nothing). Of a job that repeats it
   * waits for the first round, and gives the result of the last one that has ended.
   * @param options.timeout how long to wait (a number is seconds); default 60 seconds
   * @throws JobFailedError, JobCanceledError, JobStoppedError by how it ended; PoisonJobError, a JobFailedError, when
   *   each worker that ran it died
   * @throws ResultTimeoutError when it has not ended in time; the job goes on
   * @throws JobNotFoundError
   */
  async result({ timeout = 60 }: { timeout?: Duration } = {}): Promise<Result> {
    const milliseconds = toMilliseconds(timeout, 'timeout', `result of job "${this.id}"`);
    return (await this.#waiter.wait(this.queue, this.id, milliseconds)) as Result;
  }

  /** Its runs that ended, oldest first: failed attempts (the last 10 are kept) and the result. @throws JobNotFoundError */
  async results(): Promise<JobAttempt[]> {
    const record = await this.record();
    return attemptsOf(record, await this.#store.results(this.id));
  }

  /**
   * The lines that its handler has logged (`job.log`), oldest first; also for a while after the job is gone.
   * @param range default all of them, which are at most 1000
   * @throws InvalidOptionError when offset or limit is no whole number of at least 0
   */
  async logs({ offset = 0, limit = LOG_LINES }: { offset?: number; limit?: number } = {}): Promise<
    string[]
  > {
    const where = `logs of job "${this.id}"`;
    wholeNumber(0)(offset, 'offset', where);
    wholeNumber(0)(limit, 'limit', where);
    return this.#store.logs(this.id, { offset, limit });
  }

  /**
   * What becomes of the job, as it happens, in whatever process; completes with the event that settles it (`finished`,
   * `failed` or `canceled`), and soon if it is settled or gone already. See `queue.events()` for what may be missed.
   */
  events(options?: ListeningOptions): Observable<JobEvent> {
    return eventsOfJob(this.queue, this.id, this.#store, options);
  }

  /**
   * Handles of the jobs that wait for this one (`dependsOn`), of whatever queue. Those that were canceled because of it
   * are among them.
   */
  async dependents(): Promise<RqJob[]> {
    const found = await this.#store.dependents(this.id);
    return found.map(({ id, queue }) => this.related(queue, id));
  }

  /**
   * Keeps the job from running: out of the queue or the schedule at once. A running one is told by its signal
   * (`job.signal`), and what it still does is not recorded. One that is canceled already stays as it is.
   * @param options.dependents what becomes of the jobs that wait for this one: `'release'` has them run as if it had
   * finished; default: what the `ifFailed` of each says
   * @throws InvalidJobStateError when it has ended otherwise, JobNotFoundError, InvalidOptionError
   */
  async cancel(options: { dependents?: 'release' } = {}): Promise<void> {
    const { dependents = 'end' } = readOptions(
      options,
      CANCEL_OPTIONS,
      `cancel of job "${this.id}"`,
    );
    const allowed: JobStatus[] = ['queued', 'scheduled', 'deferred', 'started'];
    await this.control({ type: 'cancel', dependents }, allowed);
  }

  /**
   * Ends a running job: its signal aborts, it goes to the failed registry with status `stopped` and is not retried.
   * Resolves when the worker has been told. One that was stopped already stays as it is. RQ's `send_stop_job_command`.
   * @throws InvalidJobStateError when it is not running and was not stopped, JobNotFoundError
   */
  async stop(): Promise<void> {
    await this.control({ type: 'stop' }, ['started']);
  }

  /**
   * Puts a failed, stopped or canceled job back into the queue; with `{ finished: true }` also one that has finished.
   * Spent retries stay spent, as in RQ; `{ retries: 'fresh' }` gives new ones. One that waits in the queue already stays
   * where it is.
   * @throws InvalidOptionError, InvalidJobStateError, JobNotFoundError; DuplicateJobError when it is unique and another
   * job is the same now
   */
  async requeue(options?: RequeueOptions): Promise<void> {
    const read = readRequeueOptions(options, `requeue of job "${this.id}"`);
    const allowed: JobStatus[] = ['failed', 'stopped', 'canceled'];
    await this.control(
      { type: 'requeue', ...read },
      read.finished ? [...allowed, 'finished'] : allowed,
    );
  }

  /**
   * Lets a job run now that waits for its time (`scheduled`; a retry, too) or for other jobs (`deferred`; these have
   * nothing to do with it any more). One that waits in the queue already stays where it is.
   * @throws InvalidJobStateError, JobNotFoundError
   */
  async promote(): Promise<void> {
    await this.control({ type: 'promote' }, ['scheduled', 'deferred']);
  }

  /**
   * Deletes the job and everything of it, whatever its state; one that runs is told by its signal. Without such a job
   * there is nothing to do.
   * @param options.dependents what becomes of the jobs that wait for this one: `'delete'` deletes them too, and those
   * that wait for them; default: what the `ifFailed` of each says (`wait`: canceled, nobody can requeue what is deleted)
   * @throws InvalidOptionError
   */
  async delete(options: { dependents?: 'delete' } = {}): Promise<void> {
    const { dependents = 'end' } = readOptions(
      options,
      DELETE_OPTIONS,
      `delete of job "${this.id}"`,
    );
    await this.control({ type: 'delete', dependents }, []);
  }

  /**
   * What keeps the job from starting now, all of it, the nearest first: a limit that is used up and until when, a pause, its
   * time, jobs that are not over, a worker that is missing. Empty: nothing does. It is the next one soon, runs, or has ended.
   *
   * ```ts
   * for (const { sentence, until } of await job.waitsFor()) console.log(sentence, until); // limit total 1 of 1 (handler send)
   * ```
   *
   * @throws JobNotFoundError, RqConnectionError
   */
  waitsFor(): Promise<JobWait[]> {
    return waitsOf(this.#store, this.queue, this.id);
  }

  /** 0-based place in the queue; undefined when it does not wait there. Takes time in long queues. */
  position(): Promise<number | undefined> {
    return this.#store.position(this.queue, this.id);
  }

  /** Replaces the job's meta. @throws UnserializableDataError, PayloadTooLargeError, JobNotFoundError */
  async saveMeta(meta: Record<string, unknown>): Promise<void> {
    const json = toJson(meta, { queue: this.queue, name: this.id, what: 'meta' });
    assertSize(json, `meta of job "${this.id}"`, this.#store.maxPayloadBytes);
    await this.control({ type: 'meta', json }, []);
  }

  /** What JSON and logs show of it; `refresh()` tells more. */
  toJSON(): { readonly queue: string; readonly id: string } {
    return { queue: this.queue, id: this.id };
  }

  /** @internal Whether it is a job of this database. */
  isOf(store: JobStore): boolean {
    return this.#store === store;
  }

  /** @internal A handle of another job. */
  protected related(queue: string, id: string): RqJob {
    return new RqJob(queue, id, this.#store, this.#waiter);
  }

  private async control(action: ControlAction, allowed: readonly JobStatus[]): Promise<void> {
    const { answer, status } = await this.#store.control(this.queue, this.id, action);
    if (answer === 'missing' && action.type !== 'delete') {
      throw new JobNotFoundError({ jobId: this.id });
    }
    if (answer === 'duplicate') {
      throw new DuplicateJobError({ queue: this.queue, jobId: status, isSame: true });
    }
    if (answer === 'refused') {
      const known = isJobStatus(status) ? status : 'in an unknown state';
      throw new InvalidJobStateError({
        jobId: this.id,
        action: action.type,
        status: known,
        allowed,
      });
    }
  }

  private async record(): Promise<JobRecord> {
    const record = await this.#store.read(this.id);
    if (!record) throw new JobNotFoundError({ jobId: this.id });
    return record;
  }
}

/** A job at one moment. */
export interface JobSnapshot extends Pick<
  JobSummary,
  | 'id'
  | 'queue'
  | 'status'
  | 'attempts'
  | 'retriesLeft'
  | 'repeatsLeft'
  | 'createdAt'
  | 'enqueuedAt'
  | 'startedAt'
  | 'endedAt'
  | 'worker'
  | 'reason'
> {
  readonly name: string;
  /** The payload: see the handler's first parameter. */
  readonly data: unknown;
  /** Positional arguments, as Python gives them. */
  readonly args: readonly unknown[];
  /** Keyword arguments, as Python gives them. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly description: string | undefined;
  readonly meta: Record<string, unknown>;
  /** What its handler has told last of how far it is; undefined: nothing. */
  readonly progress: unknown;
  /** The jobs that it waits for, until it is released; undefined: none. What else it waits for: `job.waitsFor()`. */
  readonly waitsFor: WaitsFor | undefined;
  /** The tick of a schedule that it is for; undefined: it was enqueued otherwise. */
  readonly tick: JobTick | undefined;
}

const CANCEL_OPTIONS = optionTable<{ dependents?: 'release' }>()({
  dependents: optional(oneOf('release')),
});
const DELETE_OPTIONS = optionTable<{ dependents?: 'delete' }>()({
  dependents: optional(oneOf('delete')),
});
