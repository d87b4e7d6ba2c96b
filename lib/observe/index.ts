/** Seeing and operating what is in Redis: queues, workers, failures, history. It reads; nothing depends on it. */
export {
  ConnectedInspector,
  type InspectorOptions,
  connectInspector,
} from './connect-inspector.js';
export type { FailureGroup, Failures } from './failures.js';
export type { Durations, HistoryPoint, JobFigures, QueueHistory, QueueSample } from './history.js';
export { RqInspector } from './inspector.js';
export { BulkOperation, type DryRun, type OperationOptions } from './operation.js';
export type { Overview, QueueOverview, QueueTrouble } from './overview.js';
export { FoundJobs, type JobSearch, type SearchOptions } from './search.js';
