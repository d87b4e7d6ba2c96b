/** What a consumer runs. */
export { type BatchHandler, type Handler, HandlerRegistry } from './run/handler-registry.js';
export type { QueueLimitOptions } from './run/gate.js';
export { inRootContext } from './run/root-context.js';
export { BatchedJob } from './run/batched-job.js';
export { RunningJob } from './run/running-job.js';
export { Worker } from './worker.js';
export type * from './worker-figures.js';
export type { OwnDefinition } from './upkeep/known-schedules.js';
export { Scheduler } from './upkeep/scheduler.js';
export type * from './report/worker-observer.js';
export type {
  WebhookSettings,
  WorkerDurability,
  WorkerOptions,
  WorkerQueueOptions,
} from './worker-options.js';
