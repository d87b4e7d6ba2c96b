import {
  type DefaultJobOptions,
  assertQueueName,
  checked,
  optionTable,
  readOptions,
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
  const { defaultJobOptions } = readOptions(options, QUEUE_OPTIONS, where);
  return defaultJobOptions ? { defaultJobOptions } : {};
}

const QUEUE_OPTIONS = optionTable<RqQueueOptions>()({
  defaultJobOptions: checked<DefaultJobOptions | undefined>((value, option, where) =>
    resolveDefaults(value as DefaultJobOptions | undefined, `${option} of ${where}`),
  ),
});
