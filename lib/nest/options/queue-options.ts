import {
  type ConcurrencyLimits,
  type DefaultJobOptions,
  type DurabilityOptions,
  type JobKey,
  type RateLimitOptions,
  aFunction,
  type MaxLength,
  type WhenFull,
  assertQueueName,
  checked,
  optionTable,
  optional,
  queueConcurrency,
  rateLimit,
  readOptions,
  readDurability,
  readRoomRule,
  resolveDefaults,
  unchecked,
} from '../../job/index.js';
import { assertHashTag } from '../../store/index.js';

/** What a queue is told of its own, beside its name. */
export interface RqQueueOptions {
  /** For jobs of this queue, where the call of `enqueue` does not say otherwise; wins over the root's. */
  defaultJobOptions?: DefaultJobOptions;
  /**
   * In the cluster layout: queues with the same tag are kept on one node, so that their jobs may wait for each other and be
   * enqueued in one step. Default: the queue's name. All processes must give the same, and it cannot be changed later.
   */
  hashTag?: string;
  /** Says whose a job is, for handlers that do not say it themselves: see `@Job({ key })`. */
  key?: JobKey;
  /**
   * `total`: how many jobs of the queue run at once, in all processes together; `perKey`: of each key, for handlers that
   * do not say it themselves.
   */
  concurrency?: ConcurrencyLimits;
  /** `max` in `per`: how many jobs of the queue may start; `perKey`: of each key, for handlers that do not say it. */
  rateLimit?: RateLimitOptions;
  /**
   * How many jobs may wait in it: `total`, and `perKey` of each key; a call of `enqueue` that would bring more is refused or
   * waits. And how many may wait for a retry (`retrying`): with more, a job fails in place of being tried again.
   */
  maxLength?: MaxLength;
  /** A call of `enqueue` at a full queue: `'reject'` (default) with QueueFullError, or `'wait'` until `commandTimeout`. */
  whenFull?: WhenFull;
  /** How many replicas must have a job before `enqueue` resolves, and its end before it is told; `false`: none, whatever the root says. */
  durability?: false | DurabilityOptions;
}

/** What `RqModule.registerQueue` takes when a name is not enough. */
export interface RegisterQueueOptions extends RqQueueOptions {
  name: string;
  /** The `name` of the `RqModule.forRoot` the queue belongs to; default: the one without a name. */
  root?: string;
}

/** @throws InvalidOptionError naming the key */
export function readRegisterQueueOptions(
  options: RegisterQueueOptions,
  where: string,
): RqQueueOptions {
  const { name, root: _, ...rest } = options;
  assertQueueName(name, where);
  return readQueueOptions(rest, where);
}

/** @throws InvalidOptionError naming the key */
export function readQueueOptions(options: RqQueueOptions, where: string): RqQueueOptions {
  const read = readOptions(options, QUEUE_OPTIONS, where);
  const { maxLength, whenFull } = read;
  readRoomRule({ maxLength, whenFull }, where);
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

const QUEUE_OPTIONS = optionTable<RqQueueOptions>()({
  defaultJobOptions: checked<DefaultJobOptions | undefined>((value, option, where) =>
    resolveDefaults(value as DefaultJobOptions | undefined, `${option} of ${where}`),
  ),
  hashTag: optional(readHashTag),
  key: optional(checked<JobKey>(aFunction)),
  concurrency: optional(checked<ConcurrencyLimits>(queueConcurrency)),
  rateLimit: optional(checked<RateLimitOptions>(rateLimit)),
  maxLength: unchecked<MaxLength | undefined>(),
  whenFull: unchecked<WhenFull | undefined>(),
  durability: checked<false | DurabilityOptions | undefined>(readDurability),
});

function readHashTag(value: unknown, _option: string, where: string | undefined): string {
  assertHashTag(value, where);
  return value;
}
