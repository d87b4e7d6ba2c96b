import type {
  Durability,
  JobEvent,
  JobStatus,
  Outcome,
  ResolvedJobOptions,
  ResolvedSelection,
  RoomRule,
  WaitsFor,
} from '../job/index.js';
import type { BlockingPop } from '../redis/blocking-pop.js';
import type { ClaimedJob } from '../wire/claimed-job.js';
import type { JobRecord, ResultEntry } from '../wire/job-record.js';
import type { Settled } from '../wire/settled-message.js';
import type { LeaseGuard } from '../redis/lease-guard.js';
import type { LimitStore } from './limit-store.js';
import type { GroupStore } from './group-store.js';
import type { ReplicatedStore } from './replicated-store.js';
import type { ScheduleStore, Tick } from './schedule-store.js';
import type { ListRange, WatcherStore } from './watcher-store.js';
import type { WorkerRegister } from './worker-register.js';

export type * from './worker-register.js';

/**
 * The contracts with the database, by role: what producers need, what watchers read, what workers need beside both.
 * Every change of a job's state is one call here and one step there. Queues and workers know these, not Redis.
 */

/** Producers: store jobs, follow and control single jobs, pause and empty a queue. */
export interface ProducerStore {
  /** The most bytes of UTF-8 that data, meta and a result may have. */
  readonly maxPayloadBytes: number;

  /**
   * In a cluster: the store of a queue, and of all that may change in one step with it. Missing: this is the store of all
   * queues.
   */
  forQueue?(queue: string): WorkerStore;
  /** In a cluster: what the queues of this store have in common. */
  readonly hashTag?: string;
  /** In a cluster: the queue of each job, at whatever hash tag it is; undefined: no such job. */
  queuesEverywhere?(ids: readonly string[]): Promise<(string | undefined)[]>;

  /**
   * Stores new jobs of one queue or several, all or (mode `each`) each by itself, and answers with those that were not
   * stored. A job may wait for jobs that stand earlier in the same call. With `durability`, replicas have them then.
   */
  enqueue(jobs: readonly NewJob[], mode: 'all' | 'each'): Promise<Refusal[]>;
  /** Hears that there may be room again in a queue that was full. Resolves when nothing can be missed any more. */
  onRoom(queue: string, listener: () => void): Promise<() => void>;
  /** Milliseconds for which a call waits at most. */
  readonly commandTimeout: number;

  /** The job as it stands; undefined: no such job. */
  read(id: string): Promise<JobRecord | undefined>;
  /** RQ's result stream of a job, oldest first. */
  results(id: string): Promise<ResultEntry[]>;
  /** The queue of each job; undefined: no such job. */
  queuesOf(ids: readonly string[]): Promise<(string | undefined)[]>;
  /** Jobs that wait for this one, or were canceled because of it. */
  dependents(id: string): Promise<readonly DependentJob[]>;
  /** Lines of a job's log, oldest first. */
  logs(id: string, range: ListRange): Promise<string[]>;
  /** 0-based place in the queue; undefined: not waiting there. */
  position(queue: string, id: string): Promise<number | undefined>;
  /** As `read`, and has the settlement of an unsettled job announced (see `onSettled`). */
  watch(queue: string, id: string): Promise<JobRecord | undefined>;
  /** Hears of settlements that somebody watches. Resolves when nothing can be missed any more. */
  onSettled(queue: string, listener: (settled: Settled) => void): Promise<() => void>;
  /**
   * What to do when a result does not come in time, if this store knows more than that a worker is missing.
   * @param status where the job stands
   */
  adviceForLateResult?(status: JobStatus): string | undefined;
  /** Hears the events of a queue's jobs. Resolves when Redis has confirmed; workers know a moment later. */
  onEvent(queue: string, listener: (event: JobEvent) => void): Promise<() => void>;

