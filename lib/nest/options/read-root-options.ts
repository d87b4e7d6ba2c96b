import {
  type DefaultJobOptions,
  type DurabilityOptions,
  InvalidOptionError,
  type ResolvedDefaults,
  type RqTelemetry,
  assertInTime,
  checked,
  duration,
  durationAboveZero,
  either,
  flag,
  isObject,
  optionTable,
  optional,
  otherwise,
  readDurability,
  readOptions,
  resolveDefaults,
  wholeNumber,
} from '../../job/index.js';
import { type AlertOptions, type ResolvedAlerts, resolveAlerts } from '../../observe/index.js';
import {
  type WebhookSettings,
  readWebhookSettings,
  resolveWorkerOptions,
} from '../../worker/worker-options.js';
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
  /** Undefined: what the connection is made for. */
  readonly layout: 'shared' | 'cluster' | undefined;
  readonly prefix: string | undefined;
  readonly worker: false | RqWorkerOptions;
  readonly schedules: boolean;
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
  readonly durability: DurabilityOptions | undefined;
  readonly maxPayloadBytes: number | undefined;
  readonly webhooks: WebhookSettings;
  readonly log: 'text' | 'fields';
  readonly telemetry: RqTelemetry | undefined;
  /** Undefined: this process does not look for alerts. */
  readonly alerts: ResolvedAlerts | undefined;
}

/**
 * @param where the call and the module, for errors
 * @throws InvalidOptionError
 */
export function readRootOptions(options: RqFactoryOptions, where: string): RootOptions {
  const read = readOptions(options, ROOT_OPTIONS, where);
  assertInTime(readDurability(read.durability, 'durability', where), read.commandTimeout, where);
  return read;
}

const ROOT_OPTIONS = optionTable<RqFactoryOptions>()({
  connection: readConnection,
  layout: optional(either('shared', 'cluster')),
  prefix: optional(readPrefix),
  worker: otherwise({}, readWorkerOptions),
  schedules: otherwise(true, flag),
  defaultJobOptions: (value, option, where) =>
    resolveDefaults(value as DefaultJobOptions | undefined, `${option} of ${where}`),
  globalEnhancers: flag,
  enhancers: otherwise({}, readEnhancers),
  context: readContext,
  currentJob: otherwise(true, flag),
  onRedisDown: otherwise('fail', either('fail', 'wait')),
  shutdownTimeout: otherwise(30, duration),
  connectTimeout: otherwise(10, durationAboveZero),
  commandTimeout: otherwise(5, durationAboveZero),
  sharedWithPython: flag,
  durability: optional(checked<DurabilityOptions>(readDurability)),
  maxPayloadBytes: optional(wholeNumber(1)),
  webhooks: otherwise({}, readWebhookSettings),
  log: otherwise('text', either('text', 'fields')),
  telemetry: optional(readTelemetry),
  alerts: (value, option, where) =>
    value === false
      ? undefined
      : resolveAlerts(value as AlertOptions | undefined, where ?? '', option),
});

function readConnection(value: unknown, option: string, where: string | undefined) {
  if (value) return value as RqModuleOptions['connection'];
  const problem = "is required: a URL such as 'redis://localhost:6379'";
  throw new InvalidOptionError({ option, problem, where });
}

function readTelemetry(value: unknown, option: string, where: string | undefined): RqTelemetry {
  const methods = ['enqueue', 'inject', 'process', 'outside'] as const;
  const telemetry = value as Partial<RqTelemetry> | undefined;
  if (methods.every((name) => typeof telemetry?.[name] === 'function')) {
    return telemetry as RqTelemetry;
  }
  throw new InvalidOptionError({ option, problem: 'must be what otel() gives', where });
}

function readPrefix(value: unknown, option: string, where: string | undefined): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOptionError({ option, problem: 'must be text that is not empty', where });
}

function readWorkerOptions(
  value: unknown,
  option: string,
  where: string | undefined,
): false | RqWorkerOptions {
  if (value === false) return value;
  if (!isObject(value)) {
    throw new InvalidOptionError({ option, problem: 'must be false or an object', where });
  }
  for (const key of ['shutdownTimeout', 'webhooks', 'durability']) {
    if (!(key in value)) continue;
    const problem = `is the module's: give ${key} beside worker`;
    throw new InvalidOptionError({ option: `${option}.${key}`, problem, where });
  }
  resolveWorkerOptions(value, `${option} of ${where}`);
  return { ...value };
}
