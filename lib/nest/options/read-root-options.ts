import {
  type Duration,
  InvalidOptionError,
  type ResolvedDefaults,
  checkOptions,
  isObject,
  readFlag,
  resolveDefaults,
  toMilliseconds,
} from '../../job/index.js';
import { resolveWorkerOptions } from '../../worker/worker-options.js';
import type { RqFactoryOptions } from './async-options.js';
import { type JobContext, readContext } from './context-options.js';
import { type JobEnhancers, readEnhancers } from './enhancer-options.js';
import type { RqModuleOptions, RqWorkerOptions } from './root-options.js';

/**
 * The check of `forRoot`'s options at bootstrap. A misspelt key or an impossible value stops the application
 * there, with the key and the module in the error, also when nothing would have used the value yet.
 */
export interface RootOptions {
  readonly connection: RqModuleOptions['connection'];
  readonly prefix: string | undefined;
  readonly worker: false | RqWorkerOptions;
  readonly defaultJobOptions: ResolvedDefaults;
  readonly globalEnhancers: boolean;
  readonly enhancers: JobEnhancers;
  readonly context: JobContext;
  readonly currentJob: boolean;
  readonly onRedisDown: 'fail' | 'wait';
  /** Milliseconds, like the other two. */
  readonly shutdownTimeout: number;
  readonly connectTimeout: number;
  readonly commandTimeout: number;
  readonly sharedWithPython: boolean;
  readonly maxPayloadBytes: number | undefined;
}

/**
 * @param where the call and the module, for errors
 * @throws InvalidOptionError
 */
export function readRootOptions(options: RqFactoryOptions, where: string): RootOptions {
  checkOptions(options, ROOT_KEYS, '', where);
  if (!options.connection) {
    refuse('connection', "is required: a URL such as 'redis://localhost:6379'", where);
  }
  const prefix: unknown = options.prefix;
  if (prefix !== undefined && (typeof prefix !== 'string' || prefix === '')) {
    refuse('prefix', 'must be text that is not empty', where);
  }
  const { maxPayloadBytes } = options;
  if (
    maxPayloadBytes !== undefined &&
    !(Number.isSafeInteger(maxPayloadBytes) && maxPayloadBytes > 0)
  ) {
    refuse('maxPayloadBytes', 'must be a whole number of at least 1', where);
  }
  return {
    connection: options.connection,
    prefix: options.prefix,
    worker: readWorkerOptions(options.worker, where),
    defaultJobOptions: resolveDefaults(options.defaultJobOptions, `defaultJobOptions of ${where}`),
    globalEnhancers: readFlag(options.globalEnhancers, 'globalEnhancers', where),
    enhancers: readEnhancers(options.enhancers, where),
    context: readContext(options.context, where),
    currentJob: readFlag(options.currentJob ?? true, 'currentJob', where),
    onRedisDown: readChoice(options.onRedisDown, ['fail', 'wait'], 'onRedisDown', where),
    shutdownTimeout: readTime(options.shutdownTimeout, 30, 'shutdownTimeout', where),
    connectTimeout: readTimeAboveZero(options.connectTimeout, 10, 'connectTimeout', where),
    commandTimeout: readTimeAboveZero(options.commandTimeout, 5, 'commandTimeout', where),
    sharedWithPython: readFlag(options.sharedWithPython, 'sharedWithPython', where),
    maxPayloadBytes,
  };
}

function readWorkerOptions(
  options: false | RqWorkerOptions | undefined,
  where: string,
): false | RqWorkerOptions {
  if (options === false || options === undefined) return options ?? {};
  if (!isObject(options)) refuse('worker', 'must be false or an object', where);
  if ('shutdownTimeout' in options) {
    refuse('worker.shutdownTimeout', "is the module's: give shutdownTimeout beside worker", where);
  }
  resolveWorkerOptions(options, `worker of ${where}`);
  return { ...options };
}

function readChoice<const Choice extends string>(
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
  option: string,
  where: string,
): Choice {
  const choice = value === undefined ? choices[0] : choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  const problem = `must be ${choices.map((one) => `'${one}'`).join(' or ')}`;
  throw new InvalidOptionError({ option, problem, value, where });
}

function readTime(
  value: Duration | undefined,
  standard: number,
  option: string,
  where: string,
): number {
  return toMilliseconds(value === undefined ? standard : value, option, where);
}

function readTimeAboveZero(
  value: Duration | undefined,
  standard: number,
  option: string,
  where: string,
): number {
  const time = readTime(value, standard, option, where);
  if (time === 0) refuse(option, 'must be more than 0', where);
  return time;
}

function refuse(option: string, problem: string, where: string): never {
  throw new InvalidOptionError({ option, problem, where });
}

const ROOT_KEYS: ReadonlySet<string> = new Set([
  'connection',
  'prefix',
  'worker',
  'defaultJobOptions',
  'globalEnhancers',
  'enhancers',
  'context',
  'currentJob',
  'onRedisDown',
  'shutdownTimeout',
  'connectTimeout',
  'commandTimeout',
  'sharedWithPython',
  'maxPayloadBytes',
] satisfies (keyof RqFactoryOptions)[]);
