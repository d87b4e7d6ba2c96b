/**
 * Everything an application uses of RQ for NestJS. Each public name stands here by itself: what is not listed
 * is internal and may change.
 */

// The module and what it is told.
export { RqModule } from './rq.module.js';
export type {
  JobContextOptions,
  JobEnhancers,
  RegisterQueueAsyncOptions,
  RegisterQueueOptions,
  RqFactoryOptions,
  RqModuleAsyncOptions,
  RqModuleOptions,
  RqOptionsFactory,
  RqQueueOptions,
  RqQueueOptionsFactory,
  RqWorkerOptions,
} from './nest/options/index.js';
export { RqService, getRqServiceToken } from './nest/root/rq.service.js';
export { RqWorker } from './nest/root/rq-worker.js';
export { RqHealth, getRqHealthToken } from './nest/health/rq-health.js';
export type { QueueHealthLimits, RqHealthResult } from './nest/health/rq-health.js';
export { InjectRqHealth } from './nest/decorators/inject-rq-health.decorator.js';
export { getQueueToken } from './nest/tokens.js';

// Handlers and producers.
export { CurrentJob } from './nest/decorators/current-job.decorator.js';
export { InjectQueue } from './nest/decorators/inject-queue.decorator.js';
export { InjectRqService } from './nest/decorators/inject-rq-service.decorator.js';
export { JobData, type JobDataOptions } from './nest/decorators/job-data.decorator.js';
export { Job, type JobDecorator } from './nest/decorators/job.decorator.js';
export { Schedule, type ScheduleDecorator } from './nest/decorators/schedule.decorator.js';
export type { ScheduleDecoratorOptions } from './nest/schedules/schedule-metadata.js';
export { OnJob, type OnJobDecorator } from './nest/decorators/on-job.decorator.js';
export { OnAlert, type OnAlertDecorator } from './nest/decorators/on-alert.decorator.js';
export type { AlertListenerOptions } from './nest/alerts/alert-metadata.js';
export type { JobListenerOptions } from './nest/listeners/listener-metadata.js';
export { currentJob } from './nest/handlers/current-job.js';
export type { ParameterPipe, StandardSchema } from './nest/decorators/job-parameter.js';
export { JobsOf, type JobsOfDecorator } from './nest/decorators/jobs-of.decorator.js';
export type {
  JobBatchOptions,
  JobHandlerOptions,
  JobsOfOptions,
} from './nest/handlers/job-metadata.js';
export { RQ_CONTEXT_TYPE } from './nest/nest-internals.js';
export { RqContext } from './nest/handlers/rq-context.js';

// Queues, jobs, and the worker; they work without Nest too.
export {
  PreparedJob,
  Queue,
  RqGroup,
  RqJob,
  RqSchedule,
  type AnyHandlers,
  type Batch,
  type CallOptions,
  type GroupStatus,
  type HeaderInjector,
  type JobAttempt,
  type JobHeaders,
  type JobMethod,
  type JobName,
  type JobParents,
  type JobPayload,
  type JobResult,
  type JobSnapshot,
  type JobSummary,
  type JobTick,
  type JobWait,
  type Lane,
  type LimitInForce,
  type JsonInput,
  type Jsonified,
  type ListeningOptions,
  type ManyItem,
  type NamesJobs,
  type NotJson,
  type ParentJob,
  type QueueOptions,
} from './queue/index.js';
export {
  BatchedJob,
  HandlerRegistry,
  RunningJob,
  Scheduler,
  Worker,
  type JobCallback,
  type BatchHandler,
  type JobRetryingEvent,
  type Handler,
  type QueueLimitOptions,
  type ExecutionEvent,
  type JobFailedEvent,
  type ReleaseReason,
  type SnoozeReason,
  type WebhookSettings,
  type WorkerEnd,
  type WorkerFigures,
  type WorkerVitals,
  type WorkerObserver,
  type WorkerOptions,
  type WorkerQueueOptions,
} from './worker/index.js';
export {
  ClusterConnections,
  Connections,
  type ClusterOption,
  type ConnectionOption,
  type ConnectionSettings,
  type RedisInstance,
} from './redis/index.js';
export {
  ClusterJobStore,
  RedisJobStore,
  type ClusterJobStoreOptions,
  type ControlReport,
  type JobStore,
  type LaneWait,
  type LimitScope,
  type LimitChange,
  type QueueState,
  type RedisJobStoreOptions,
  type RegistryCounts,
  type RegistryName,
  type RunningNow,
  type ServerState,
  type Undeleted,
  type WorkerState,
} from './store/index.js';

