import { LostLeaseError, type ProgressEvent, logLine } from '../../job/index.js';
import {
  type ClaimedJob,
  type JobCall,
  type JobTick,
  assertSize,
  encodePayload,
  payloadOf,
  toJson,
} from '../../wire/index.js';
import type { JobStore, WorkerStore } from '../../store/index.js';
import { type Jsonified, type ResultWaiter, RqJob } from '../../queue/index.js';
import { progressEvent } from '../report/about-job.js';
import { HandlerReports } from './handler-reports.js';
import { resultsOfParents } from './parent-results.js';

/**
 * What a handler gets beside its data: the job that it is running right now. Everything here is made when it is first
 * asked for: most handlers only want their data.
 */
export class RunningJob<
  Data = unknown,
  Result = unknown,
  Parents extends readonly unknown[] = readonly unknown[],
> extends RqJob<Result> {
  readonly #claimed: ClaimedJob;
  #call: JobCall;
  readonly #host: JobHost;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;
  #loadedMeta: Record<string, unknown> | undefined;
  #reports: HandlerReports | undefined;
  #hasEnded = false;

  constructor(claimed: ClaimedJob, call: JobCall, host: JobHost) {
    super(claimed.queue, claimed.id, host.store, host.waiter);
    this.#claimed = claimed;
    this.#call = call;
    this.#host = host;
  }

  /** The name under which the handler is registered. */
  get name(): string {
    return this.#call.name;
  }

  /**
   * The payload. From Python: the one positional argument; the keyword arguments when there are only those; else all
   * positionals.
   */
  get data(): Data {
    return payloadOf(this.#call) as Data;
  }

  /** Positional arguments. */
  get args(): readonly unknown[] {
    return this.#call.args;
  }

  /** Keyword arguments, as Python gives them. */
  get kwargs(): Readonly<Record<string, unknown>> {
    return this.#call.kwargs;
  }

  /** Which run this is, 1-based. Runs that were given back or put off do not count. */
  get attempt(): number {
    return this.#claimed.attempt;
  }

  /** Retries that are left if this run fails; undefined: no policy is stored with the job yet, its handler's applies. */
  get retriesLeft(): number | undefined {
    return this.#claimed.retry?.max;
  }

  /** How often it runs again if this run succeeds; undefined: it does not repeat. */
  get repeatsLeft(): number | undefined {
    return this.#claimed.repeat?.times;
  }

  /** When it last became ready to run, by Redis; undefined: of some jobs that were delayed that is not known. */
  get readyAt(): Date | undefined {
    const { readyAt } = this.#claimed;
    return readyAt === undefined ? undefined : new Date(readyAt);
  }

  /** The tick that it is for, when a schedule has made it: `tick.at` is the moment, whenever the job runs. */
  get tick(): JobTick | undefined {
    return this.#claimed.tick;
  }

  /** As it was when the run began; `saveMeta` writes it back. */
  get meta(): Record<string, unknown> {
    this.#loadedMeta ??= this.#claimed.meta(this.#host.store.maxPayloadBytes);
    return this.#loadedMeta;
  }

  /**
   * Aborts when this run should end: `reason` is a JobTimeoutError, JobCanceledError, JobStoppedError, LostLeaseError
   * or ShutdownError. Pass it on to what the handler waits for (`fetch(url, { signal: job.signal })`).
   */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /**
   * The results of the jobs that this one waited for, in the order of `dependsOn`. Those of up to 64 KB were handed over
   * when the jobs finished, and are there however long that is ago; others are read now.
   *
   * A handler that declares them (`RunningJob<NotifyDto, void, [Resized, boolean]>`) makes `enqueue` demand just these
   * jobs in `dependsOn`.
   * @throws ParentResultError when one has no result: it did not finish (`ifFailed: 'run'`), or it is gone
   * @throws RqConnectionError
   */
  parentResults(): Promise<Jsonified<Parents>> {
    return resultsOfParents(this.#claimed, this.#host.store) as Promise<Jsonified<Parents>>;
  }

  /** Handles of the jobs that this one waited for, in the order of `dependsOn`. Some may be gone. @throws RqConnectionError */
  async parents(): Promise<{ -readonly [Key in keyof Parents]: RqJob<Jsonified<Parents[Key]>> }> {
    const ids = this.#claimed.parentIds;
    const queues = ids.length > 0 ? await this.#host.store.queuesOf(ids) : [];
    const handles = ids.map((id, index) => this.related(queues[index] ?? this.queue, id));
    return handles as { -readonly [Key in keyof Parents]: RqJob<Jsonified<Parents[Key]>> };
  }

  /**
   * Tells how far the run is: any JSON value, which `refresh()` shows (`progress`) and events carry to those who listen.
   * It may be called as often as one likes: while one value travels only the newest waits. Resolves when Redis has it;
   * it need not be awaited, and never rejects (what Redis cannot take now is dropped).
   * @param value undefined: nothing is told
   * @throws UnserializableDataError, PayloadTooLargeError at once
   */
  progress(value: unknown): Promise<void> {
    // No value is nothing to tell, and no reason to fail.
    if (value === undefined || this.#hasEnded) return Promise.resolve();
    const { name, id } = this;
    const host = this.#host;
    const json = toJson(value, { queue: this.queue, name, what: 'progress' });
    assertSize(json, `progress of job "${id}"`, host.store.maxPayloadBytes);
    const event = progressEvent(this.#claimed, name, value);
    host.progressed(event);
    return this.#reporting().progress(json, event);
  }

  /**
   * Adds a line to the job's log, which `logs()` reads from any process. The last 1000 lines are kept, of 64 KB each
   * (longer ones are cut), until a week after the last one, or until the job is deleted. Resolves when Redis has it; it
   * need not be awaited, and never rejects (what Redis cannot take now is dropped).
   */
  log(line: string): Promise<void> {
    return this.#hasEnded ? Promise.resolve() : this.#reporting().log(logLine(line));
  }

  /**
   * Gives later attempts other data: how far this one has come, for example, so that a retry or the run after a crash
   * goes on from there. Resolves when Redis has it. From then on `data` is what was given. The arguments of a job from
   * Python are replaced by this one payload.
   * @throws LostLeaseError when the run is over, or its lease is gone: another worker may run the job
   * @throws UnserializableDataError, PayloadTooLargeError, RqConnectionError; the data stay as they were
   */
  async update(data: Data): Promise<void> {
    const { queue, name, id } = this;
    if (this.#hasEnded) throw new LostLeaseError({ jobId: id });
    const text = encodePayload(queue, name, data);
    assertSize(text, `data of job "${id}"`, this.#host.store.maxPayloadBytes);
    await this.#reporting().update(text);
    this.#call = { name, args: data === undefined ? [] : [data], kwargs: {} };
  }

  /**
   * Says that the handler lives: the `timeout` starts again. With a heartbeat at each step, `timeout: '1m'` means that
   * no step may take longer than a minute, however long the job takes.
   */
  heartbeat(): void {
    if (this.#hasEnded) return;
    this.#host.heartbeat(this.#claimed.execution);
    this.#reporting().heartbeat();
  }

  /** What JSON and logs show of it: neither data nor meta. */
  override toJSON() {
    const { queue, id, name, attempt } = this;
    return { queue, id, name, attempt };
  }

  /** @internal */
  abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  /** @internal Its run is over: what its handler still tells is not taken any more. */
  ended(): void {
    this.#hasEnded = true;
    this.#reports?.end();
  }

  #reporting(): HandlerReports {
    this.#reports ??= new HandlerReports(this.#claimed, this.#host.store);
    return this.#reports;
  }
}

/** What the jobs of one queue share. */
export interface JobHost {
  readonly store: RunStore;
  readonly waiter: ResultWaiter;
  /** Hears what a handler tells. */
  progressed(event: ProgressEvent): void;
  /** The handler of this execution lives. */
  heartbeat(execution: string): void;
}

/** What a run needs of the database beside what every producer has. */
export type RunStore = JobStore & Pick<WorkerStore, 'tell' | 'handedResults'>;
