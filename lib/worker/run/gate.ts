import {
  type ConcurrencyLimits,
  type JobKey,
  type Limits,
  type RateLimitOptions,
  aFunction,
  handlerConcurrency,
  optionTable,
  optional,
  queueConcurrency,
  rateLimit,
  readKey,
  readOptions,
} from '../../job/index.js';

/**
 * A handler's gate: its jobs wait behind it, in Redis, until they may start. A handler has one when anything limits its
 * jobs, or when they have keys.
 *
 * 1. What the handler says itself holds. For the rest the queue says what holds for its handlers.
 * 2. `total` and the rate of a queue hold for all its jobs together, beside the gates.
 * 3. How many of its jobs one worker runs at once is that worker's own affair: it says so with each claim.
 */
export interface Gate {
  readonly limits: Limits;
  /** Within one worker; Infinity: not limited. */
  readonly perWorker: number;
  /** Says the key of a job; undefined: the producer does. */
  readonly key: JobKey<unknown> | undefined;
}

/** What a queue says for its handlers, and for all its jobs together. */
export interface QueueLimitOptions {
  /** For handlers that do not say it themselves. */
  key?: JobKey;
  /** `total`: of all jobs of the queue; `perKey`: of each handler that does not say it itself. */
  concurrency?: ConcurrencyLimits;
  /** `max` in `per`: of all jobs of the queue; `perKey`: of each handler that does not say it itself. */
  rateLimit?: RateLimitOptions;
}

/** Checked limits of a queue. */
export interface QueueLimits {
  readonly limits: Limits;
  readonly key: JobKey<unknown> | undefined;
}

/** Checked limits of a handler, as far as it says them. */
export interface HandlerLimits extends QueueLimits {
  readonly perWorker: number;
}

/** @throws InvalidOptionError naming the key */
export function readHandlerLimits(
  handler: { readonly concurrency?: unknown; readonly rateLimit?: unknown; readonly key?: unknown },
  where: string,
): HandlerLimits {
  const { concurrency, rateLimit: rates, key } = handler;
  const own =
    concurrency === undefined ? undefined : handlerConcurrency(concurrency, 'concurrency', where);
  const starts = rates === undefined ? undefined : rateLimit(rates, 'rateLimit', where);
  if (key !== undefined) aFunction(key, 'key', where);
  return {
    perWorker: own?.perWorker ?? Infinity,
    limits: limitsOf(own, starts),
    key: key as JobKey<unknown> | undefined,
  };
}

/** @throws InvalidOptionError naming the key */
export function readQueueLimits(options: QueueLimitOptions, where: string): QueueLimits {
  const { key, concurrency, rateLimit: starts } = readOptions(options, QUEUE_LIMITS, where);
  return { limits: limitsOf(concurrency, starts), key: key as JobKey<unknown> | undefined };
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
  const isLimited = Object.values(limits).some((limit) => limit !== undefined);
  if (!isLimited && !key && own.perWorker === Infinity) return undefined;
  return { limits, perWorker: own.perWorker, key };
}

/**
 * The text of a job's key.
 * @throws what the function throws, and InvalidOptionError when no key can be so
 */
export function keyFor(gate: Gate, name: string, data: unknown, where: string): string {
  return gate.key ? readKey(gate.key(data, name), where) : '';
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
});
