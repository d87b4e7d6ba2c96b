import {
  type BatchRule,
  type ConcurrencyLimits,
  InvalidOptionError,
  type JobKey,
  type Limits,
  type MaxLength,
  type RateLimitOptions,
  aFunction,
  batchRule,
  flag,
  handlerConcurrency,
  maxLengthOf,
  optionTable,
  optional,
  queueConcurrency,
  rateLimit,
  readOptions,
} from '../../job/index.js';
import { encodeGate } from '../../wire/index.js';

/**
 * A handler's gate: its jobs wait behind it, in Redis, until they may start. A handler has one when anything limits its
 * jobs, or when they have keys.
 *
 * 1. What the handler says itself holds. For the rest the queue says what holds for its handlers.
 * 2. `total` and the rate of a queue hold for all its jobs together, beside the gates.
 * 3. How many of its jobs one worker runs at once is that worker's own affair: it says so with each claim. A batch counts
 *    as one there: it takes one slot of the worker.
 */
export interface Gate {
  readonly limits: Limits;
  /** Within one worker; Infinity: not limited. */
  readonly perWorker: number;
  /** Says the key of a job; undefined: the producer does. */
  readonly key: JobKey<unknown> | undefined;
  /** It takes several jobs at once. */
  readonly batch: BatchRule | undefined;
  /** A job that waits for its retry holds back the others of its key. */
  readonly isStrict: boolean;
}

/** What a queue says for its handlers, and for all its jobs together. */
export interface QueueLimitOptions {
  /** For handlers that do not say it themselves. */
  key?: JobKey;
  /** `total`: of all jobs of the queue; `perKey`: of each handler that does not say it itself. */
  concurrency?: ConcurrencyLimits;
  /** `max` in `per`: of all jobs of the queue; `perKey`: of each handler that does not say it itself. */
  rateLimit?: RateLimitOptions;
  /** `retrying`: how many of its jobs may wait for a retry; the rest is the producers' (see `QueueOptions`). */
  maxLength?: MaxLength;
}

/** Checked limits of a queue. */
export interface QueueLimits extends Pick<Gate, 'limits' | 'key'> {
  /** How many of its jobs may wait for a retry; undefined: any number. */
  readonly mostRetrying: number | undefined;
}

/** Checked limits of a handler, as far as it says them. */
export type HandlerLimits = Gate;

/** @throws InvalidOptionError naming the key */
export function readHandlerLimits(
  handler: Readonly<Partial<Record<LimitOption, unknown>>>,
  where: string,
): HandlerLimits {
  const { concurrency, rateLimit: rates, key } = handler;
  const own =
    concurrency === undefined ? undefined : handlerConcurrency(concurrency, 'concurrency', where);
  const starts = rates === undefined ? undefined : rateLimit(rates, 'rateLimit', where);
  if (key !== undefined) aFunction(key, 'key', where);
  const batch = handler.batch === undefined ? undefined : batchRule(handler.batch, 'batch', where);
  const isStrict = flag(handler.strictOrder, 'strictOrder', where);
  if (isStrict) assertStrict(own?.perKey, batch, where);
  return {
    perWorker: own?.perWorker ?? Infinity,
    limits: limitsOf(isStrict ? { total: own?.total, perKey: 1 } : own, starts),
    key: key as JobKey<unknown> | undefined,
    batch,
    isStrict,
  };
}

/** What a handler says of how its jobs wait. */
type LimitOption = 'concurrency' | 'rateLimit' | 'key' | 'batch' | 'strictOrder';

function assertStrict(perKey: number | undefined, batch: unknown, where: string): void {
  const isOneByOne = (perKey ?? 1) === 1;
  if (isOneByOne && !batch) return;
  const problem = isOneByOne
    ? 'and batch exclude each other: in strict order the jobs of a key run one by one'
    : 'means that the jobs of a key run one by one: leave concurrency.perKey out, or let it be 1';
  throw new InvalidOptionError({ option: 'strictOrder', problem, where });
}

/** @throws InvalidOptionError naming the key */
export function readQueueLimits(options: QueueLimitOptions, where: string): QueueLimits {
  const read = readOptions(options, QUEUE_LIMITS, where);
  return {
    limits: limitsOf(read.concurrency, read.rateLimit),
    key: read.key as JobKey<unknown> | undefined,
    mostRetrying: read.maxLength?.retrying,
  };
}

/** The gate of a handler; undefined: it needs none. */
export function gateOf(own: HandlerLimits, queue: QueueLimits | undefined): Gate | undefined {
  const limits: Limits = {
    total: own.limits.total,
    perKey: own.limits.perKey ?? queue?.limits.perKey,
    rate: own.limits.rate,
    keyRate: own.limits.keyRate ?? queue?.limits.keyRate,
  };
  const key = own.key ?? queue?.key;
  const { perWorker, batch, isStrict } = own;
  const isLimited = Object.values(limits).some((limit) => limit !== undefined);
  if (!isLimited && !key && !batch && perWorker === Infinity) return undefined;
  return { limits, perWorker, key, batch, isStrict };
}

/** The gate as the database keeps it. */
export function textOfGate({ limits, key, batch, isStrict }: Gate): string {
  return encodeGate(limits, { takesKeys: key !== undefined, batch, isStrict });
}

function limitsOf(
  concurrency: { total: number | undefined; perKey: number | undefined } | undefined,
  starts: Pick<Limits, 'rate' | 'keyRate'> | undefined,
): Limits {
  return {
    total: concurrency?.total,
    perKey: concurrency?.perKey,
    rate: starts?.rate,
    keyRate: starts?.keyRate,
  };
}

const QUEUE_LIMITS = optionTable<QueueLimitOptions>()({
  key: optional(aFunction),
  concurrency: optional(queueConcurrency),
  rateLimit: optional(rateLimit),
  maxLength: optional(maxLengthOf),
});
