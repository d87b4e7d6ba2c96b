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

// What whoever shows all this needs beside it: the command line imports this room alone.
export {
  DuplicateJobError,
  InvalidJobStateError,
  InvalidOptionError,
  JobNotFoundError,
  MalformedJobError,
  RedisReplyError,
  RqConnectionError,
  RqError,
  UnusableRedisError,
  VERSION,
  cleanLine,
  cleanText,
  formatDuration,
  toMilliseconds,
} from '../job/index.js';
export { every } from '../time/timer.js';
export type { JobSelection, SelectableIn } from '../job/index.js';
export type { Queue, RqJob } from '../queue/index.js';
export type {
  ControlReport,
  QueueState,
  RunningNow,
  ServerState,
  WorkerState,
} from '../store/index.js';
export type { JobSummary } from '../wire/index.js';
