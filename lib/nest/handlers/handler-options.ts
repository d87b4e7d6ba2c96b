import {
  InvalidOptionError,
  assertJobName,
  assertQueueName,
  checkOptions,
  handlerRetry,
  readFlag,
  readTimeout,
} from '../../job/index.js';
import type { Handler } from '../../worker/index.js';
import { readConcurrency } from '../../worker/run/handler-registry.js';
import { type JobHandlerOptions, type JobsOfOptions, jobsOfMetadata } from './job-metadata.js';
import * as messages from '../messages.js';
import { DEFAULT_ROOT } from '../tokens.js';

/**
 * What holds for a handler in the end: what its `@Job` says, and key by key what `@JobsOf` says on its class where
 * `@Job` is silent.
 */
export type HandlerOptions = Pick<
  Handler,
  'queue' | 'name' | 'retry' | 'timeout' | 'concurrency'
> & {
  readonly root: string;
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
  checkOptions(own, JOB_KEYS, '', where);
  const defaults = readJobsOf(type);
  const queue = own.queue ?? defaults?.queue;
  if (queue === undefined) {
    throw new InvalidOptionError({ option: 'queue', problem: messages.queueMissing, where });
  }
  assertQueueName(queue, where);
  const name = own.name ?? method;
  assertJobName(name, where);
  return {
    queue,
    name,
    root: own.root ?? defaults?.root ?? DEFAULT_ROOT,
    retry: own.retry ?? defaults?.retry,
    timeout: own.timeout ?? defaults?.timeout,
    concurrency: own.concurrency ?? defaults?.concurrency,
    reportsProgress: readFlag(own.progress, 'progress', where),
  };
}

/** All of it is checked here, so that an error names the place where it was written. */
function readJobsOf(type: {
  readonly name: string;
}): (JobsOfOptions & { queue: string }) | undefined {
  const metadata = jobsOfMetadata(type);
  if (!metadata) return undefined;
  const { queue, options } = metadata;
  const where = `@JobsOf on ${type.name}`;
  assertQueueName(queue, where);
  checkOptions(options, JOBS_OF_KEYS, '', where);
  const { retry, timeout, concurrency } = options;
  if (retry !== undefined) handlerRetry(retry, where);
  if (timeout !== undefined) readTimeout(timeout, 'timeout', where);
  readConcurrency(concurrency, where);
  return { ...options, queue };
}

const JOBS_OF_KEYS: ReadonlySet<string> = new Set([
  'root',
  'retry',
  'timeout',
  'concurrency',
] satisfies (keyof JobsOfOptions)[]);

const JOB_KEYS: ReadonlySet<string> = new Set([...JOBS_OF_KEYS, 'queue', 'name', 'progress']);
