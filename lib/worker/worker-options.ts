import {
  type Durability,
  type Duration,
  type DurabilityOptions,
  InvalidOptionError,
  allowedOrigins,
  duration,
  durationAboveZero,
  flag,
  numberAboveZero,
  oneOf,
  optionTable,
  optional,
  otherwise,
  queueName,
  readDurability,
  readOptions,
  text,
  wholeNumber,
} from '../job/index.js';

/** How a worker works. Times are durations: a number is seconds. */
export interface WorkerOptions {
  /** Which queues it serves; default: all that have a handler. */
  readonly queues?: readonly (string | WorkerQueueOptions)[];
  /** How many jobs run at once: per queue in `parallel` order, in all otherwise. Default 10. */
  readonly concurrency?: number;
  /**
   * Between several queues. `parallel` (default): each has slots of its own. `ordered`: shared slots, a queue gets one
   * only when those before it are empty, as RQ's workers do. `weighted`: shared slots, by the queues' weights.
   */
  readonly order?: 'parallel' | 'ordered' | 'weighted';
  /** A job of a worker that died runs again after this time at the latest; renewed every third of it. Default 15. */
  readonly lease?: Duration;
  /** How long `stop()` lets running jobs finish before they are interrupted and put back. Default 30. */
  readonly shutdownTimeout?: Duration;
  /** A job during which its worker died this often is failed as poison. Default 3. */
  readonly maxCrashes?: number;
  /**
   * A job whose name no handler has: `fail` (default) it with UnknownJobError, or `release` it, to be looked at again
   * after 10 seconds, while an older version of the application is still running somewhere.
   */
  readonly unknownJobs?: 'fail' | 'release';
  /**
   * How many jobs may be claimed beyond the free slots. `auto` (default): as many as run during a round trip to Redis,
   * as long as jobs are shorter than that; longer ones are never prefetched.
   */
  readonly prefetch?: 'auto' | number;
  /**
   * Where webhooks of jobs may go: origins such as `https://hooks.example.org`. Default: nowhere, since whoever can write
   * a job could have the worker ask anything of its network.
   */
  readonly webhooks?: WebhookSettings;
  /**
   * So many replicas must have an outcome before it is told (to observers, callbacks, webhooks, and those who listen to
   * events): that of all queues, or a function that gives that of each. Default: Redis's own answer is enough.
   */
  readonly durability?: WorkerDurability;
  /**
   * Counts what becomes of jobs, for `inspector.history()`: sums per minute, quarter of an hour and six hours, kept in
   * Redis for 3 hours, 3 days and 90 days, at most some MB per queue. Default true.
   */
  readonly history?: boolean;
  /**
   * Ends the worker as soon as nothing may start and nothing runs: see `Worker.done`. What is due within a second is
   * waited for. Default: false, it waits for jobs.
   */
  readonly burst?: boolean;
  /** Ends the worker after so many runs, whatever their outcomes; it never claims more. Default: no end. */
  readonly maxJobs?: number;
  /** Ends the worker when nothing has run for this time and nothing may start; not with `burst`. Default: no end. */
  readonly maxIdle?: Duration;
  /** The name under which RQ's tools list it; default: process id and a random part. */
  readonly name?: string;
}

export type WorkerDurability =
  DurabilityOptions | ((queue: string) => false | DurabilityOptions | undefined);

/** Which webhooks a worker sends. */
export interface WebhookSettings {
  /** Origins: scheme, host, and port if it is not the scheme's. Default: none. */
  readonly allow?: readonly string[];
}

export interface WorkerQueueOptions {
  readonly name: string;
  /** In `parallel` order: how many jobs of this queue run at once; default: the worker's `concurrency`. */
  readonly concurrency?: number;
  /** In `weighted` order; default 1. */
  readonly weight?: number;
}

export interface ResolvedWorkerOptions {
  readonly queues: readonly Required<WorkerQueueOptions>[] | undefined;
  /** The queues that were given a `concurrency` of their own. */
  readonly ownConcurrency: readonly string[];
  readonly concurrency: number;
  readonly order: 'parallel' | 'ordered' | 'weighted';
  /** Milliseconds. */
  readonly lease: number;
  /** Milliseconds. */
  readonly shutdownTimeout: number;
  readonly maxCrashes: number;
  readonly unknownJobs: 'fail' | 'release';
  readonly prefetch: 'auto' | number;
  readonly webhooks: { readonly allow: readonly string[] };
  readonly durability: (queue: string) => Durability | undefined;
  readonly history: boolean;
  readonly burst: boolean;
  readonly maxJobs: number | undefined;
  /** Milliseconds. */
  readonly maxIdle: number | undefined;
  readonly name: string | undefined;
}

