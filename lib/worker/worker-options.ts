import {
  type Duration,
  InvalidOptionError,
  checkOptions,
  assertQueueName,
  toMilliseconds,
} from '../job/index.js';
import { readConcurrency } from './run/handler-registry.js';

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
  /** The name under which RQ's tools list it; default: process id and a random part. */
  readonly name?: string;
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
  readonly concurrency: number;
  readonly order: 'parallel' | 'ordered' | 'weighted';
  /** Milliseconds. */
  readonly lease: number;
  /** Milliseconds. */
  readonly shutdownTimeout: number;
  readonly maxCrashes: number;
  readonly unknownJobs: 'fail' | 'release';
  readonly prefetch: 'auto' | number;
  readonly name: string | undefined;
}

/** @throws InvalidOptionError naming the key */
export function resolveWorkerOptions(
  options: WorkerOptions = {},
  where = 'worker options',
): ResolvedWorkerOptions {
  checkOptions(options, WORKER_KEYS, '', where);
  const concurrency = readConcurrency(options.concurrency, where) ?? 10;
  const {
    order = 'parallel',
    unknownJobs = 'fail',
    prefetch = 'auto',
    maxCrashes = 3,
    name,
  } = options;
  assertOneOf(order, ['parallel', 'ordered', 'weighted'], 'order', where);
  assertOneOf(unknownJobs, ['fail', 'release'], 'unknownJobs', where);
  if (prefetch !== 'auto') assertWhole(prefetch, 0, 'prefetch', where);
  assertWhole(maxCrashes, 1, 'maxCrashes', where);
  const lease = toMilliseconds(options.lease ?? 15, 'lease', where);
  if (lease < SHORTEST_LEASE) {
    const problem = `must be at least ${SHORTEST_LEASE / 1000} seconds: it is renewed over the network`;
    throw new InvalidOptionError({ option: 'lease', problem, value: options.lease, where });
  }
  if (name !== undefined && !(typeof name === 'string' && /^[\w.-]{1,200}$/.test(name))) {
    const problem = "must be 1 to 200 letters, digits, '_', '.' or '-'";
    throw new InvalidOptionError({ option: 'name', problem, value: name, where });
  }
  return {
    queues: readQueues(options.queues, concurrency, where),
    concurrency,
    order,
    lease,
    shutdownTimeout: toMilliseconds(options.shutdownTimeout ?? 30, 'shutdownTimeout', where),
    maxCrashes,
    unknownJobs,
    prefetch,
    name,
  };
}

const WORKER_KEYS: ReadonlySet<string> = new Set([
  'queues',
  'concurrency',
  'order',
  'lease',
  'shutdownTimeout',
  'maxCrashes',
  'unknownJobs',
  'prefetch',
  'name',
]);
const QUEUE_KEYS: ReadonlySet<string> = new Set(['name', 'concurrency', 'weight']);

/** Milliseconds. */
const SHORTEST_LEASE = 300;

function readQueues(
  queues: WorkerOptions['queues'],
  concurrency: number,
  where: string,
): Required<WorkerQueueOptions>[] | undefined {
  if (queues === undefined) return undefined;
  if (!Array.isArray(queues) || queues.length === 0) {
    const problem = 'must be a list with at least one queue';
    throw new InvalidOptionError({ option: 'queues', problem, where });
  }
  const resolved = (queues as (string | WorkerQueueOptions)[]).map((queue, index) => {
    const options = typeof queue === 'string' ? { name: queue } : queue;
    checkOptions(options, QUEUE_KEYS, `queues[${index}]`, where);
    const { name, weight = 1 } = options as WorkerQueueOptions;
    assertQueueName(name, where);
    if (!(typeof weight === 'number' && Number.isFinite(weight) && weight > 0)) {
      const problem = 'must be a number above 0';
      throw new InvalidOptionError({
        option: `queues[${index}].weight`,
        problem,
        value: weight,
        where,
      });
    }
    const own = readConcurrency(
      (options as WorkerQueueOptions).concurrency,
      `${where}: queues[${index}]`,
    );
    return { name, weight, concurrency: own ?? concurrency };
  });
  const names = resolved.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new InvalidOptionError({ option: 'queues', problem: `names "${repeated}" twice`, where });
  }
  return resolved;
}

function assertOneOf(
  value: unknown,
  known: readonly string[],
  option: string,
  where: string,
): void {
  if (!known.includes(value as string)) {
    const problem = `must be one of ${known.map((text) => `'${text}'`).join(', ')}`;
    throw new InvalidOptionError({ option, problem, value, where });
  }
}

function assertWhole(value: unknown, least: number, option: string, where: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    const problem = `must be a whole number of at least ${least}`;
    throw new InvalidOptionError({ option, problem, value, where });
  }
}
