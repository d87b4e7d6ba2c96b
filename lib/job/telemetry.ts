/**
 * What traces and metrics are made of: the places at which a library for them is asked. `nestjs-rq/opentelemetry` is one
 * such library. Without one, nothing here costs anything.
 */
export interface RqTelemetry {
  /** Called around each call that enqueues, in the context of its caller. Gives what `run` gives. */
  enqueue<Result>(call: EnqueueCall, run: () => Promise<Result>): Promise<Result>;
  /** Puts the current context into the headers of a job that is enqueued. */
  inject(headers: Record<string, string | undefined>): void;
  /** Called around each run of a handler, outside guards and the like. Gives what `run` gives. */
  process<Result>(job: ProcessedJob, run: () => Promise<Result>): Promise<Result>;
  /** The same for a handler that takes several jobs at once. A job that its pipes refuse is none of them, and goes to `process`. */
  processBatch<Result>(batch: ProcessedBatch, run: () => Promise<Result>): Promise<Result>;
  /** Runs what begins loops and timers, outside of every trace. */
  outside<Result>(run: () => Result): Result;
  /** The id of the trace in which the caller is, for lines of the log. */
  traceId?(): string | undefined;
  /** Called when the application has started: figures that it may show for as long as it runs. Gives what ends that. */
  observe?(figures: TelemetryFigures): () => void;
}

/** What stands in Redis, and what this process has done: the same as for Prometheus. */
export interface TelemetryFigures {
  readonly definitions: readonly FigureDefinition[];
  /** The numbers of one of them now, each with its labels. */
  read(name: string): Promise<readonly ObservedFigure[]>;
}

export interface FigureDefinition {
  /** `rq_retrying_jobs`, `rq_redis_errors_total`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  /** `fleet`: every process shows the same. */
  readonly scope: 'fleet' | 'process';
}

export interface ObservedFigure {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A call that enqueues. */
export interface EnqueueCall {
  readonly queue: string;
  /** Of the job, or of the first of several. */
  readonly name: string;
  /** How many jobs. */
  readonly count: number;
}

/** A job whose handler is about to run. */
export interface ProcessedJob {
  readonly queue: string;
  readonly name: string;
  readonly id: string;
  readonly attempt: number;
  /** Undefined: its handler's policy applies, which is not stored with the job yet. */
  readonly retriesLeft: number | undefined;
  /** Milliseconds for which it had been ready; undefined: not known. */
  readonly waitMs: number | undefined;
  /** What traveled with the job; anybody may have written it. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The worker that runs it. */
  readonly worker: string | undefined;
}

/** Jobs of one queue and name whose handler is about to run, once for all of them. */
export interface ProcessedBatch {
  readonly queue: string;
  readonly name: string;
  readonly jobs: readonly ProcessedJob[];
  /** The worker that runs them. */
  readonly worker: string | undefined;
  /**
   * The jobs that the handler has decided about by itself so far, by their ids: what it failed them with, or undefined for
   * those that it finished. The others end as its run does.
   */
  readonly decided: () => ReadonlyMap<string, { readonly error: unknown } | undefined>;
}