/** @throws InvalidOptionError naming the key */
export function resolveWorkerOptions(
  options: WorkerOptions = {},
  where = 'worker options',
): ResolvedWorkerOptions {
  const read = readOptions(options, WORKER_OPTIONS, where);
  const { concurrency } = read;
  if (read.burst && read.maxIdle !== undefined) {
    const problem = 'cannot go with burst, which ends the worker as soon as there is nothing to do';
    throw new InvalidOptionError({ option: 'maxIdle', problem, where });
  }
  const queues = read.queues?.map((queue) => ({
    ...queue,
    concurrency: queue.concurrency ?? concurrency,
  }));
  const ownConcurrency = (read.queues ?? []).filter((queue) => queue.concurrency !== undefined);
  return { ...read, queues, ownConcurrency: ownConcurrency.map(({ name }) => name) };
}

const QUEUE_OPTIONS = optionTable<WorkerQueueOptions>()({
  name: queueName,
  concurrency: optional(wholeNumber(1)),
  weight: otherwise(1, numberAboveZero),
});

const WORKER_OPTIONS = optionTable<WorkerOptions>()({
  queues: optional(readQueues),
  concurrency: otherwise(10, wholeNumber(1)),
  order: otherwise('parallel', oneOf('parallel', 'ordered', 'weighted')),
  lease: otherwise(15, readLease),
  shutdownTimeout: otherwise(30, duration),
  maxCrashes: otherwise(3, wholeNumber(1)),
  unknownJobs: otherwise('fail', oneOf('fail', 'release')),
  prefetch: otherwise('auto', readPrefetch),
  webhooks: otherwise({}, readWebhookSettings),
  durability: readWorkerDurability,
  history: otherwise(true, flag),
  burst: flag,
  maxJobs: optional(wholeNumber(1)),
  maxIdle: optional(durationAboveZero),
  name: optional(text(/^[\w.-]{1,200}$/, "must be 1 to 200 letters, digits, '_', '.' or '-'")),
});

const WEBHOOK_SETTINGS = optionTable<WebhookSettings>()({ allow: allowedOrigins });

/** @throws InvalidOptionError naming the key */
export function readWebhookSettings(
  value: unknown,
  option: string,
  where: string | undefined,
): ResolvedWorkerOptions['webhooks'] {
  return readOptions(value, WEBHOOK_SETTINGS, where, option);
}

const SHORTEST_LEASE_MS = 300;

function readLease(value: unknown, option: string, where: string | undefined): number {
  const lease = duration(value, option, where);
  if (lease >= SHORTEST_LEASE_MS) return lease;
  const problem = `must be at least ${SHORTEST_LEASE_MS / 1000} seconds: it is renewed over the network`;
  throw new InvalidOptionError({ option, problem, value, where });
}

function readWorkerDurability(
  value: unknown,
  option: string,
  where: string | undefined,
): ResolvedWorkerOptions['durability'] {
  if (typeof value === 'function') {
    const ofQueue = value as (queue: string) => unknown;
    return (queue) => readDurability(ofQueue(queue), option, where);
  }
  const ofAll = readDurability(value, option, where);
  return () => ofAll;
}

function readPrefetch(value: unknown, option: string, where: string | undefined): 'auto' | number {
  return value === 'auto' ? value : wholeNumber(0)(value, option, where);
}

function readQueues(value: unknown, option: string, where: string | undefined) {
  if (!Array.isArray(value) || value.length === 0) {
    const problem = 'must be a list with at least one queue';
    throw new InvalidOptionError({ option, problem, where });
  }
  const queues = value.map((queue: unknown, index) => {
    const options = typeof queue === 'string' ? { name: queue } : queue;
    return readOptions(options, QUEUE_OPTIONS, where, `${option}[${index}]`);
  });
  const names = queues.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated === undefined) return queues;
  throw new InvalidOptionError({ option, problem: `names "${repeated}" twice`, where });
}
