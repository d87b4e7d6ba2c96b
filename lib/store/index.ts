/** The database's room: the contracts, and their implementation with RQ's data in Redis. */
export type * from './desk-store.js';
export type * from './alert-store.js';
export type * from './figure-store.js';
export type * from './job-store.js';
export type * from './group-store.js';
export type * from './limit-store.js';
export type * from './replicated-store.js';
export type * from './schedule-store.js';
export type * from './watcher-store.js';
export { sumOf } from './control-many.js';
export { idsOf, isSelected } from './selected-jobs.js';
export { RedisJobStore } from './redis-job-store.js';
export type { RedisJobStoreOptions } from './redis-job-store-options.js';
export {
  ClusterJobStore,
  type ClusterJobStoreOptions,
  differentTags,
} from './cluster-job-store.js';
export { assertHashTag } from './hash-tags.js';
export { openStore, storeFor } from './open-store.js';
