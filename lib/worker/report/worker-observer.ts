import type { CallbackMoment, FailedEvent, FailureRecord, JobEvent } from '../../job/index.js';
import type { LimitChange } from '../../store/index.js';

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
  jobRetrying?(event: JobRetryingEvent): void;
  /** The last attempt failed: the job is in the failed registry. */
  jobFailed?(event: JobFailedEvent): void;
  /** Not now: the job runs again after `delay` milliseconds, and no retry is spent. */
  jobSnoozed?(
    event: ExecutionEvent & { readonly reason: SnoozeReason; readonly delay: number },
  ): void;
  /** The job went back to the head of its queue, and no retry is spent. */
  jobReleased?(event: ExecutionEvent & { readonly reason: ReleaseReason }): void;
  /** The handler threw `CancelJob`, or somebody canceled or stopped the running job. */
  jobCanceled?(event: ExecutionEvent & { readonly reason: string }): void;
  /** The execution's lease was lost: its outcome was refused, the job runs or ran elsewhere. */
  jobLost?(event: ExecutionEvent): void;
  /** Whatever becomes of a job here, in the one form in which it is also told to other processes. */
  jobEvent?(event: JobEvent): void;
  /** The job names a Python function that is to be called now: nobody here does, but somebody may take its place. */
  jobCallback?(callback: JobCallback): void;
  /** A crashed worker's jobs were found and put back or failed. */
  jobRecovered?(event: {
    readonly queue: string;
    /** Empty: it is not known (of some of Python's). */
    readonly name: string;
    readonly jobId: string;
    readonly outcome: 'requeued' | 'failed';
  }): void;
  /** A job was failed since its workers kept dying. */
  jobPoisoned?(event: FailedEvent): void;
  /** An id in the queue that could not be run: no such job any more, canceled, not a job. */
  jobDropped?(event: {
    readonly queue: string;
    readonly jobId: string;
    readonly reason: string;
  }): void;
  /** RQ's command `shutdown` came for this worker: it stops, and nothing but a new worker takes its place. */
  stopCommanded?(event: { readonly worker: string; readonly queues: readonly string[] }): void;
  /** This worker has said other limits for its handlers than held before. */
  limitsChanged?(event: LimitChange & { readonly queue: string }): void;
  /** Something is wrong with the surroundings (Redis, its settings); repeated at most once per interval. */
  problem?(event: {
    readonly message: string;
    readonly error?: unknown;
    /** It is about this queue alone. */
    readonly queue?: string | undefined;
  }): void;
  /** What was wrong is well again; `problem` was its message. */
  problemSolved?(event: { readonly message: string; readonly problem: string }): void;
}

/** A callback that a job has from Python, at its moment: the outcome is written. */
export interface JobCallback {
  /** The dotted name of a Python function, as whoever enqueued the job gave it. */
  readonly callback: string;
  readonly on: CallbackMoment;
  /** `failure`: of each attempt that failed, so that it may be `retrying`; `stopped`: it is `canceled`. */
  readonly event: JobEvent;
}

/** One execution of one job. */
export interface ExecutionEvent {
  readonly queue: string;
  readonly name: string;
  readonly jobId: string;
  /** 1-based. */
  readonly attempt: number;
}

/** Milliseconds of an attempt that failed. */
interface FailedTimes {
  /** For how long it ran. */
  readonly duration: number;
  /** For how long its job had been ready when it started; undefined: that is not known. */
  readonly wait: number | undefined;
}

export interface JobRetryingEvent extends ExecutionEvent, FailedTimes {
  readonly failure: FailureRecord;
  readonly error: unknown;
  /** Milliseconds until it runs again; 0: at once. */
  readonly delay: number;
  readonly retriesLeft: number;
}

export interface JobFailedEvent extends ExecutionEvent, FailedTimes {
  readonly failure: FailureRecord;
  readonly error: unknown;
  /** Why no retry follows: `no retries left`, `FailJob`, ... */
  readonly why: string;
}

/** `snoozed`: its handler threw `SnoozeJob`. */
export type SnoozeReason = 'snoozed' | 'unknown job';
/** `prefetched`: it was claimed before a slot was free, and another worker may be quicker. */
export type ReleaseReason = 'shutdown' | 'prefetched';
