import { InvalidOptionError } from '../job/index.js';
import { ClusterConnections } from './cluster-connections.js';
import { type ClusterOption, isClusterOption } from './cluster-input.js';
import type { ConnectionOption } from './connection-input.js';
import { Connections, type ConnectionSettings } from './connections.js';

/**
 * The connections that an application asks for: to one server, or to a cluster. Nothing is opened yet.
 * @throws InvalidOptionError naming the key
 */
export function openConnections(
  connection: ConnectionOption | ClusterOption,
  settings: ConnectionSettings = {},
): Connections | ClusterConnections {
  if (!isClusterOption(connection)) return new Connections(connection, settings);
  if (settings.layout === 'shared') {
    const problem = "cannot be 'shared' on a cluster: RQ's names are spread over its nodes";
    throw new InvalidOptionError({ option: 'layout', problem, where: settings.where });
  }
  return new ClusterConnections(connection, settings);
}
