import {
  type Duration,
  type ErrorClass,
  type HandlerRetry,
  type HandlerRetryOptions,
  DuplicateHandlerError,
  ShortForm,
  assertJobName,
  assertQueueName,
  handlerRetry,
  readTimeout,
  wholeNumber,
  withNonRetryable,
} from '../../job/index.js';
import type { RunningJob } from './running-job.js';

/**
 * Which function runs which job. Only names that were registered here ever run: a name that comes out of
 * Redis selects an entry of a `Map`, nothing else.
 */
export class HandlerRegistry extends ShortForm {
  readonly #byQueue = new Map<string, Map<string, RegisteredHandler>>();

  /**
   * Makes a handler known.
   * @throws DuplicateHandlerError when the queue has a handler of this name; the message names both owners
   * @throws InvalidOptionError when retry, timeout or concurrency is impossible
   */
  register(handler: Handler): void {
    assertQueueName(handler.queue);
    assertJobName(handler.name);
    const handlers = this.#byQueue.get(handler.queue) ?? new Map<string, RegisteredHandler>();
    const existing = handlers.get(handler.name);
    if (existing) {
      throw new DuplicateHandlerError({
        queue: handler.queue,
        name: handler.name,
        owners: [existing.owner, handler.owner],
      });
    }
    handlers.set(handler.name, new RegisteredHandler(handler));
    this.#byQueue.set(handler.queue, handlers);
  }

  find(queue: string, name: string): RegisteredHandler | undefined {
    return this.#byQueue.get(queue)?.get(name);
  }

  /** The names that a queue's jobs may have. */
  names(queue: string): string[] {
    return [...(this.#byQueue.get(queue)?.keys() ?? [])];
  }

  /** The queues that have a handler. */
  queues(): string[] {
    return [...this.#byQueue.keys()];
  }

  /** What JSON and logs show of it: the names by queue. */
  toJSON(): Record<string, string[]> {
    return Object.fromEntries(this.queues().map((queue) => [queue, this.names(queue)]));
  }
}

/** A function that runs the jobs of one name on one queue. */
export interface Handler {
  readonly queue: string;
  readonly name: string;
  /** For messages, such as `ImageJobs.processImage`. */
  readonly owner: string;
  run(data: unknown, job: RunningJob): unknown;
  /** For jobs that bring no policy of their own (`false`: none), and which errors are worth a retry. */
  readonly retry?: HandlerRetryOptions<RunningJob> | false;
  /** Errors that another run cannot help: never retried, unless `retry` says `on` or `except` itself. Default: none. */
  readonly nonRetryable?: readonly ErrorClass[];
  /** For jobs that bring no timeout of their own; `false`: none. */
  readonly timeout?: Duration | false;
  /** How many jobs of this handler one worker runs at once; default: as many as the worker has slots. */
  readonly concurrency?: number;
  /** For jobs that are enqueued where this handler is known, without a priority of their own. Default: normal. */
  readonly priority?: 'high' | 'normal' | 'low';
}

/** A handler with its options checked and resolved. */
export class RegisteredHandler {
  readonly owner: string;
  /** `false`: no retries, unless the job brings its own. */
  readonly retry: HandlerRetry<RunningJob>['policy'];
  readonly retryFilter: HandlerRetry<RunningJob>['filter'];
  /** Milliseconds; -1: none; undefined: the job's own. */
  readonly timeout: number | undefined;
  readonly concurrency: number;
  readonly priority: Handler['priority'];
  readonly run: Handler['run'];

  constructor(handler: Handler) {
    const where = `@Job on ${handler.owner}`;
    this.owner = handler.owner;
    this.priority = handler.priority;
    this.run = handler.run.bind(handler);
    const own =
      handler.retry === undefined ? undefined : handlerRetry<RunningJob>(handler.retry, where);
    this.retry = own?.policy;
    this.retryFilter = withNonRetryable(own?.filter, handler.nonRetryable);
    if (handler.timeout !== undefined) {
      this.timeout = readTimeout(handler.timeout, 'timeout', where);
    }
    this.concurrency =
      handler.concurrency === undefined
        ? Infinity
        : wholeNumber(1)(handler.concurrency, 'concurrency', where);
  }
}
