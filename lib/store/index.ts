/** The database's room: the contract, and its implementation with RQ's data in Redis. */
export type { BlockingPop } from './blocking-pop.js';
export * from './call-codec.js';
export { ClaimedJob } from './claimed-job.js';
export type { AttemptRecord } from './codec.js';
export * from './connections.js';
export { EnqueueBatch } from './enqueue-batch.js';
export { JobRecord, type ResultEntry } from './job-record.js';
export type * from './job-store.js';
export type { LeaseGuard } from './lease-guard.js';
export { Keyspace, QueueKeys } from './keyspace.js';
export { RedisJobStore, type RedisJobStoreOptions } from './redis-job-store.js';
export type { WorkDone, WorkerRecord } from './worker-records.js';
