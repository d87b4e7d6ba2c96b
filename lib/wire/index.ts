/** RQ's data as bytes: names of keys, fields of jobs, calls, results, events. No I/O. */
export * from './call.js';
export { ClaimedJob } from './claimed-job.js';
export type { AttemptRecord } from './fields.js';
export { JobRecord, type ResultEntry } from './job-record.js';
export type { JobSummary } from './job-row.js';
export { factsOf, summaryOf } from './record-summary.js';
export { Keyspace, QueueKeys } from './keyspace.js';
export { encodeLane, keyInLane, laneOf, nameInLane } from './lane.js';
export { type GateTraits, encodeGate, encodeQueueLimits, gatheringNothing } from './limit-text.js';
export { RETRYING_FULL } from './outcome-columns.js';
export type { ScheduleRecord } from './schedule-record.js';
export type { Settled } from './settled-message.js';
export { decodeTick, type JobTick } from './tick.js';
export { decodeWebhooks } from './webhooks.js';
