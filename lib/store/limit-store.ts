import type { Limits } from '../job/index.js';

/**
 * The contract for limits: what workers say of their handlers, what operators set at run time, and how it stands. The
 * limits hold in the database, in the step that claims a job.
 */
export interface LimitStore {
  /**
   * Says what holds for a queue and the handlers of a worker there. The last one who says so counts.
   * @param isAgain only what is not known there any more is written
   */
  declare(queue: string, declaration: LimitDeclaration, isAgain: boolean): Promise<LimitChange[]>;
  /**
   * Sets limits that win over what workers say.
   * @param limits undefined: ends what was set
   * @param lasts milliseconds; undefined: until it is set anew
   */
  set(
    queue: string,
    target: LimitTarget,
    limits: LimitOverride | undefined,
    lasts: number | undefined,
  ): Promise<void>;
  /** Whether a job of the queue may start now, and else from when on (milliseconds since the epoch), if that is known. */
  mayStart(
    queue: string,
  ): Promise<{ readonly mayStart: boolean; readonly opensAt: number | undefined }>;
  /** What holds. */
  read(queue: string): Promise<StoredLimits>;
  /** The lanes in which jobs wait, by turn. */
  lanes(queue: string, range: { offset: number; limit: number }): Promise<StoredLane[]>;
  /** How much is used of the limits that each of these has, in their order. */
  uses(queue: string, targets: readonly LimitTarget[]): Promise<StoredUse[][]>;
  /** What keeps a job from starting now; undefined: there is no such job. */
  wait(queue: string, id: string): Promise<StoredWait | undefined>;
}

/** What a worker says of its handlers on one queue. Texts are those of wire/limit-text.ts. */
export interface LimitDeclaration {
  /** By the handlers' names. */
  readonly gates: ReadonlyMap<string, string>;
  /** Names of handlers without limits or keys. */
  readonly plain: readonly string[];
  /** Of the queue as a whole; empty: none; undefined: this worker does not know. */
  readonly queue: string | undefined;
}

/** Limits that were others before. */
export interface LimitChange {
  /** Undefined: those of the queue as a whole. */
  readonly handler: string | undefined;
  readonly before: Limits;
  readonly after: Limits;
}

/** What is limited: the queue as a whole, a handler, or one key of a handler. */
export interface LimitTarget {
  readonly handler: string | undefined;
  readonly key: string | undefined;
}

/** Numbers that are set; undefined: as declared; Infinity: none. */
export type LimitOverride = Limits;

export interface StoredLimits {
  readonly declared: ReadonlyMap<string | undefined, Limits>;
  readonly set: readonly {
    readonly target: LimitTarget;
    readonly limits: LimitOverride;
    /** Milliseconds since the epoch; undefined: until it is set anew. */
    readonly until: number | undefined;
  }[];
  /** Whatever a handler has put off with `SnoozeJob`, and until when (milliseconds since the epoch). */
  readonly resting: readonly { readonly target: LimitTarget; readonly until: number }[];
}

export interface StoredLane {
  readonly handler: string;
  /** Empty: the lane of the jobs without a key. */
  readonly key: string;
  readonly waiting: number;
  readonly running: number;
  /** Why none of its jobs may start now; undefined: one may. */
  readonly why: LaneWait | undefined;
  /** When one may start, milliseconds since the epoch; undefined: now, or as soon as a slot is free. */
  readonly opensAt: number | undefined;
  /** Of what the limit is that holds it up; undefined: none does. */
  readonly scope: LimitScope | undefined;
  /** How much of that limit is used, as running jobs or starts; of a batch, how many jobs are there. */
  readonly used: number | undefined;
  /** How much it may be. */
  readonly max: number | undefined;
  /** Milliseconds in which so many may start; undefined: it is not a rate. */
  readonly per: number | undefined;
  /** When its first job became ready to run, milliseconds since the epoch; undefined: the job does not say. */
  readonly since: number | undefined;
}

/** What has a limit. */
export type LimitScope = 'key' | 'handler' | 'queue';

/** One limit, and how much of it is used. */
export interface StoredUse {
  readonly why: 'concurrency' | 'paused' | 'rate' | 'snoozed';
  /** Running jobs, or starts that count; undefined: it is put off. */
  readonly used: number | undefined;
  readonly max: number | undefined;
  /** Milliseconds in which so many may start; undefined: it is not a rate. */
  readonly per: number | undefined;
  /** It keeps jobs from starting now. */
  readonly stops: boolean;
  /** Until when, milliseconds since the epoch; undefined: that is not known, or it stops nothing. */
  readonly opensAt: number | undefined;
}

/** What stops a job that waits. */
export interface StoredStop extends Omit<StoredUse, 'why' | 'stops'> {
  readonly why: LaneWait;
  readonly scope: LimitScope;
  /** Id of the job whose retry it waits for; undefined: it waits for something else. */
  readonly job: string | undefined;
}

/** Why a job does not start. */
export interface StoredWait {
  readonly status: string;
  /** The queue is paused. */
  readonly paused: boolean;
  /** RQ is suspended. */
  readonly suspended: boolean;
  /** When its time comes, milliseconds since the epoch; undefined: it waits for none. */
  readonly due: number | undefined;
  /** Where it stands; undefined: in no lane. */
  readonly lane: { readonly handler: string; readonly key: string } | undefined;
  /** What of its limits stops it, the nearest first. */
  readonly stops: readonly StoredStop[];
}

/**
 * `concurrency`: as many run as may; `rate`: as many have started as may; `snoozed`: a handler has put it off; `batch`: its
 * jobs gather; `retry`: order is strict, and one of the key waits for its retry.
 */
export type LaneWait = 'concurrency' | 'rate' | 'snoozed' | 'paused' | 'batch' | 'retry';
