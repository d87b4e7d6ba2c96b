import type {
  DefaultJobOptions,
  DurabilityOptions,
  Duration,
  RqTelemetry,
} from '../../job/index.js';
import type { AlertOptions } from '../../observe/index.js';
import type { ClusterOption, ConnectionOption } from '../../redis/index.js';
import type { WebhookSettings, WorkerOptions } from '../../worker/index.js';
import type { JobContextOptions } from './context-options.js';
import type { JobEnhancers } from './enhancer-options.js';

/** What `RqModule.forRoot` takes: one Redis, and the worker that runs inside the application. */
export interface RqModuleOptions {
  /**
   * A URL (`redis://`, `rediss://`, `unix://`), ioredis options (also for Sentinel), or an instance of ioredis 5 or 6,
   * whose settings are taken over. For a cluster `{ cluster: { nodes, options } }`, or an instance of ioredis's `Cluster`. Options of ioredis that jobs depend on are overruled, and the log says so; an unknown
   * key is an error. See docs/connections.md.
   */
  connection: ConnectionOption | ClusterOption;
  /**
   * How the data in Redis are named. `'shared'` (default): RQ's names, which Python and its tools know; one server holds
   * all. `'cluster'`: names of our own, which a Redis Cluster can spread; it is what a cluster always has, and may be had on
   * one server. One data set has one layout. See docs/cluster.md.
   */
  layout?: 'shared' | 'cluster';
  /** How every key in Redis begins; default `rq:`, RQ's own, which Python workers and tools expect. */
  prefix?: string;
  /** The embedded worker; `false`: this application enqueues only. Default: a worker for all queues with a `@Job`. */
  worker?: false | RqWorkerOptions;
  /**
   * Whether this process fires schedules; default `true`: those in its code, and if it has a worker those made at run
   * time. `false`: other processes do.
   */
  schedules?: boolean;
  /** For jobs on every queue of this root, where neither the call nor the queue says otherwise. */
  defaultJobOptions?: DefaultJobOptions;
  /**
   * Applies the application's global guards, interceptors, pipes and filters to jobs too; default `false`, as
   * for Nest's hybrid microservices: a global guard made for HTTP would refuse every job.
   */
  globalEnhancers?: boolean;
  /** Guards, interceptors, pipes and filters for every job, after the global ones if those apply. Default: none. */
  enhancers?: JobEnhancers;
  /**
   * `currentJob()` finds the job anywhere below its handler; default `true`. It costs 2 µs a job in Node 20 and 22, and
   * next to nothing where AsyncLocalStorage is in use anyway (nestjs-cls, tracers) and in Node 24.
   */
  currentJob?: boolean;
  /** Takes the context of whoever enqueues to the handler: `inject` and `extract`. Default: nothing travels. */
  context?: JobContextOptions;
  /**
   * Redis cannot be reached when the application starts: `'fail'` (default) stops the bootstrap with
   * RqConnectionError after `connectTimeout`, `'wait'` goes on trying and says so in the log.
   */
  onRedisDown?: 'fail' | 'wait';
  /** How long running jobs may go on when the application closes, before they are put back; default 30 s. */
  shutdownTimeout?: Duration;
  /** How long the first connection may take; default 10 s. */
  connectTimeout?: Duration;
  /**
   * How long a command such as `enqueue` may take before it rejects with RqConnectionError; default 5 s. Time in which a
   * handler blocks the event loop does not count.
   */
  commandTimeout?: Duration;
  /**
   * Python programs and RQ's tools read this Redis; default `false`. Our own jobs then get what only they read, too: a
   * description (the first 75 characters of each argument), results and failures in RQ's streams, records of executions.
   * Jobs take about three times the memory.
   */
  sharedWithPython?: boolean;
  /**
   * How many replicas must have a job before `enqueue` resolves: `{ replicas: 1, timeout: '1s' }`. When too few have it in
   * time, the call rejects with NotReplicatedError and can be repeated with the same id. As many must have the outcome of
   * a job before anybody is told of it. Default: Redis's own answer is enough. See docs/connections.md.
   */
  durability?: DurabilityOptions;
  /** The most bytes that a job's data, its meta or its result may have; default 10 MiB. */
  maxPayloadBytes?: number;
  /**
   * Where the worker may send webhooks of jobs: `{ allow: ['https://hooks.example.org'] }`. Default: nowhere, and one
   * warning when a job has some. See docs/webhooks.md.
   */
  webhooks?: WebhookSettings;
  /**
   * When people are to be told that something is wrong: a line in the log, the `@OnAlert` methods, `inspector.alerts()`.
   * Without it: jobs that could run and no worker, jobs that wait for 10 minutes, 10,000 retries, overdue jobs, a pause of
   * a day. `false`: this process does not look. Give the same in all processes of a Redis. See docs/alerts.md.
   */
  alerts?: AlertOptions | false;
  /**
   * Lines of the log about jobs and alerts: `'text'` (default) are sentences, `'fields'` objects, with the sentence as
   * `message`, for Nest's `json: true` logger and nestjs-pino. See docs/operating.md.
   */
  log?: 'text' | 'fields';
  /** Traces and metrics: `otel()` of `nestjs-rq/opentelemetry`. Default: none. */
  telemetry?: RqTelemetry;
  /** Another Redis beside the one without a name: letters, digits, `_` and `-`. */
  name?: string;
  /** Whether `RqService` can be injected everywhere; default `true`. Queues can be registered anywhere in any case. */
  isGlobal?: boolean;
}

/** The embedded worker. Its `shutdownTimeout`, `webhooks` and `durability` are the module's. */
export type RqWorkerOptions = Omit<WorkerOptions, 'shutdownTimeout' | 'webhooks' | 'durability'>;
