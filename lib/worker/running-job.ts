import { type JobStore, type ClaimedJob, type JobCall, payloadOf } from '../store/index.js';
import { type ResultWaiter, RqJob } from '../queue/index.js';

/**
 * What a handler gets beside its data: the job that it is running right now. Everything here is made when it is first
 * asked for: most handlers only want their data.
 */
export class RunningJob<Data = unknown, Result = unknown> extends RqJob<Result> {
  private controller: AbortController | undefined;
  private abortReason: Error | undefined;
  private loadedMeta: Record<string, unknown> | undefined;

  constructor(
    private readonly claimed: ClaimedJob,
    private readonly call: JobCall,
    store: JobStore,
    waiter: ResultWaiter,
  ) {
    super(claimed.queue, claimed.id, store, waiter);
  }

  /** The name under which the handler is registered. */
  get name(): string {
    return this.call.name;
  }

  /**
   * The payload. From Python: the one positional argument; the keyword arguments when there are only those; else all
   * positionals.
   */
  get data(): Data {
    return payloadOf(this.call) as Data;
  }

  /** Positional arguments. */
  get args(): readonly unknown[] {
    return this.call.args;
  }

  /** Keyword arguments, as Python gives them. */
  get kwargs(): Readonly<Record<string, unknown>> {
    return this.call.kwargs;
  }

  /** Which run this is, 1-based. Runs that were given back or put off do not count. */
  get attempt(): number {
    return this.claimed.attempt;
  }

  /** Retries that are left if this run fails; undefined: no policy is stored with the job yet, its handler's applies. */
  get retriesLeft(): number | undefined {
    return this.claimed.retry?.max;
  }

  /** As it was when the run began; `saveMeta` writes it back. */
  get meta(): Record<string, unknown> {
    this.loadedMeta ??= this.claimed.meta;
    return this.loadedMeta;
  }

  /**
   * Aborts when this run should end: `reason` is a JobTimeoutError, JobCanceledError, JobStoppedError, LostLeaseError
   * or ShutdownError. Pass it on to what the handler waits for (`fetch(url, { signal: job.signal })`).
   */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortReason) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  /** @internal */
  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(this.abortReason);
  }
}
