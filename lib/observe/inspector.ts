import { randomBytes } from 'node:crypto';
import {
  type Duration,
  InvalidOptionError,
  type JobSelection,
  type CancelFrom,
  type PromoteFrom,
  type RequeueFrom,
  type RequeueOptions,
  SELECTABLE_IN,
  ShortForm,
  assertJobId,
  assertQueueName,
  flag,
  otherwise,
  readOptions,
  readSelection,
  text,
} from '../job/index.js';
import {
  type BulkRequest,
  Queue,
  type RqJob,
  RqSchedule,
  bulkRequest,
  requeueRequest,
} from '../queue/index.js';
import type { JobStore, ServerState, Undeleted, WorkerState } from '../store/index.js';
import type { RqAlert } from './alert.js';
import { firingAlerts, muteField } from './alert-state.js';
import { Desk } from './desk.js';
import { type Failures, type FailuresOptions, groupFailures } from './failures.js';
import { type QueueFinding, findFindings } from './findings.js';
import { type QueueHistory, historyOf, tierFor } from './history.js';
import {
  FINDINGS_OPTIONS,
  HISTORY_OPTIONS,
  MUTE_OPTIONS,
  OPERATION_OPTIONS,
  OVERVIEW_OPTIONS,
  SEARCH_OPTIONS,
} from './inspector-options.js';
import { type LimitUse, limitUsesOf } from './limit-uses.js';
import {
  BulkOperation,
  type DeleteOptions,
  type DryRun,
  type OperationOptions,
  meantBy,
} from './operation.js';
import { type Overview, overviewOf } from './overview.js';
import { FoundJobs, type JobSearch, type SearchOptions } from './search.js';

/**
 * Sees and operates everything in one Redis: queues, workers, jobs of any queue, also Python's. It is what the command
 * line is made of. In a Nest application it is injected by its class; `connectInspector()` gives one anywhere else.
 *
 * ```ts
 * const { queues, troubles } = await inspector.overview();
 * const { groups } = await inspector.failures({ queue: 'mail' });
 * const operation = inspector.requeue('mail', { in: 'failed', cause: groups[0].cause }, { rate: 50 });
 * ```
 *
 * Every method rejects with `RqConnectionError` within `commandTimeout` when Redis cannot be reached.
 */
export class RqInspector extends ShortForm {
  /** What operators share: who did what, operations that all see, suspending everything, ending a worker. */
  readonly desk: Desk;
  readonly #store: JobStore;
  readonly #queues = new Map<string, Queue>();

  /** @param store the data of one Redis, for example a `RedisJobStore` */
  constructor(store: JobStore) {
    super();
    this.#store = store;
    this.desk = new Desk(store, this);
  }

