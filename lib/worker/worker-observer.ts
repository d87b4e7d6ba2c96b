import type { FailureRecord, JobEvent } from '../job/index.js';

/**
 * What a worker tells whoever watches it: the Nest layer logs it, metrics count it, tests wait for it.
 * Each method is optional and called synchronously; what is not implemented costs nothing. An observer
 * that throws is ignored: it must not be able to stop a worker.
 */
export interface WorkerObserver {
  /** The handler is about to run. */
  jobStarted?(event: ExecutionEvent): void;
  /** Redis has recorded the result. */
  jobFinished?(event: ExecutionEvent & { readonly duration: number }): void;
  /** An attempt failed and another follows. */
  attemptFailed?(event: AttemptFailedEvent): void;
  /** The last attempt failed: the job is in the failed registry. */
  jobFailed?(event: JobFailedEvent): void;
  /** The handler threw `SnoozeJob` or its job was given back; `delay` in milliseconds. */
  jobReturned?(
    event: ExecutionEvent & { readonly reason: ReturnReason; readonly delay: number },
  ): void;
  /** The handler threw `CancelJob`, or somebody canceled or stopped the running job. */
  jobCanceled?(event: ExecutionEvent & { readonly reason: string }): void;
  /** The execution's lease was lost: its outcome was refused, the job runs or ran elsewhere. */
  leaseLost?(event: ExecutionEvent): void;
  /** Whatever becomes of a job here, in the one form in which it is also told to other processes. */
  jobEvent?(event: JobEvent): void;
  /** A crashed worker's jobs were found and put back or failed. */
  crashRecovered?(event: {
    readonly queue: string;
    readonly jobId: string;
    readonly outcome: 'requeued' | 'failed';
  }): void;
  /** An id in the queue that could not be run: no such job any more, canceled, not a job. */
  jobDropped?(event: {
    readonly queue: string;
    readonly jobId: string;
    readonly reason: string;
  }): void;
  /** Something is wrong with the surroundings (Redis, its settings); repeated at most once per interval. */
  problem?(event: { readonly message: string; readonly error?: unknown }): void;
  /** What was wrong is well again. */
  recovered?(event: { readonly message: string }): void;
}

/** One execution of one job. */
export interface ExecutionEvent {
  readonly queue: string;
  readonly name: string;
  readonly jobId: string;
  /** 1-based. */
  readonly attempt: number;
}

export interface AttemptFailedEvent extends ExecutionEvent {
  readonly failure: FailureRecord;
  readonly error: unknown;
  /** Milliseconds until it runs again; 0: at once. */
  readonly delay: number;
  readonly retriesLeft: number;
}

export interface JobFailedEvent extends ExecutionEvent {
  readonly failure: FailureRecord;
  readonly error: unknown;
  /** Why no retry follows: `no retries left`, `FailJob`, ... */
  readonly why: string;
}

export type ReturnReason =
  'snoozed' | 'shutdown' | 'handler busy' | 'unknown job' | 'claimed ahead';
