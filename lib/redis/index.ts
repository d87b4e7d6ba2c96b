/** The client of Redis: connections, ways to wait and to listen, scripts, the guard of leases. Nothing of jobs. */
export type { BlockingPop } from './blocking-pop.js';
export type { RedisAccess } from './access.js';
export { ClusterConnections } from './cluster-connections.js';
export { type ClusterOption, isClusterOption } from './cluster-input.js';
export type { ConnectionOption, RedisInstance } from './connection-input.js';
export * from './connections.js';
export type { RunsOfQueue } from './guarded-runs.js';
export type { GuardObserver, LeaseGuard } from './lease-guard.js';
export { openConnections } from './open-connections.js';
export { isDenied } from './missing-rights.js';
