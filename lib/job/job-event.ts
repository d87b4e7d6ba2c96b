/**
 * What becomes of jobs, told as it happens: to the methods marked `@OnJob`, and through Redis to `queue.events()` and
 * `job.events()` in any process. An event tells what Redis has written down already; it may be missed (a cut link, a
 * listener that came late), so that nothing should depend on it that Redis can be asked for.
 */
export type JobEvent =
  | StartedEvent
  | ProgressEvent
  | RetryingEvent
  | FinishedEvent
  | ExhaustedEvent
  | FailedEvent
  | CanceledEvent
  | LostEvent;

/** What all events tell. */
interface AnyJobEvent {
  readonly queue: string;
  readonly jobId: string;
  /** The job's name; empty when who told it did not know: a job that Python enqueued and that never ran here. */
  readonly name: string;
  /** Which run it is about, 1-based; 0: it did not run. */
  readonly attempt: number;
  readonly at: Date;
}

/** A handler begins to run. */
export interface StartedEvent extends AnyJobEvent {
  readonly type: 'started';
}

/** The handler has told how far it is. */
export interface ProgressEvent extends AnyJobEvent {
  readonly type: 'progress';
  readonly progress: unknown;
}

/** The attempt failed, and another follows. */
export interface RetryingEvent extends AnyJobEvent {
  readonly type: 'retrying';
  readonly error: EventError;
  /** Milliseconds until it runs again; 0: at once. */
  readonly delay: number;
  readonly retriesLeft: number;
}

/** The handler has returned. */
export interface FinishedEvent extends AnyJobEvent {
  readonly type: 'finished';
  /** What it returned, `null` for nothing; undefined when that is longer than 64 KB of JSON: ask `job.result()`. */
  readonly result: unknown;
  /** Milliseconds. */
  readonly duration: number;
  /** How often it runs again; above 0 it is not the job's last event. */
  readonly repeatsLeft: number;
}

/** All retries are used up, or their time is over; `failed` follows. The event to alert somebody at. */
export interface ExhaustedEvent extends AnyJobEvent {
  readonly type: 'exhausted';
  readonly error: EventError;
}

/** The job has failed for good. */
export interface FailedEvent extends AnyJobEvent {
  readonly type: 'failed';
  readonly error: EventError;
}

/** Somebody or its own handler canceled, stopped or deleted the job. */
export interface CanceledEvent extends AnyJobEvent {
  readonly type: 'canceled';
  readonly reason: string;
}

/** The job's worker died or was cut off; the job runs again, or fails at once as poison. */
export interface LostEvent extends AnyJobEvent {
  readonly type: 'lost';
}

/** What was thrown, in one line; the stack is with the job (`job.results()`). */
export interface EventError {
  readonly name: string;
  readonly message: string;
}

export type JobEventType = JobEvent['type'];

/** One kind of event: `JobEventOf<'retrying'>`; of several kinds, what they have in common. */
export type JobEventOf<Type extends JobEventType> = Extract<JobEvent, { readonly type: Type }>;

/** In the order in which they may follow each other. */
export const JOB_EVENT_TYPES = [
  'started',
  'progress',
  'retrying',
  'finished',
  'exhausted',
  'failed',
  'canceled',
  'lost',
] as const satisfies readonly JobEventType[];

/** No event of the job follows this one, unless somebody requeues it. */
export function isLastEvent(event: JobEvent): boolean {
  if (event.type === 'finished') return event.repeatsLeft === 0;
  return event.type === 'failed' || event.type === 'canceled';
}
