/** What a consumer runs. */
export { type Handler, HandlerRegistry } from './handler-registry.js';
export { RunningJob } from './running-job.js';
export { Worker } from './worker.js';
export type * from './worker-observer.js';
export type { WorkerOptions, WorkerQueueOptions } from './worker-options.js';