  /** A queue by its name, to enqueue, pause, empty or list. @throws InvalidOptionError when no queue can have this name */
  queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (!queue) this.#queues.set(name, (queue = new Queue(name, this.#store)));
    return queue;
  }

  /** The handle of a job, whatever its queue; undefined when there is none. */
  async job(id: string): Promise<RqJob | undefined> {
    assertJobId(id, 'inspector.job');
    const record = await this.#store.read(id);
    return record && this.queue(record.origin).job(id);
  }

  /** The names of all queues that anybody has put a job into, or that a worker serves, in order. */
  async names(): Promise<string[]> {
    const [names, workers] = await Promise.all([this.#store.queues(), this.workers()]);
    return namesOf(names, workers);
  }

  /**
   * How queues stand and who serves them, in a few calls for all of them.
   * @param options.queues default: all
   * @param options.live you look every few seconds: workers show what they have every two seconds then, instead of ten
   * @throws InvalidOptionError
   */
  async overview(options: { queues?: readonly string[]; live?: boolean } = {}): Promise<Overview> {
    const { queues, live } = readOptions(options, OVERVIEW_OPTIONS, 'inspector.overview');
    const { figures } = this.#store;
    if (live) await figures.view();
    const [stored, workers] = await Promise.all([
      queues ? [] : this.#store.queues(),
      figures.workers(),
    ]);
    const names = queues ?? namesOf(stored, workers);
    const [at, states] = await Promise.all([figures.now(), figures.overview(names)]);
    return overviewOf(at, states, workers);
  }

  /** All workers that show themselves, Python's too; one that was killed is listed for a minute (Python's: 8). */
  workers(): Promise<WorkerState[]> {
    return this.#store.figures.workers();
  }

  /**
   * What people are to be told now: alerts that have begun and are not over, the critical ones first. One process of all
   * applications with nestjs-rq looks for them (`alerts` of `RqModule.forRoot`); while none runs, they stay as they were:
   * see `at` of each, and `isWatched()`.
   */
  async alerts(): Promise<RqAlert[]> {
    const { figures } = this.#store;
    const [texts, now] = await Promise.all([figures.alerts.read(), figures.now()]);
    return firingAlerts(texts, now.getTime());
  }

  /**
   * Nobody is told of this alert for a while; it stays in `alerts()` as `muted`.
   * @param id of the alert
   * @param options.for default an hour; 0 ends it
   * @throws InvalidOptionError
   */
  async muteAlert(id: string, options: { for?: Duration } = {}): Promise<void> {
    const { for: lasts } = readOptions(options, MUTE_OPTIONS, 'inspector.muteAlert');
    const { figures } = this.#store;
    const until = (await figures.now()).getTime() + lasts;
    if (lasts === 0) await figures.alerts.write({}, [muteField(id)]);
    else await figures.alerts.write({ [muteField(id)]: String(until) }, []);
  }

  /** Whether a process of some application looks for alerts. */
  isWatched(): Promise<boolean> {
    return this.#store.figures.alerts.isLed();
  }

  /**
   * What is wrong with this Redis, its queues and workers, each with what to do about it; what keeps jobs from working
   * comes first. It looks at some hundred entries per queue, not at all of them.
   * @param options.queues default: all
   * @throws InvalidOptionError
   */
  async findings(options: { queues?: readonly string[] } = {}): Promise<QueueFinding[]> {
    const { queues } = readOptions(options, FINDINGS_OPTIONS, 'inspector.findings');
    return findFindings(this.#store, await this.overview(queues ? { queues } : {}));
  }

  /**
   * How much of the limits of queues, handlers and keys is used, and until when: what is set at run time is marked. Of keys
   * it shows those of which jobs wait, from up to 1000 lanes, and those that have limits of their own.
   * @param options.queues default: all
   * @throws InvalidOptionError
   */
  async limits(options: { queues?: readonly string[] } = {}): Promise<LimitUse[]> {
    const { queues } = readOptions(options, FINDINGS_OPTIONS, 'inspector.limits');
    const { at, queues: states } = await this.overview(queues ? { queues } : {});
    const found: LimitUse[] = [];
    for (const state of states) found.push(...(await limitUsesOf(this.#store, state, at)));
    return found;
  }

  /** What the Redis server says of itself: version, memory, settings. */
  server(): Promise<ServerState> {
    return this.#store.figures.server();
  }

  /**
   * What became of a queue's jobs lately: how many ended how, how long they ran and had waited, how deep the queue was.
   * Workers count it (`history` of their options).
   * @param options.last how far back; default an hour, at most 90 days (a number is seconds)
   * @param options.job only jobs of this name
   * @throws InvalidOptionError
   */
  async history(
    queue: string,
    options: { last?: Duration; job?: string } = {},
  ): Promise<QueueHistory> {
    const where = `inspector.history of queue "${queue}"`;
    // Strangers' queues may have any name, and stand in overviews.
    if (!queue) assertQueueName(queue, where);
    const { last, job } = readOptions(options, HISTORY_OPTIONS, where);
    const tier = tierFor(last);
    const until = await this.#store.figures.now();
    const from = new Date(until.getTime() - last);
    const buckets = await this.#store.figures.buckets(queue, tier, from);
    return historyOf(queue, tier, buckets, { from, until, job });
  }

  /** What is enqueued by the clock, in one queue or all, the next one first; those in code too. @throws InvalidOptionError */
  async schedules(queue?: string): Promise<RqSchedule[]> {
    if (queue !== undefined) assertQueueName(queue, 'inspector.schedules');
    const records = await this.#store.schedules.all();
    return records
      .filter((record) => record.queue === (queue ?? record.queue))
      .map((record) => {
        const job = (id: string) => this.queue(record.queue).job(id);
        return new RqSchedule(record, this.#store, job);
      })
      .toSorted(
        (one, other) => (one.next?.getTime() ?? Infinity) - (other.next?.getTime() ?? Infinity),
      );
  }

  /**
   * Failed jobs by their cause, the most frequent first, of one queue or all.
   * @param options as of {@link search}; the newest failures are looked at first; `retrying`: jobs that wait for a retry
   * @throws InvalidOptionError
   */
  failures(options: FailuresOptions = {}): Promise<Failures> {
    const { queue, name, retrying = false, ...rest } = options;
    const search = {
      in: retrying ? 'scheduled' : 'failed',
      ...(queue === undefined ? {} : { queue }),
      ...(name === undefined ? {} : { name }),
    } as const;
    return groupFailures(this.search(search, rest));
  }

  /**
   * Looks for jobs, in one queue or all. What is found comes as it is found; it stops after `budget` entries.
   *
   * ```ts
   * for await (const job of inspector.search({ in: 'failed', error: /Timeout/ })) console.log(job.id, job.failure);
   * ```
   *
   * @throws InvalidOptionError
   */
  search(search: JobSearch, options: SearchOptions = {}): FoundJobs {
    const where = 'inspector.search';
    const { queue, ...selection } = search;
    const read = readSelection(selection as JobSelection, SELECTABLE_IN, where);
    if (!('in' in read)) {
      const problem = 'must be { in, name, cause, error, before, after, limit, queue }';
      throw new InvalidOptionError({ option: 'search', problem, where });
    }
    const { budget, signal } = readOptions(options, SEARCH_OPTIONS, where);
    const given = typeof queue === 'string' ? [queue] : queue;
    for (const name of given ?? []) assertQueueName(name, where);
    const names = () => (given ? Promise.resolve(given) : this.#store.queues());
    return new FoundJobs(this.#store, names, read, budget, signal);
  }

  /**
   * `queue.requeue()` that shows its progress, keeps to a rate and can be canceled.
   * @throws InvalidOptionError naming the key
   */
  requeue(
    queue: string,
    selection: JobSelection<RequeueFrom>,
    options: RequeueOptions & OperationOptions & { dryRun: true },
  ): Promise<DryRun>;
  requeue(
    queue: string,
    selection: JobSelection<RequeueFrom>,
    options?: RequeueOptions & OperationOptions & { dryRun?: false },
  ): BulkOperation;
  requeue(
    queue: string,
    selection: JobSelection<RequeueFrom>,
    options: RequeueOptions & OperationOptions = {},
  ): BulkOperation | Promise<DryRun> {
    const { rate, dryRun, ...rest } = options;
    const request = requeueRequest(selection, rest, `inspector.requeue on queue "${queue}"`);
    return this.#operate(queue, request, { rate, dryRun });
  }

  /** `queue.cancel()` in the same way. @throws InvalidOptionError */
  cancel(
    queue: string,
    selection: JobSelection<CancelFrom>,
    options: OperationOptions & { dryRun: true },
  ): Promise<DryRun>;
  cancel(
    queue: string,
    selection: JobSelection<CancelFrom>,
    options?: OperationOptions & { dryRun?: false },
  ): BulkOperation;
  cancel(
    queue: string,
    selection: JobSelection<CancelFrom>,
    options: OperationOptions = {},
  ): BulkOperation | Promise<DryRun> {
    const request = bulkRequest('cancel', selection, `inspector.cancel on queue "${queue}"`);
    return this.#operate(queue, request, options);
  }

  /**
   * `queue.delete()` in the same way. For an hour, those jobs can be had back that had ended and that no other job waited
   * for: `operation.undo()`, or from another process `undoDelete()`.
   * @throws InvalidOptionError
   */
  delete(
    queue: string,
    selection: JobSelection,
    options: DeleteOptions & { dryRun: true },
  ): Promise<DryRun>;
  delete(
    queue: string,
    selection: JobSelection,
    options?: DeleteOptions & { dryRun?: false },
  ): BulkOperation;
  delete(
    queue: string,
    selection: JobSelection,
    options: DeleteOptions = {},
  ): BulkOperation | Promise<DryRun> {
    const where = `inspector.delete on queue "${queue}"`;
    const { undoable, ...rest } = options;
    const keeps = otherwise(true, flag)(undoable, 'undoable', where);
    const { selection: read, action } = bulkRequest('delete', selection, where);
    const keep = keeps ? randomBytes(8).toString('hex') : undefined;
    const request = { selection: read, action: { ...action, keep } } as BulkRequest;
    return this.#operate(queue, request, rest);
  }

  /**
   * Gives back what an operation has deleted within the last hour; `undo()` of the operation, for other processes.
   * @param undoId of the operation
   * @throws InvalidOptionError
   */
  undoDelete(queue: string, undoId: string): Promise<Undeleted> {
    const where = `inspector.undoDelete on queue "${queue}"`;
    assertQueueName(queue, where);
    text(/^[0-9a-f]{16}$/, 'must be the undoId of an operation')(undoId, 'undoId', where);
    return this.#store.undelete(queue, undoId);
  }

  /** `queue.promote()` in the same way. @throws InvalidOptionError */
  promote(
    queue: string,
    selection: JobSelection<PromoteFrom>,
    options: OperationOptions & { dryRun: true },
  ): Promise<DryRun>;
  promote(
    queue: string,
    selection: JobSelection<PromoteFrom>,
    options?: OperationOptions & { dryRun?: false },
  ): BulkOperation;
  promote(
    queue: string,
    selection: JobSelection<PromoteFrom>,
    options: OperationOptions = {},
  ): BulkOperation | Promise<DryRun> {
    const request = bulkRequest('promote', selection, `inspector.promote on queue "${queue}"`);
    return this.#operate(queue, request, options);
  }

  /** What JSON and logs show of it. */
  toJSON(): object {
    return {};
  }

  #operate(
    queue: string,
    request: BulkRequest,
    options: OperationOptions,
  ): BulkOperation | Promise<DryRun> {
    const where = `inspector.${request.action.type} on queue "${queue}"`;
    assertQueueName(queue, where);
    const { rate, dryRun } = readOptions(options, OPERATION_OPTIONS, where);
    if (dryRun) return meantBy(this.#store, queue, request).then((count) => ({ count }));
    return new BulkOperation(this.#store, queue, request, rate, this.#entries(queue, request));
  }

  /** How many entries there are to look at. */
  async #entries(queue: string, { selection }: BulkRequest): Promise<number> {
    if (!('in' in selection)) return selection.length;
    return (await this.#store.counts(queue))[selection.in];
  }
}

/** Of all queues that hold jobs or are served, in order. */
function namesOf(stored: readonly string[], workers: readonly WorkerState[]): string[] {
  return [...new Set([...stored, ...workers.flatMap(({ queues }) => queues)])].toSorted();
}