// Seeing and operating everything; it works without Nest too.
export {
  AuditTrail,
  BulkOperation,
  ConnectedInspector,
  Desk,
  FoundJobs,
  RUN_BOUNDS,
  RqInspector,
  SharedOperations,
  connectInspector,
  type AlertOptions,
  type AlertRule,
  type AlertSeverity,
  type DeleteOptions,
  type AuditEntry,
  type AuditResult,
  type DryRun,
  type Durations,
  type FailureGroup,
  type Failures,
  type FailuresOptions,
  type HistoryPoint,
  type InspectorOptions,
  type JobFigures,
  type JobSearch,
  type LimitUse,
  type NewAuditEntry,
  type OperationOptions,
  type OperationRequest,
  type OperationState,
  type Overview,
  type QueueAlertOptions,
  type QueueFinding,
  type QueueHistory,
  type QueueOverview,
  type QueueSample,
  type QueueTrouble,
  type RecoveredJobs,
  type AlertFailure,
  type RqAlert,
  type SearchOptions,
  type StoredSelection,
} from './observe/index.js';
export { getRqInspectorToken } from './nest/tokens.js';
export { InjectRqInspector } from './nest/decorators/inject-rq-inspector.decorator.js';

// When jobs are enqueued by the clock.
export type { MissedRule, ScheduleOptions, When } from './schedule/index.js';

// What is said about a job, and what its handler may say.
export type {
  BatchOptions,
  CallbackMoment,
  CallbackOptions,
  CancelFrom,
  ConcurrencyLimits,
  DefaultJobOptions,
  DependsOn,
  DurabilityOptions,
  Duration,
  HandlerConcurrency,
  IfFailed,
  JobKey,
  JobOptions,
  JobReference,
  JobSelection,
  LimitSettings,
  MaxLength,
  PromoteFrom,
  RateLimit,
  RateLimitOptions,
  RepeatOptions,
  RequeueFrom,
  RequeueOptions,
  SelectableIn,
  SettingOptions,
  SnoozeJobOptions,
  SnoozeScope,
  UniqueOptions,
  WaitsFor,
  WebhookOptions,
  WhenFull,
} from './job/index.js';
export type {
  EnqueueCall,
  FigureDefinition,
  ObservedFigure,
  ProcessedBatch,
  ProcessedJob,
  RqTelemetry,
  TelemetryFigures,
} from './job/index.js';
export { isSettled, type JobStatus } from './job/index.js';
export type {
  CanceledEvent,
  EventError,
  ExhaustedEvent,
  FailedEvent,
  FinishedEvent,
  JobEvent,
  JobEventOf,
  JobEventType,
  LostEvent,
  ProgressEvent,
  RetryingEvent,
  StartedEvent,
} from './job/index.js';
export type {
  ErrorClass,
  ExponentialInterval,
  HandlerRetryOptions,
  IntervalOption,
  RetryOptions,
} from './job/index.js';
export { CancelJob, FailJob, Retry, RetryJob, ReturnedRetry, SnoozeJob } from './job/index.js';

// What can go wrong.
export {
  BatchResultError,
  CircularDependencyError,
  DuplicateHandlerError,
  DuplicateJobError,
  EnqueueManyError,
  GroupTimeoutError,
  InvalidJobStateError,
  InvalidOptionError,
  JobCanceledError,
  JobFailedError,
  JobNotFoundError,
  JobStoppedError,
  JobTimeoutError,
  KeyFunctionError,
  LostLeaseError,
  MalformedJobError,
  NotReplicatedError,
  ParentResultError,
  PayloadTooLargeError,
  PoisonJobError,
  QueueFullError,
  RedisReplyError,
  ResultTimeoutError,
  RqConnectionError,
  RqError,
  ShutdownError,
  UnknownJobError,
  UnserializableDataError,
  UnusableRedisError,
  UnserializableResultError,
} from './job/index.js';
