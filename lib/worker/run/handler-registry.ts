import {
  type BatchOptions,
  type Duration,
  type ErrorClass,
  type HandlerConcurrency,
  type HandlerRetry,
  type HandlerRetryOptions,
  type JobKey,
  type RateLimitOptions,
  DuplicateHandlerError,
  InvalidOptionError,
  ShortForm,
  assertJobName,
  assertQueueName,
  handlerRetry,
  readTimeout,
  withNonRetryable,
} from '../../job/index.js';
import {
  type Gate,
  type HandlerLimits,
  type QueueLimitOptions,
  type QueueLimits,
  gateOf,
  readHandlerLimits,
  readQueueLimits,
} from './gate.js';
import type { BatchedJob } from './batched-job.js';
import type { RunningJob } from './running-job.js';

/**
 * Which function runs which job. Only names that were registered here ever run: a name that comes out of
 * Redis selects an entry of a `Map`, nothing else.
 */
export class HandlerRegistry extends ShortForm {
  readonly #byQueue = new Map<string, Map<string, RegisteredHandler>>();
  readonly #limits = new Map<string, QueueLimits>();

  /**
   * Makes a handler known.
   * @throws DuplicateHandlerError when the queue has a handler of this name; the message names both owners
   * @throws InvalidOptionError when retry, timeout or concurrency is impossible
   */
  register(handler: Handler | BatchHandler): void {
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
    const registered = new RegisteredHandler(handler);
    registered.limitBy(this.#limits.get(handler.queue));
    handlers.set(handler.name, registered);
    this.#byQueue.set(handler.queue, handlers);
  }

  /**
   * Says what holds for a queue: `total` and the rate for all its jobs together, the rest for each handler that does not
   * say it itself. Like the handlers, it is to be known before the worker starts.
   * @throws InvalidOptionError
   */
  limitQueue(queue: string, limits: QueueLimitOptions, where = `limits of queue "${queue}"`): void {
    assertQueueName(queue);
    const read = readQueueLimits(limits, where);
    this.#limits.set(queue, read);
    for (const handler of this.#byQueue.get(queue)?.values() ?? []) handler.limitBy(read);
  }

  /** What holds for a queue as a whole; undefined: nothing. */
  limitsOf(queue: string): QueueLimits | undefined {
    return this.#limits.get(queue);
  }

  /** The gates of a queue's handlers, by name. */
  gates(queue: string): Map<string, Gate> {
    const gates = new Map<string, Gate>();
    for (const [name, { gate }] of this.#byQueue.get(queue) ?? []) if (gate) gates.set(name, gate);
    return gates;
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
  readonly batch?: undefined;
  /**
   * The jobs of a key run one by one, and while one waits for its retry the later ones wait for it. Default: they pass.
   */
  readonly strictOrder?: boolean;
  /** For jobs that bring no policy of their own (`false`: none), and which errors are worth a retry. */
  readonly retry?: HandlerRetryOptions<RunningJob> | false;
  /** Errors that another run cannot help: never retried, unless `retry` says `on` or `except` itself. Default: none. */
  readonly nonRetryable?: readonly ErrorClass[];
  /** For jobs that bring no timeout of their own; `false`: none. */
  readonly timeout?: Duration | false;
  /** How many of its jobs run at once; a number is per worker. Default: as many as there are slots. */
  readonly concurrency?: number | HandlerConcurrency;
  /** How many of its jobs may start in a span of time. Default: any number. */
  readonly rateLimit?: RateLimitOptions;
  /** Says whose a job is. Default: the queue's `key`, else what a job was enqueued with. */
  readonly key?: JobKey;
  /** For jobs that are enqueued where this handler is known, without a priority of their own. Default: normal. */
  readonly priority?: 'high' | 'normal' | 'low';
  /** People are to be told of each of its jobs that fails for good; whoever watches the worker does. Default: no. */
  readonly critical?: boolean;
}

/** A function that runs several jobs at once, of one key. */
export interface BatchHandler extends Omit<Handler, 'run' | 'batch'> {
  readonly batch: BatchOptions;
  /**
   * It returns nothing, or a list with a result for each job. What it throws is the end of all those that it has not
   * decided about (see BatchedJob).
   */
  run(data: readonly unknown[], jobs: readonly BatchedJob[]): unknown;
  /** Looks at the data of each job first, and gives those for `run`. What it throws is the end of that job alone. */
  item?(data: unknown, job: RunningJob): unknown;
}

/** A handler with its options checked and resolved. */
export class RegisteredHandler {
  readonly owner: string;
  /** `false`: no retries, unless the job brings its own. */
  readonly retry: HandlerRetry<RunningJob>['policy'];
  readonly retryFilter: HandlerRetry<RunningJob>['filter'];
  /** Milliseconds; -1: none; undefined: the job's own. */
  readonly timeout: number | undefined;
  readonly priority: Handler['priority'];
  readonly critical: boolean;
  readonly run: Handler['run'];
  /** How it runs several jobs at once; undefined: it takes them one by one. */
  readonly ofBatch: Pick<BatchHandler, 'run' | 'item'> | undefined;
  readonly limits: HandlerLimits;
  /** Its jobs wait behind it; undefined: nothing limits them. */
  gate: Gate | undefined;
  /** How many jobs of its queue may wait for a retry; undefined: any number. */
  mostRetrying: number | undefined;

  constructor(handler: Handler | BatchHandler) {
    const where = `@Job on ${handler.owner}`;
    this.owner = handler.owner;
    this.priority = handler.priority;
    this.critical = handler.critical ?? false;
    if (handler.batch) {
      this.ofBatch = { run: handler.run.bind(handler), item: handler.item?.bind(handler) };
    }
    this.run = handler.run.bind(handler) as Handler['run'];
    const own =
      handler.retry === undefined ? undefined : handlerRetry<RunningJob>(handler.retry, where);
    this.retry = own?.policy;
    this.retryFilter = withNonRetryable(own?.filter, handler.nonRetryable);
    if (handler.timeout !== undefined) {
      this.timeout = readTimeout(handler.timeout, 'timeout', where);
    }
    this.limits = readHandlerLimits(handler, where);
  }

  /** What its queue says holds where it says nothing itself. @throws InvalidOptionError */
  limitBy(queue: QueueLimits | undefined): void {
    this.gate = gateOf(this.limits, queue);
    this.mostRetrying = queue?.mostRetrying;
    if (!this.gate || this.priority !== 'low') return;
    const problem =
      "cannot be 'low' for a handler with limits or keys: its jobs wait in lanes, which take turns with the other jobs";
    throw new InvalidOptionError({ option: 'priority', problem, where: `@Job on ${this.owner}` });
  }
}
