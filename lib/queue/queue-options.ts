import type {
  CallbackOptions,
  DefaultJobOptions,
  DurabilityOptions,
  JobOptions,
  MaxLength,
  ResolvedDefaults,
  RqTelemetry,
  WhenFull,
} from '../job/index.js';
import type { HeaderInjector } from './job-headers.js';
import type { KeyOf } from './new-jobs.js';

/** How a queue enqueues: what holds for its jobs, and who is asked when one comes. */
export interface QueueOptions {
  /** For jobs of this queue that do not say it themselves. */
  readonly defaultJobOptions?: DefaultJobOptions;
  /** For what `defaultJobOptions` leaves open; RQ's defaults follow. */
  readonly rootDefaults?: ResolvedDefaults;
  /** Called for each job that is enqueued, there and then, to put texts into its `meta.headers`. */
  readonly inject?: HeaderInjector;
  /** Called around each call that enqueues, to trace it. */
  readonly telemetry?: Pick<RqTelemetry, 'enqueue'>;
  /** Says the key of a job that is enqueued without one, as far as it is known; it may throw, then nothing is stored. */
  readonly keyOf?: KeyOf;
  /** The priority of a job that is enqueued without one, as far as it is known; default: normal. */
  readonly priorityOf?: (name: string) => JobOptions['priority'];
  /**
   * How many jobs the queue may hold, in all and of each key; what others than calls of `enqueue` bring always comes in.
   * Default: any number. (`retrying` is the workers' limit: see `HandlerRegistry.limitQueue`.)
   */
  readonly maxLength?: MaxLength;
  /** A call of `enqueue` at a full queue: `reject` (default) with QueueFullError, or `wait` until `commandTimeout`. */
  readonly whenFull?: WhenFull;
  /** How many replicas must have a job before a call of `enqueue` resolves. Default, and `false`: none. */
  readonly durability?: false | DurabilityOptions;
}

/** Options of a call for a Python worker: those of a job, and its callbacks. */
export interface CallOptions extends JobOptions, CallbackOptions {}