  control(queue: string, id: string, action: ControlAction): Promise<ControlReply>;
  /** The same to many jobs, a slice at a time. Ids without a job leave the registries of ended jobs. */
  controlMany(
    queue: string,
    selection: readonly string[] | SelectedPlace,
    action: ControlAction,
    pace?: ControlPace,
  ): Promise<ControlReport>;
  /** Gives back what an operation has deleted within the last hour (`keep`), as far as that is possible. */
  undelete(queue: string, operation: string): Promise<Undeleted>;
  /** Deletes all waiting jobs; answers how many. */
  empty(queue: string): Promise<number>;
  pause(queue: string): Promise<void>;
  resume(queue: string): Promise<void>;

  readonly schedules: ScheduleStore;
  readonly limits: LimitStore;
  readonly groups: GroupStore;
  readonly replicated: ReplicatedStore;
}

/** What a `Queue` holds: it can neither claim nor settle a job. */
export interface JobStore extends ProducerStore, WatcherStore {}

/** Workers: claim, settle, keep leases, recover; ways to wait, and to be seen. */
export interface WorkerStore extends JobStore {
  /** The worker's one door: settles, promotes what is due, claims. */
  exchange(queue: string, request: ExchangeRequest): Promise<ExchangeReply>;
  /** Extends leases; answers with the executions that are not ours any more or shall stop. */
  renew(queue: string, leaseMs: number, leases: readonly Lease[]): Promise<RenewReply[]>;
  /** Keeps leases while the event loop is blocked. */
  leaseGuard(queues: readonly string[], token: string, leaseMs: number): LeaseGuard;
  /** Executions in the started registry that hold this token: claimed by us, although the answer may have been lost. */
  leasesOf(queue: string, token: string): Promise<Lease[]>;
  /** Puts right what crashed workers left behind. */
  recover(queue: string, settings: RecoverSettings): Promise<RecoverReply>;
  /** The results that were handed over to a job when its parents finished. */
  handedResults(id: string, parentIds: readonly string[]): Promise<HandedResult[]>;
  /** Writes down what a running job tells; false: the lease is not ours any more, and nothing was written. */
  tell(queue: string, lease: Lease, told: Told): Promise<boolean>;

  /** The way to wait at an empty queue. */
  blockingPop(queue: string): BlockingPop;
  /** Hears that a job is due in so many milliseconds, or that the queue was resumed (undefined). */
  onWake(queue: string, listener: (due: number | undefined) => void): Promise<() => void>;
  /**
   * Hears RQ's commands to a worker, as they were sent: anything may come.
   * @param queues those that it serves
   */
  onCommand(
    worker: string,
    listener: (message: string) => void,
    queues?: readonly string[],
  ): Promise<() => void>;
  /** Hears when the database is reachable again. */
  onReady(listener: () => void): () => void;
  readonly workers: WorkerRegister;
}

/** A job to be stored. */
export interface NewJob {
  readonly queue: string;
  readonly id: string;
  /** `new`: the id was drawn by us; `once`: an existing job of this id is left alone; `unique`: it is an error. */
  readonly check: 'new' | 'once' | 'unique';
  /** Text of the call (see call-codec). */
  readonly data: string;
  readonly options: ResolvedJobOptions;
  /** Text of the meta, if any. */
  readonly meta: string | undefined;
  /** In which lane it waits, should its handler have a gate (see wire/lane.ts); undefined: its name decides. */
  readonly lane?: string;
  /** What must be over before it may run; its delay counts from then on. */
  readonly waitsFor?: WaitsFor;
  /** It is refused where its queue holds so many already; undefined: it comes in whatever waits there. */
  readonly room?: RoomRule;
  /** The call resolves only when replicas have it, too; undefined: when Redis has it. */
  readonly durability?: Durability;
  /** It is the job of a schedule: stored only if that still waits for this tick. */
  readonly tick?: Tick;
}

/** A job that waits for another. */
export interface DependentJob {
  readonly id: string;
  readonly queue: string;
}

/**
 * The result of a parent as JSON. A number: it was too long to be handed over, and had so many bytes; undefined: the parent
 * did not finish, or nobody handed it over. Then it is read from the parent, if that is still there.
 */
export type HandedResult = string | number | undefined;

