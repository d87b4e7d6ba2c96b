import type { Type } from '@nestjs/common';
import type {
  BatchOptions,
  Duration,
  HandlerConcurrency,
  HandlerRetryOptions,
  JobKey,
  RateLimitOptions,
} from '../../job/index.js';
import type { RunningJob } from '../../worker/index.js';
import { markMethod, markedMethods, placeOf } from '../discovery/method-marks.js';

/**
 * What `@Job` leaves on a method and `@JobsOf` on a class, and the one place that writes and reads it. The keys are
 * registered symbols, so that two copies of the package see each other's handlers.
 */
const JOB_METADATA = Symbol.for('nestjs-rq:job');
const JOBS_OF_METADATA = Symbol.for('nestjs-rq:jobs-of');

/** How a method handles jobs. What it leaves out is as `@JobsOf` says on its class. */
export interface JobHandlerOptions<
  Name extends string | undefined = string | undefined,
  Data = never,
  Size extends number = number,
> {
  /** The queue whose jobs it handles; default: that of `@JobsOf`. It needs no `registerQueue`. */
  queue?: string;
  /** The `name` of the `RqModule.forRoot` the queue belongs to; default: the one without a name. */
  root?: string;
  /** The jobs' name; default: the method's name. Of another one the class tells `Queue<...>` by `jobNames`, see `@Job`. */
  name?: Name;
  /**
   * For jobs that were enqueued without a policy of their own, and which errors are worth a retry
   * (`on`, `except`, `when`). `false`: no retries. Default: as the `defaultJobOptions` say, else none.
   */
  retry?: HandlerRetryOptions<RunningJob> | false;
  /** Seconds or text such as `'30s'`, for jobs that bring no timeout of their own; `false`: none. Default: 180 s. */
  timeout?: Duration | false;
  /**
   * How many of its jobs run at once: a number is within one worker, `{ perWorker, total, perKey }` also in all processes
   * together (`total`), and of each key. Default: as many as there are slots.
   */
  concurrency?: number | HandlerConcurrency;
  /**
   * How many of its jobs may start: never more than `max` in any span of `per`, in all processes together; `perKey` the
   * same of each key. Every run counts. Default: any number.
   */
  rateLimit?: RateLimitOptions;
  /**
   * Says whose a job is, such as its tenant: jobs of one key run in their order, and keys take turns (docs/limits.md).
   * Its parameter has a type, which must take the data of the handler. Default: the `key` of the queue, else what the job
   * was enqueued with.
   */
  key?: JobKey<Data>;
  /**
   * The method takes several jobs of one key at once: it is called with the list of their data and the list of the jobs
   * (`BatchedJob`), and returns nothing or a list with a result for each. Each job has its own outcome and its own retries
   * (docs/limits.md). Default: one by one.
   */
  batch?: JobBatchOptions<Size>;
  /**
   * The jobs of a key run one by one, and while one of them waits for its retry, the later ones wait for it. Default: they
   * pass.
   */
  strictOrder?: boolean;
  /** For jobs that are enqueued in this application without a priority of their own. Default: `'normal'`. */
  priority?: 'high' | 'normal' | 'low';
  /**
   * Each of its jobs that fails for good is an alert at once (see `@OnAlert`); the alert is over when none has failed for
   * 5 minutes. Default: `false`.
   */
  critical?: boolean;
  /**
   * Tells each value of the Observable or async generator that the handler returns as the job's progress (see
   * `job.progress`); the last one is the result, too. Default: `false`.
   */
  progress?: boolean;
}

/** How many jobs a method takes at once. */
export interface JobBatchOptions<Size extends number = number> extends BatchOptions {
  size: Size;
  /** The class of the data of one job, for pipes that go by it, as `ValidationPipe`. */
  items?: Type;
}

/** What `@JobsOf` says of all handlers of a class, as far as each does not say it itself. */
export type JobsOfOptions = Pick<
  JobHandlerOptions,
  'root' | 'retry' | 'timeout' | 'concurrency' | 'rateLimit' | 'key' | 'critical'
>;

/** Adds a handler to those that the method has. */
export function addJobHandler(
  target: object,
  key: string | symbol,
  method: unknown,
  options: JobHandlerOptions,
): void {
  markMethod(JOB_METADATA, placeOf('@Job', target, key), target, key, method, options);
}

/** The methods of a class that `@Job` made handlers, by name, with the options of each. */
export function jobHandlersOf(prototype: object): Map<string, JobHandlerOptions[]> {
  return markedMethods(JOB_METADATA, prototype);
}

/** Writes down what `@JobsOf` says on a class. */
export function setJobsOf(type: object, jobsOf: JobsOfMetadata): void {
  Reflect.defineMetadata(JOBS_OF_METADATA, jobsOf, type);
}

/** What `@JobsOf` says on the class, else on the nearest that it inherits from. */
export function jobsOfMetadata(type: object): JobsOfMetadata | undefined {
  return Reflect.getMetadata(JOBS_OF_METADATA, type);
}

export interface JobsOfMetadata {
  readonly queue: string;
  readonly options: JobsOfOptions;
}
