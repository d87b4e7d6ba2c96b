import {
  type DefaultJobOptions,
  assertQueueName,
  checkOptions,
  resolveDefaults,
} from '../../job/index.js';

/** What a queue is told of its own, beside its name. */
export interface RqQueueOptions {
  /** For jobs of this queue, where the call of `enqueue` does not say otherwise; wins over the root's. */
  defaultJobOptions?: DefaultJobOptions;
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
  checkOptions(options, QUEUE_KEYS, '', where);
  resolveDefaults(options.defaultJobOptions, `defaultJobOptions of ${where}`);
  return options.defaultJobOptions ? { defaultJobOptions: options.defaultJobOptions } : {};
}

const QUEUE_KEYS: ReadonlySet<string> = new Set(['defaultJobOptions']);
