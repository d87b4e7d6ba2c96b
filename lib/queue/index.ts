/** What a producer holds. */
export type * from './handler-types.js';
export type * from './json-types.js';
export type { JobAttempt } from './job-attempts.js';
export type { ListeningOptions } from './job-events.js';
export { type HeaderInjector, headersOf, type JobHeaders } from './job-headers.js';
export { type BulkRequest, bulkRequest, requeueRequest } from './bulk-request.js';
export { enqueuePrepared } from './enqueue-together.js';
export { Queue } from './queue.js';
export type { CallOptions, QueueOptions } from './queue-options.js';
export type { Lane, LimitInForce } from './limited-queue.js';
export { PreparedJob } from './prepared-job.js';
export { ResultWaiter, settledOf } from './result-waiter.js';
export { type GroupStatus, RqGroup } from './rq-group.js';
export { type JobSnapshot, RqJob } from './rq-job.js';
export type { GivenSchedule } from './queue-schedules.js';
export { RqSchedule } from './rq-schedule.js';
export type { JobSummary, JobTick } from '../wire/index.js';
