import type { ScheduleDefinition } from '../schedule/index.js';
import type { ScheduleRecord } from '../wire/schedule-record.js';

/**
 * The contract for schedules: their definitions, and one job for each of their ticks. Whoever fires computes what comes
 * next; the database decides, in the step that stores the job, whether this tick is still to be fired.
 */
export interface ScheduleStore {
  /** One schedule, and Redis's clock; the record is undefined when there is none. */
  read(id: string): Promise<{ readonly record: ScheduleRecord | undefined; readonly now: number }>;
  /** All schedules, whichever queue they are for. */
  all(): Promise<ScheduleRecord[]>;
  /** Ids of the jobs that a schedule has made, the newest first; at most the last 1000 are known. */
  history(id: string, range: { offset: number; limit: number }): Promise<string[]>;

  /** Writes a definition, if the record is still as `change.expected` says. */
  define(definition: ScheduleDefinition, change: ScheduleChange): Promise<DefineReply>;
  /** Deletes a schedule; one in code only if nobody with that code was there for so many milliseconds. */
  remove(id: string, queue: string | undefined, unseenMs: number): Promise<RemoveReply>;
  /** No tick is fired until it is resumed; false: there is no such schedule. */
  pause(id: string): Promise<boolean>;
  /** @param due the next tick */
  resume(id: string, due: number): Promise<boolean>;

  /** Tells that a process with these definitions is there, and what it may have to fire soon. */
  look(request: LookRequest): Promise<LookReply>;
  /** Stores the jobs of ticks, each only if its tick is still to be fired. */
  fire(ticks: readonly TickJob[]): Promise<TickReply[]>;
  /** What one process does for all from time to time: drops definitions that are in no code any more, tells RQ. */
  tidy(): Promise<void>;
  /** Hears that a definition has changed. Resolves when nothing can be missed any more. */
  onChange(listener: () => void): Promise<() => void>;
}

export interface ScheduleChange {
  readonly from: 'code' | 'api';
  /** Revision that the record has; undefined: there is none. */
  readonly expected: string | undefined;
  /** Milliseconds since the epoch. */
  readonly due: number;
}

/**
 * `live`: the record has this definition. `changed`: somebody else was quicker. `passive`: a newer definition was there
 * lately. `code`, `api`, `queue`: it is defined in code, at run time, for another queue.
 */
export type DefineReply = 'live' | 'changed' | 'passive' | 'code' | 'api' | 'queue';

/** `code`: it is defined in code that was there lately. */
export type RemoveReply = 'removed' | 'missing' | 'queue' | 'code';

export interface LookRequest {
  /** The definitions in code that this process has. */
  readonly own: readonly { readonly id: string; readonly rev: string }[];
  /** Of those made at run time: which are due within so many milliseconds. */
  readonly withinMs: number;
}

export interface LookReply {
  /** Redis's clock, milliseconds since the epoch. */
  readonly now: number;
  /** Of `own`, in its order. */
  readonly own: readonly OwnSchedule[];
  /** Made at run time. */
  readonly soon: readonly { readonly id: string; readonly rev: string; readonly due: number }[];
  /** There are more than could be told: they are due after the last of `soon`. */
  readonly more: boolean;
  /** It is this process's turn to call `tidy`. */
  readonly tidies: boolean;
}

/**
 * How a definition in code stands. `live`: this process fires it. `absent`, `takeable`: this one is to be written.
 * `passive`: a newer one was there lately. `api`: one made at run time has this id.
 */
export type OwnSchedule =
  | { readonly state: 'live'; readonly due: number | undefined }
  | { readonly state: 'absent' | 'passive' | 'api' }
  | {
      readonly state: 'takeable';
      readonly rev: string;
      readonly when: string;
      readonly due: number | undefined;
      readonly seen: number;
      readonly last: number;
    };

/** The job of a tick: a `NewJob` of which the tick is known. */
export interface TickJob extends Pick<ScheduleDefinition, 'queue' | 'data' | 'meta' | 'options'> {
  readonly id: string;
  readonly check: 'once';
  /** The lane of its key; undefined: the schedule says none. */
  readonly lane?: string | undefined;
  readonly tick: Tick;
}

/** A step of a schedule, as the script that stores its job checks it. */
export interface Tick {
  readonly schedule: string;
  readonly rev: string;
  /** `fire`: there is a job; `pass`: there is none; `now`: a job beside the ticks. */
  readonly mode: 'fire' | 'pass' | 'now';
  /** Milliseconds since the epoch, as the two that follow. */
  readonly due: number;
  /** The moment that the job is for. */
  readonly at: number;
  readonly next: number;
  /** Ticks that get no job since nobody was there. */
  readonly missed: number;
  /** False: there is no job while the last one has not ended. */
  readonly overlap: boolean;
}

/**
 * `fired`, `skipped` (the last job has not ended), `passed` (there was none to be stored): the step was made. `moved`: it
 * was made before, or the definition is another now. `early`: it is due in so many milliseconds.
 */
export type TickReply =
  | { readonly state: 'fired' | 'skipped' | 'passed' | 'gone' }
  | { readonly state: 'moved'; readonly rev: string; readonly due: number | undefined }
  | { readonly state: 'early'; readonly inMs: number };
