import { ClusterConnections } from '../redis/cluster-connections.js';
import type { Connections } from '../redis/connections.js';
import { ClusterJobStore, type ClusterJobStoreOptions } from './cluster-job-store.js';
import type { JobStore } from './job-store.js';
import { RedisJobStore } from './redis-job-store.js';

/**
 * Makes the store that fits the connections: for RQ's own names of keys, or for those with hash tags.
 *
 * @throws InvalidOptionError
 */
export function openStore(
  connections: Connections | ClusterConnections,
  options: ClusterJobStoreOptions = {},
): RedisJobStore | ClusterJobStore {
  const isOne = !(connections instanceof ClusterConnections) && connections.layout === 'shared';
  return isOne
    ? new RedisJobStore(connections, options)
    : new ClusterJobStore(connections, options);
}

/** The part of a store that holds a queue: in the shared layout all of it, in a cluster that of its hash tag. */
export function storeFor<Store extends JobStore>(store: Store, queue: string): Store {
  return (store.forQueue?.(queue) as Store | undefined) ?? store;
}
