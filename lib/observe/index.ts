/** Seeing and operating what is in Redis: queues, workers, failures, history. It reads; nothing depends on it. */
export {
  AuditTrail,
  type AuditEntry,
  type AuditResult,
  type NewAuditEntry,
} from './audit-trail.js';
export {
  ConnectedInspector,
  type InspectorOptions,
  connectInspector,
} from './connect-inspector.js';
export { Desk } from './desk.js';
export type { RecoveredJobs } from './recover-queue.js';
export { type AlertFailure, type RqAlert, alertFailure } from './alert.js';
export type {
  AlertOptions,
  AlertRule,
  AlertSeverity,
  QueueAlertOptions,
  ResolvedAlerts,
} from './alert-options.js';
export { httpStatusOf } from './http-status.js';
export { ALERT_RULES, resolveAlerts } from './alert-options.js';
export { type AlertListener, AlertWatch } from './alert-watch.js';
export type { FailureGroup, Failures, FailuresOptions } from './failures.js';
export type { QueueFinding } from './findings.js';
export {
  type Durations,
  type HistoryPoint,
  type JobFigures,
  type QueueHistory,
  type QueueSample,
  RUN_BOUNDS,
} from './history.js';
export { RqInspector } from './inspector.js';
export type { LimitUse } from './limit-uses.js';
export { METRICS, type MetricDefinition } from './metric-list.js';
export { type MetricRegistry, type MetricSources, RqMetrics } from './metrics.js';
export type { ProcessFigures } from './process-samples.js';
export {
  BulkOperation,
  type DeleteOptions,
  type DryRun,
  type OperationOptions,
} from './operation.js';
export type { Overview, QueueOverview, QueueTrouble } from './overview.js';
export {
  SharedOperations,
  type OperationRequest,
  type OperationState,
  type StoredSelection,
} from './shared-operations.js';
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
  nearestName,
  toMilliseconds,
} from '../job/index.js';
export { type Timer, after, every } from '../time/timer.js';
export type { JobEvent, JobSelection, SelectableIn } from '../job/index.js';
export type {
  JobAttempt,
  JobSnapshot,
  JobWait,
  Lane,
  LimitInForce,
  Queue,
  RqJob,
  RqSchedule,
} from '../queue/index.js';
export type {
  ControlReport,
  QueueState,
  RunningNow,
  ServerState,
  Undeleted,
  WorkerState,
} from '../store/index.js';
export type { JobSummary } from '../wire/index.js';
