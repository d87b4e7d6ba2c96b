/**
 * The options of a job when it is enqueued. A queue or the module may set defaults for them. What the caller gives wins
 * over the queue's defaults, which win over the root's; the rest is RQ's. Everything unknown or impossible is refused
 * here, naming the key, before anything reaches Redis.
 */
import { types } from 'node:util';
import type { Callbacks } from './callbacks.js';
import type { WaitsFor } from './dependencies.js';
import { type DependsOn, readDependsOn } from './depends-on.js';
import { type Duration, LONGEST_DURATION, toMilliseconds, toWholeSeconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { readKey } from './job-key.js';
import { assertGroupName, assertJobId } from './names.js';
import { checkOptions, isObject, readFlag } from './option-checks.js';
import type { StoredRetry } from './outcome.js';
import { type RepeatOptions, type StoredRepeat, readRepeat } from './repeat-options.js';
import { type RetryOptions, retryPolicy } from './retry-policy.js';
import { DEFAULT_TIMEOUT_MS } from './rq-defaults.js';
import { type UniqueOptions, type UniqueRule, readUnique } from './unique-options.js';
import { type WebhookOptions, readWebhooks } from './webhooks.js';

/** Options of one job. Times are {@link Duration}s: a number is seconds. */
export interface JobOptions {
  /** Letters, digits, `_` and `-`; default: drawn at random. An existing job of that id is left alone. */
  id?: string;
  /**
   * `true`: refuse (`DuplicateJobError`) while a job of this `id` exists in any state. An object: no second job while
   * another one waits or runs that is the same, see {@link UniqueOptions}. Default false.
   */
  unique?: boolean | UniqueOptions;
  /** Retries after a failure, `false` is none; default: those of the handler, the queue, the root; else none. */
  retry?: RetryOptions | false;
  /** How long one run may take; default 180 seconds. `false` (RQ's -1) is no limit. */
  timeout?: Duration | false;
  /** How long the job may wait to be run before it vanishes; default: for ever. */
  ttl?: Duration;
  /** How long a finished job is kept; default 500 seconds. 0 deletes it at once, `'forever'` (RQ's -1) keeps it. */
  resultTtl?: Duration;
  /** How long a failed job is kept; default a year. 0 deletes it at once, `'forever'` (RQ's -1) keeps it. */
  failureTtl?: Duration;
  /** Not before this much time has passed; default 0. Not together with `at`. */
  delay?: Duration;
  /** Not before this time; one in the past is at once, the latest is in a hundred years. Not together with `delay`. */
  at?: Date;
  /** To the head of the queue, or of the jobs of its `priority`; default false. */
  atFront?: boolean;
  /** `high` jobs of a queue run before `normal` ones (default), and those before `low` ones. It stays with the job. */
  priority?: 'high' | 'normal' | 'low';
  /**
   * Run only when these have finished: a job, its id, or a list of them, with `ifFailed` in an object.
   * `delay` counts from then on. Default: none.
   */
  dependsOn?: DependsOn;
  /**
   * The group that it belongs to, 1 to 200 characters: `rq.group(name)` tells how far its jobs are, and another job can
   * wait for all of them. RQ's `Group`. Default: none.
   */
  group?: string;
  /** Run it again after each success, so many times; default: none. */
  repeat?: RepeatOptions;
  /** Data about the job that its handler may read and change; a plain object. */
  meta?: Record<string, unknown>;
  /** For people, in lists: at most 10,000 characters; default: made from the job's name and data. */
  description?: string;
  /**
   * Whose job it is, such as a tenant: jobs of one key run in their order, keys take turns, and limits may hold for each
   * (docs/limits.md). Text of at most 200 characters, or a number. Default: what the handler's or the queue's `key` says.
   */
  key?: string | number;
  /** Requests that the worker makes when the job has finished or failed, to origins that it is allowed. Default none. */
  webhooks?: readonly WebhookOptions[];
}

/** The options that a queue or the module may set for all its jobs. */
export type DefaultJobOptions = Pick<
  JobOptions,
  'retry' | 'timeout' | 'ttl' | 'resultTtl' | 'failureTtl'
>;

/** Checked options, filled up with the defaults. */
export interface ResolvedJobOptions {
  readonly id?: string;
  /** `true`: a second job of this id is an error. A rule: which other jobs are the same. */
  readonly unique: boolean | UniqueRule;
  readonly repeat?: StoredRepeat;
  readonly retry?: StoredRetry;
  /** The caller of enqueue gave it, so it wins over the handler's. */
  readonly retryGiven: boolean;
  /** Milliseconds; -1 is no limit. */
  readonly timeout: number;
  /** The caller of enqueue gave it, so it wins over the handler's. */
  readonly timeoutGiven: boolean;
  /** Whole seconds, above 0. */
  readonly ttl?: number;
  /** Whole seconds; -1 for ever; `undefined`: RQ's default. */
  readonly resultTtl?: number;
  /** Whole seconds; -1 for ever; `undefined`: RQ's default. */
  readonly failureTtl?: number;
  /** Milliseconds. */
  readonly delay: number;
  /** Milliseconds since 1970. */
  readonly at?: number;
  readonly atFront: boolean;
  /** Undefined: normal. */
  readonly level?: 'high' | 'low';
  readonly waitsFor?: WaitsFor;
  /** Empty: none. */
  readonly key?: string;
  readonly group?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly description?: string;
  /** Text of RQ's field. */
  readonly webhooks?: string;
  /** Of calls for Python. */
  readonly callbacks?: Callbacks;
}

/** Checked defaults: what is `undefined` was not set. */
export interface ResolvedDefaults extends Pick<
  ResolvedJobOptions,
  'ttl' | 'resultTtl' | 'failureTtl'
> {
  /** `false`: no retries, whatever further defaults say. */
  readonly retry?: StoredRetry | false;
  readonly timeout?: number;
  /** The options of a job that is enqueued without any: made once, shared by all of them. */
  readonly plainJob: ResolvedJobOptions;
}

const LONGEST_DESCRIPTION = 10_000;

/**
 * Checks the options of one job and fills them up with the defaults. Without options the answer is one shared object.
 * @param where the call, for errors: `enqueue("processImage") on queue "images"`
 * @throws InvalidOptionError naming the key
 */
export function resolveJobOptions(
  options: JobOptions | undefined,
  defaults: ResolvedDefaults,
  where?: string,
): ResolvedJobOptions {
  if (options === undefined) {
    return defaults.plainJob;
  }
  checkOptions(options, JOB_KEYS, '', where);
  const own = readCommon(options, where);
  const { id, unique, delay, at, repeat, group } = options;
  if (id !== undefined) {
    assertJobId(id, where);
  }
  if (group !== undefined) assertGroupName(group, 'group', where);
  const rule = isObject(unique) ? readUnique(unique, where) : readFlag(unique, 'unique', where);
  if (rule === true && id === undefined) {
    const problem = 'needs an id, or say which jobs are the same: unique: { by }';
    throw new InvalidOptionError({ option: 'unique', problem, where });
  }
  if (delay !== undefined && at !== undefined) {
    const problem = 'and at exclude each other: give one of them';
    throw new InvalidOptionError({ option: 'delay', problem, where });
  }
  return {
    id,
    unique: rule,
    repeat: repeat === undefined ? undefined : readRepeat(repeat, where),
    retry: (own.retry ?? defaults.retry) || undefined,
    retryGiven: own.retry !== undefined,
    timeout: own.timeout ?? defaults.timeout ?? DEFAULT_TIMEOUT_MS,
    timeoutGiven: own.timeout !== undefined,
    ttl: own.ttl ?? defaults.ttl,
    resultTtl: own.resultTtl ?? defaults.resultTtl,
    failureTtl: own.failureTtl ?? defaults.failureTtl,
    delay: delay === undefined ? 0 : toMilliseconds(delay, 'delay', where),
    at: readAt(at, where),
    atFront: readFlag(options.atFront, 'atFront', where),
    level: readPriority(options.priority, where),
    waitsFor: readDependsOn(options.dependsOn, id, where, group),
    group,
    key: options.key === undefined ? undefined : readKey(options.key, where),
    meta: readMeta(options.meta, where),
    description: readDescription(options.description, where),
    webhooks: readWebhooks(options.webhooks, where),
  };
}

/**
 * Checks the defaults of a queue or of the module.
 * @param where the call or module, for errors: `defaultJobOptions of queue "images"`
 * @throws InvalidOptionError naming the key
 */
export function resolveDefaults(
  options: DefaultJobOptions | undefined,
  where?: string,
): ResolvedDefaults {
  if (options === undefined) {
    return NO_DEFAULTS;
  }
  checkOptions(options, DEFAULT_KEYS, '', where);
  return withPlainJob(readCommon(options, where));
}

/** The queue's defaults, and the root's where the queue has none. A `retry` is taken as a whole. */
export function layerDefaults(root: ResolvedDefaults, queue: ResolvedDefaults): ResolvedDefaults {
  return withPlainJob({
    retry: queue.retry ?? root.retry,
    timeout: queue.timeout ?? root.timeout,
    ttl: queue.ttl ?? root.ttl,
    resultTtl: queue.resultTtl ?? root.resultTtl,
    failureTtl: queue.failureTtl ?? root.failureTtl,
  });
}

/**
 * How long one run may take, in milliseconds; -1 is no limit.
 * @throws InvalidOptionError if it is no duration or 0
 */
export function readTimeout(
  value: Duration | false,
  option: string,
  where: string | undefined,
): number {
  if (value === false || value === -1) {
    return -1;
  }
  const timeout = toMilliseconds(value, option, where);
  if (timeout === 0) {
    const problem = 'must be above 0, or false for no limit';
    throw new InvalidOptionError({ option, problem, value, where });
  }
  return timeout;
}

type CommonOptions = Omit<ResolvedDefaults, 'plainJob'>;

const DEFAULT_KEYS: ReadonlySet<string> = new Set([
  'retry',
  'timeout',
  'ttl',
  'resultTtl',
  'failureTtl',
]);

const JOB_KEYS: ReadonlySet<string> = new Set([
  ...DEFAULT_KEYS,
  'id',
  'unique',
  'repeat',
  'delay',
  'at',
  'atFront',
  'priority',
  'dependsOn',
  'key',
  'group',
  'meta',
  'description',
  'webhooks',
]);

const NO_DEFAULTS = withPlainJob({});

function withPlainJob(defaults: CommonOptions): ResolvedDefaults {
  const { retry, timeout = DEFAULT_TIMEOUT_MS, ttl, resultTtl, failureTtl } = defaults;
  const plainJob: ResolvedJobOptions = {
    id: undefined,
    unique: false,
    repeat: undefined,
    retry: retry || undefined,
    retryGiven: false,
    timeout,
    timeoutGiven: false,
    ttl,
    resultTtl,
    failureTtl,
    delay: 0,
    at: undefined,
    atFront: false,
    level: undefined,
    waitsFor: undefined,
    key: undefined,
    group: undefined,
    meta: undefined,
    description: undefined,
    webhooks: undefined,
  };
  return Object.freeze({ ...defaults, plainJob: Object.freeze(plainJob) });
}

function readCommon(options: DefaultJobOptions, where: string | undefined): CommonOptions {
  const { retry, timeout, ttl, resultTtl, failureTtl } = options;
  return {
    retry: retry === undefined || retry === false ? retry : retryPolicy(retry, where),
    timeout: timeout === undefined ? undefined : readTimeout(timeout, 'timeout', where),
    ttl: ttl === undefined ? undefined : readTtl(ttl, where),
    resultTtl: readKeeping(resultTtl, 'resultTtl', where),
    failureTtl: readKeeping(failureTtl, 'failureTtl', where),
  };
}

function readTtl(value: Duration, where: string | undefined): number {
  const ttl = toWholeSeconds(value, 'ttl', where);
  if (ttl === 0) {
    const problem = 'must be above 0: the job would be gone before it could run';
    throw new InvalidOptionError({ option: 'ttl', problem, value, where });
  }
  return ttl;
}

function readKeeping(
  value: Duration | undefined,
  option: string,
  where: string | undefined,
): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  return value === 'forever' || value === -1 ? -1 : toWholeSeconds(value, option, where);
}