export interface Refusal {
  readonly index: number;
  /**
   * `held`: another job is the same and keeps this one away; `replaced`: it has taken this one's data; `rekeyed`: it
   * would, but has another key; `full`: there is no room in its queue; `low`: of this priority no job waits in a lane;
   * `circle`: it would wait for itself, by way of its group.
   */
  readonly reason:
    | 'exists'
    | 'duplicate'
    | 'held'
    | 'replaced'
    | 'rekeyed'
    | 'full'
    | 'low'
    | 'circle'
    | TickRefusal;
  /** Id of the job that has the key; undefined: it has the id. */
  readonly holder: string | undefined;
  /** What goes with the reason of a tick; of `full`: how many wait in the queue, and `key` when it is its key's. */
  readonly details?: readonly string[];
}

/** Why no job is stored for a tick (see `TickReply`). */
export type TickRefusal = 'moved' | 'early' | 'skipped' | 'passed' | 'gone';

/** What a worker holds of a job that it runs: while Redis has it, the outcome of this execution counts. */
export interface Lease {
  readonly id: string;
  readonly execution: string;
}

/** What a handler tells of its running job. */
export interface Told {
  /** How far it is, as JSON, and the event that says so to those who listen. */
  readonly progress?: { readonly json: string; readonly event: JobEvent };
  /** For the job's log; at most as many as it keeps. */
  readonly lines: readonly string[];
  /** Text of the call that later attempts run. */
  readonly data?: string;
  /** It lives: RQ's tools may see it. */
  readonly isAlive: boolean;
}

