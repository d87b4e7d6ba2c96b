import type { Finding, SelectableIn } from '../job/index.js';
import type { Figures, Tier } from '../wire/figures.js';
import type { AlertStore } from './alert-store.js';
import type { DeskStore } from './desk-store.js';

/** Figures for those who watch: how queues stand, what workers do, what became of jobs. Reading changes nothing. */
export interface FigureStore {
  /** What operators share; the only part of it that is written to. */
  readonly desk: DeskStore;
  /** How many jobs of a queue stand where. */
  counts(queue: string): Promise<RegistryCounts>;
  /** How these queues stand, by Redis's clock, a call for up to 100 of them. */
  overview(queues: readonly string[]): Promise<QueueState[]>;
  /** All workers that show themselves, Python's too. */
  workers(): Promise<WorkerState[]>;
  /** What workers have counted of a queue's jobs since then, oldest stretch first; stretches without jobs are left out. */
  buckets(queue: string, tier: Tier, since: Date): Promise<Bucket[]>;
  /** Somebody looks: for the next 15 seconds workers show what they have every two seconds. */
  view(): Promise<void>;
  /** Redis's clock. */
  now(): Promise<Date>;
  /** What the server says of itself. */
  server(): Promise<ServerState>;
  /** What is wrong with the server and with our rights there, for a process that works. */
  findings(): Promise<Finding[]>;
  /** What is left over in a queue: of workers that died, or of whoever writes only half. A look at some hundred entries. */
  leftovers(queue: string): Promise<Leftovers>;
  /** Looks at up to so many jobs, wherever they are, for what lists of them do not tell. */
  scan(most: number): Promise<ScannedJobs>;
  /** Looks at up to so many deferred jobs of these queues for those that wait for themselves, by way of groups. */
  circles(queues: readonly string[], most: number): Promise<readonly WaitCircle[]>;
  readonly alerts: AlertStore;
  /** Jobs that were enqueued through this store, by queue. */
  readonly enqueued: ReadonlyMap<string, number>;
}

/** What was seen of some thousand jobs. */
export interface ScannedJobs {
  /** Those that nobody will ever delete: they have ended, stand in no registry, and have no time to live. */
  readonly forgotten: readonly { readonly id: string; readonly queue: string }[];
  /** Those with the largest payloads, the largest first; at most five of each queue. */
  readonly largest: readonly {
    readonly id: string;
    readonly queue: string;
    readonly bytes: number;
  }[];
}

/**
 * Jobs that wait for themselves, by way of groups, and those that wait for them. The call that closes such a circle is
 * refused; but it looks at a thousand jobs only, and not at what Python does to groups.
 */
export interface WaitCircle {
  /** How many jobs wait for ever, as far as was looked. */
  readonly jobs: number;
  /** One that is part of a circle. */
  readonly id: string;
  readonly queue: string;
  /** A group by which it waits for itself. */
  readonly group: string;
}

/** What stands in a queue's places and should not. */
export interface Leftovers {
  /** Leases that ended a minute ago, and that nobody has recovered. */
  readonly endedLeases: number;
  /** Ids that were popped by somebody who died before he claimed them, or was killed a moment ago. */
  readonly popped: number;
}

/** A Redis server; undefined is what it does not tell. */
export interface ServerState {
  readonly version: string | undefined;
  /** `master`, `slave`. */
  readonly role: string | undefined;
  /** Replicas that follow it; in a cluster, those of the node that has the fewest. */
  readonly replicas: number | undefined;
  /** Bytes. */
  readonly usedMemory: number | undefined;
  /** Bytes; 0: no limit. */
  readonly maxMemory: number | undefined;
  /** What it does when its memory is full; only `noeviction` never deletes jobs. */
  readonly evictionPolicy: string | undefined;
  /** It writes each change to a file. */
  readonly appendsToFile: boolean;
}