function readAt(value: unknown, where: string | undefined): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!types.isDate(value) || Number.isNaN(value.getTime())) {
    throw new InvalidOptionError({ option: 'at', problem: 'must be a valid Date', value, where });
  }
  if (value.getTime() > Date.now() + LONGEST_DURATION) {
    const problem = 'must be within the next hundred years';
    throw new InvalidOptionError({ option: 'at', problem, where });
  }
  return value.getTime();
}

/** Undefined for `normal`: most jobs are of no level. */
function readPriority(value: unknown, where: string | undefined): 'high' | 'low' | undefined {
  if (value === undefined || value === 'normal') return undefined;
  if (value === 'high' || value === 'low') return value;
  const problem = "must be 'high', 'normal' or 'low'";
  throw new InvalidOptionError({ option: 'priority', problem, value, where });
}

function readMeta(value: unknown, where: string | undefined): Record<string, unknown> | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!isObject(value) || !isPlain(value)) {
    const problem = 'must be a plain object';
    throw new InvalidOptionError({ option: 'meta', problem, value, where });
  }
  // A copy: what the caller does to its object later does not change the job.
  return { ...value };
}

/** Written as an object literal or made by JSON.parse: a Date, a Map or a class instance would not come back as it was. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function readDescription(value: unknown, where: string | undefined): string | undefined {
  if (value !== undefined && typeof value !== 'string') {
    const problem = 'must be text';
    throw new InvalidOptionError({ option: 'description', problem, value, where });
  }
  if (value !== undefined && value.length > LONGEST_DESCRIPTION) {
    const problem = `must be at most ${LONGEST_DESCRIPTION} characters long: it is for lists`;
    throw new InvalidOptionError({ option: 'description', problem, where });
  }
  return value;
}