export interface SettleRequest {
  readonly job: ClaimedJob;
  /** The job's name, if it is known. */
  readonly name?: string;
  readonly outcome: Outcome;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface ExchangeRequest {
  readonly leaseMs: number;
  readonly worker: string;
  /** Begins the names of this worker's executions. */
  readonly token: string;
  readonly nextExecution: number;
  readonly want: number;
  /** For how many of them there is no slot yet; default none. */
  readonly ahead?: number;
  /** How many jobs of handlers that are limited within this worker it takes; default: there are no such handlers. */
  readonly rooms?: readonly GateRoom[];
  readonly suspects: SuspectRule;
  readonly woken: readonly string[];
  readonly outcomes: readonly SettleRequest[];
  /** The call that brings the outcomes; undefined: there are none. */
  readonly call: OutcomeCall | undefined;
  /** What to tell to those who listen to the queue's events; empty while nobody does. */
  readonly events: readonly ToldEvent[];
}

/** How many more jobs of a handler a worker takes that limits it for itself, or takes its jobs in batches. */
export interface GateRoom {
  readonly name: string;
  readonly room: number;
  /** How many it could run besides those that are there, this call apart; Infinity: any number. */
  readonly free: number;
  /** How many jobs at most it takes with one slot, as a batch; undefined: its handler takes them one by one. */
  readonly batch?: number | undefined;
}

/** A call that brings outcomes, as its note in the database names it: repeated, it changes nothing. */
export interface OutcomeCall {
  /** Small number that no other call has which is under way or of which the answer is missing. */
  readonly slot: number;
  readonly number: number;
  /** It was made before, with the same outcomes, and its answer was lost. */
  readonly isRepeated: boolean;
  /** The notes of this worker are to be kept longer; at least once an hour. */
  readonly renewsNotes: boolean;
}

/** What to do with jobs that were there when workers died. */
export interface SuspectRule {
  /** Crashes from which on a job is a suspect. */
  readonly from: number;
  /** One of them may be claimed. */
  readonly takes: boolean;
  /** Milliseconds for which the others are put off. */
  readonly delay: number;
}

/** An event to be told, if the outcome that it tells of is written (index in `outcomes`; undefined: in any case). */
export interface ToldEvent {
  readonly event: JobEvent;
  readonly outcome: number | undefined;
}

export interface ExchangeReply {
  /** Index of each refused outcome, and the status that the job has now (`missing`, `error ...`). */
  readonly refused: readonly { readonly index: number; readonly status: string }[];
  readonly claimed: readonly ClaimedJob[];
  readonly dropped: readonly { readonly id: string; readonly reason: string }[];
  /** Milliseconds until the next scheduled job is due; the answer's own way is taken off. */
  readonly nextDue: number | undefined;
  readonly paused: boolean;
  /** Fewer were claimed than asked for since they are long: there are more. */
  readonly more: boolean;
  /** The queue as a whole may start no more now: who waits is told. */
  readonly limited?: boolean;
  /** Milliseconds until jobs may start that wait for a time; undefined: none, or another worker is told. */
  readonly opensIn?: number | undefined;
  /** Redis's clock, milliseconds since the epoch. */
  readonly now: number;
  /** Why nothing could be claimed, such as `OOM ...`. */
  readonly failure: string | undefined;
  /** Somebody listens to the queue's events. */
  readonly listened: boolean;
  /** Jobs that wait for those that have ended are still to be told. */
  readonly leftOver?: boolean;
}

export interface RenewReply {
  readonly index: number;
  /** `stop`, or the status that the job has now. */
  readonly status: string;
}

export interface RecoverSettings {
  readonly maxCrashes: number;
  /** An id that stays as long in the intermediate list is stale. */
  readonly leaseMs: number;
}

export interface RecoverReply {
  readonly handled: readonly {
    readonly id: string;
    readonly outcome: 'requeued' | 'failed';
    /** Of an execution that was lost; undefined: it had not begun. */
    readonly event: JobEvent | undefined;
  }[];
  /** Milliseconds until the next lease ends, or a popped id is stale, as far as is known now. */
  readonly nextLook: number | undefined;
  /** Milliseconds until the next scheduled job is due. */
  readonly nextDue: number | undefined;
}

/**
 * What is done to a job. `dependents`: what becomes of the jobs that wait for it; `end`: what each says itself
 * (`ifFailed`).
 */
export type ControlAction =
  | { readonly type: 'cancel'; readonly dependents: 'end' | 'release' }
  | {
      readonly type: 'delete';
      readonly dependents: 'end' | 'delete';
      /** Names the operation by which those that have ended can be had back for an hour; undefined: they are gone. */
      readonly keep?: string | undefined;
    }
  | { readonly type: 'stop' | 'promote' }
  | {
      readonly type: 'requeue';
      readonly front: boolean;
      /** Undefined: what is left of them. */
      readonly retries?: 'fresh' | number | undefined;
      /** Finished jobs, too. */
      readonly finished?: boolean;
    }
  | { readonly type: 'meta'; readonly json: string };

export interface ControlReply {
  /** `already`: it is as asked for, and nothing was changed; `duplicate`: another job has its unique key. */
  readonly answer: 'done' | 'already' | 'refused' | 'missing' | 'duplicate';
  /** The status that the job had; of a duplicate the id of the other job. */
  readonly status: string;
}

/** Jobs of a registry or of the queue, in its order. */
export type SelectedPlace = Pick<ResolvedSelection, 'in'> & Partial<ResolvedSelection>;

/** How fast something is done to many jobs. */
export interface ControlPace {
  /** How many jobs a call looks at to change them at most. */
  readonly most: number;
  /** Called after each of these calls; the next one waits for the answer, and is not made when that is false. */
  goesOn(soFar: ControlReport): Promise<boolean>;
}

/** What has come of the wish to have deleted jobs back. */
export interface Undeleted {
  readonly restored: number;
  /** Another job has their id by now, or they would have been deleted meanwhile anyway. */
  readonly refused: number;
}

/** What became of the jobs of a selection. */
export interface ControlReport {
  /** How many jobs were changed. */
  readonly done: number;
  /** How many were left as they are, and why. */
  readonly skipped: {
    /** They run. */
    readonly running: number;
    /** Their status does not allow it, or they are as asked for already. */
    readonly state: number;
    /** Another job has their unique key. */
    readonly duplicate: number;
  };
  /** Ids whose job is gone. */
  readonly missing: number;
  /** How many of those that were deleted can be had back for an hour; undefined: nobody asked for it. */
  readonly undoable?: number;
  /** How many entries or ids were looked at, also those of which the selection asks for another name or time. */
  readonly looked: number;
}