/** How a queue stands at one moment. */
export interface QueueState extends RegistryCounts {
  readonly queue: string;
  /** Jobs that wait for a retry that is not due yet. They are in `scheduled`, too. */
  readonly retrying: number;
  /** Scheduled jobs whose time has come and that nobody has moved to the queue yet. */
  readonly overdue: number;
  /** Milliseconds since the first of the overdue ones was due; 0: there is none. */
  readonly overdueMs: number;
  /** Milliseconds for which the oldest job that may start has been ready to run; undefined: there is none. */
  readonly oldestMs: number | undefined;
  /**
   * The same of the oldest job that waits since a limit holds it up (docs/limits.md); undefined: there is none. It is looked
   * for in ten lanes at most.
   */
  readonly heldMs: number | undefined;
  /** A job may start now: it waits, and no limit holds it up (docs/limits.md). A pause does not count. */
  readonly mayStart: boolean;
  readonly paused: boolean;
  /** RQ is suspended: no worker takes a job of any queue. */
  readonly suspended: boolean;
}

/** A worker as it shows itself. */
export interface WorkerState {
  readonly name: string;
  readonly queues: readonly string[];
  /** RQ's word: `started`, `idle`, `busy`, `suspended`. */
  readonly state: string;
  /** `python`: RQ's own. */
  readonly kind: 'node' | 'python';
  readonly host: string | undefined;
  readonly pid: number | undefined;
  /** Of the library. */
  readonly version: string | undefined;
  readonly startedAt: Date | undefined;
  /** Milliseconds since its last sign of life, by Redis's clock. */
  readonly silentMs: number | undefined;
  /** It has shown itself not longer ago than it should: within three of its beats. */
  readonly isAlive: boolean;
  /** How many jobs it can run at once; undefined: it does not say (Python's run one). */
  readonly slots: number | undefined;
  /** How many of each of its queues; undefined: it does not say (Python's, and those of earlier versions). */
  readonly queueSlots: Readonly<Record<string, number>> | undefined;
  /** How many run. */
  readonly busy: number | undefined;
  /** Bytes of memory of its process. */
  readonly rss: number | undefined;
  /** Milliseconds by which its event loop was late at most, since its last beat but one. */
  readonly lagMs: number | undefined;
  /** Jobs that succeeded and failed attempts, since it started. */
  readonly finished: number;
  readonly failed: number;
  /** Milliseconds for which handlers ran, since it started. */
  readonly workedMs: number;
  /** Up to 20 jobs that run there, the oldest first. */
  readonly running: readonly RunningNow[];
}

/** A job that runs in a worker. */
export interface RunningNow {
  readonly id: string;
  readonly queue: string;
  readonly name: string;
  /** When it started, milliseconds since the epoch, by Redis's clock. */
  readonly since: number;
}

/** What a worker tells of itself with each beat. */
export interface WorkerActivity {
  readonly slots: number;
  /** How many jobs of each queue can run at once. */
  readonly queueSlots: ReadonlyMap<string, number>;
  readonly busy: number;
  readonly rss: number;
  readonly lagMs: number;
  /** Milliseconds between two beats. */
  readonly everyMs: number;
  readonly running: readonly RunningNow[];
}

/** What a worker has counted of the jobs of one name. */
export interface CountedJobs {
  readonly queue: string;
  /** Empty: of all others. */
  readonly name: string;
  /** Code, count, ... (see wire/figures). */
  readonly figures: readonly number[];
}

/** What was counted in one stretch of time. */
export interface Bucket {
  /** Its beginning. */
  readonly at: Date;
  /** By job name; empty: all others. */
  readonly jobs: ReadonlyMap<string, Figures>;
  /** How the queue stood at its beginning; undefined: no worker was there. */
  readonly sample: Figures | undefined;
}

/** RQ's registries, and `queued` for the queue itself. Stopped jobs are in `failed`. */
export type RegistryName = SelectableIn;

export type RegistryCounts = Readonly<Record<RegistryName, number>>;
