import type { Type } from '@nestjs/common';
import {
  type BatchOptions,
  type Duration,
  type HandlerConcurrency,
  type HandlerRetryOptions,
  InvalidOptionError,
  type JobKey,
  type RateLimitOptions,
  aFunction,
  batchRule,
  checked,
  flag,
  handlerConcurrency,
  handlerRetry,
  isObject,
  jobName,
  oneOf,
  optionTable,
  optional,
  queueName,
  rateLimit,
  readOptions,
  readTimeout,
  unchecked,
} from '../../job/index.js';
import type { Handler } from '../../worker/index.js';
import {
  type JobBatchOptions,
  type JobHandlerOptions,
  type JobsOfOptions,
  jobsOfMetadata,
} from './job-metadata.js';
import * as problems from '../problems.js';
import { DEFAULT_ROOT } from '../tokens.js';

/**
 * What holds for a handler in the end: what its `@Job` says, and key by key what `@JobsOf` says on its class where
 * `@Job` is silent.
 */
export type HandlerOptions = Pick<
  Handler,
  | 'queue'
  | 'name'
  | 'retry'
  | 'timeout'
  | 'concurrency'
  | 'rateLimit'
  | 'key'
  | 'strictOrder'
  | 'priority'
  | 'critical'
> & {
  readonly root: string;
  /** It takes several jobs at once; undefined: one by one. */
  readonly batch: BatchOptions | undefined;
  /** Of a handler of batches: the class of the data of one job. */
  readonly items: Type | undefined;
  /** Each value of an Observable or a generator is told as progress. */
  readonly reportsProgress: boolean;
};

/**
 * @param type the class whose provider handles the jobs; it may have inherited the method
 * @param owner the method, for errors: `ImageJobs.processImage in ImagesModule`
 * @throws InvalidOptionError
 */
export function readHandlerOptions(
  own: JobHandlerOptions,
  method: string,
  type: { readonly name: string },
  owner: string,
): HandlerOptions {
  const where = `@Job on ${owner}`;
  const defaults = readJobsOf(type);
  const named = { ...own, queue: own.queue ?? defaults?.queue, name: own.name ?? method };
  const read = readOptions(named, JOB_OPTIONS, where);
  const { queue, name, root, retry, timeout, concurrency, rateLimit: rates, key } = read;
  const { priority, progress, strictOrder, critical } = read;
  const { items, ...batch } = read.batch ?? {};
  if (read.batch && progress) {
    throw new InvalidOptionError({ option: 'progress', problem: problems.batchProgress, where });
  }
  return {
    queue,
    name,
    root: root ?? defaults?.root ?? DEFAULT_ROOT,
    retry: retry ?? defaults?.retry,
    timeout: timeout ?? defaults?.timeout,
    concurrency: concurrency ?? defaults?.concurrency,
    rateLimit: rates ?? defaults?.rateLimit,
    key: key ?? defaults?.key,
    batch: read.batch && (batch as BatchOptions),
    items,
    strictOrder,
    priority,
    critical: critical ?? defaults?.critical,
    reportsProgress: progress,
  };
}

/** All of it is checked here, so that an error names the place where it was written. */
function readJobsOf(type: {
  readonly name: string;
}): (JobsOfOptions & { queue: string }) | undefined {
  const metadata = jobsOfMetadata(type);
  if (!metadata) return undefined;
  const where = `@JobsOf on ${type.name}`;
  const queue = queueName(metadata.queue, 'queue', where);
  return { ...readOptions(metadata.options, JOBS_OF_OPTIONS, where), queue };
}

/** Handed on as they are written: the registry of the handlers reads them. */
const COMMON = {
  root: unchecked<string | undefined>(),
  retry: optional(checked<HandlerRetryOptions | false>(readHandlerRetry)),
  timeout: optional(checked<Duration | false>(readRunTimeout)),
  concurrency: optional(checked<number | HandlerConcurrency>(handlerConcurrency)),
  rateLimit: optional(checked<RateLimitOptions>(rateLimit)),
  key: optional(checked<JobKey>(aFunction)),
  critical: optional(flag),
};

const JOBS_OF_OPTIONS = optionTable<JobsOfOptions>()(COMMON);

const JOB_OPTIONS = optionTable<JobHandlerOptions>()({
  ...COMMON,
  queue: readQueue,
  name: jobName,
  batch: optional(checked<JobBatchOptions>(readBatch)),
  strictOrder: flag,
  priority: optional(oneOf('high', 'normal', 'low')),
  progress: flag,
});

function readQueue(value: unknown, option: string, where: string | undefined): string {
  if (value !== undefined) return queueName(value, option, where);
  throw new InvalidOptionError({ option, problem: problems.queueMissing, where });
}

/** Nobody but the pipes goes by the class of the data. */
function readBatch(value: unknown, option: string, where: string | undefined): void {
  const { items, ...batch } = (isObject(value) ? value : {}) as Partial<JobBatchOptions>;
  batchRule(isObject(value) ? batch : value, option, where);
  if (items !== undefined) aFunction(items, `${option}.items`, where);
}

function readHandlerRetry(value: unknown, _option: string, where: string | undefined): void {
  handlerRetry(value as HandlerRetryOptions | false, where);
}

function readRunTimeout(value: unknown, option: string, where: string | undefined): void {
  readTimeout(value as Duration | false, option, where);
}
