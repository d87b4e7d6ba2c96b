import type { RedisOptions } from 'ioredis';
import { InvalidOptionError, isObject } from '../job/index.js';
import type { NodeAddress } from './cluster-slots.js';
import { type RedisInstance, readConnection } from './connection-input.js';
import { readUrl } from './connection-url.js';
import * as troubles from './troubles.js';

/**
 * Reads a `connection` that leads to a cluster: `{ cluster: { nodes, options } }`, or an ioredis `Cluster`, whose nodes
 * and settings are taken over.
 */

/** A cluster by some of its nodes: the others are found by themselves. */
export interface ClusterOption {
  readonly cluster: {
    /** `redis://` URLs, `{ host, port }`, or ports of this machine. One that answers is enough. */
    readonly nodes: readonly (string | number | Partial<NodeAddress>)[];
    readonly options?: {
      /** Of the connection to each node: user, password, TLS. */
      readonly redisOptions?: RedisOptions;
      /** Where nodes are reached by other addresses than they tell: `{ '10.0.0.1:6379': { host, port } }`. */
      readonly natMap?: NatMap;
    };
  };
}

export type NatMap = Readonly<Record<string, NodeAddress>>;

export interface ClusterInput {
  readonly nodes: readonly NodeAddress[];
  readonly options: RedisOptions;
  readonly natMap: NatMap;
  readonly warnings: readonly string[];
}

/** Whether a connection is to a cluster, and not to one server. */
export function isClusterOption(
  connection: unknown,
): connection is ClusterOption | (RedisInstance & { readonly isCluster: true }) {
  if (typeof connection !== 'object' || connection === null) return false;
  const { cluster } = connection as { cluster?: unknown };
  return isInstance(connection) || (cluster !== undefined && typeof cluster !== 'function');
}

function isInstance(connection: object): boolean {
  return (connection as { isCluster?: unknown }).isCluster === true;
}

/** @throws InvalidOptionError naming the key; it never shows a URL or a password */
export function readCluster(connection: object, where: string | undefined): ClusterInput {
  const option = 'connection.cluster';
  const refuse = (problem: string, key = option): never => {
    throw new InvalidOptionError({ option: key, problem, where });
  };
  const { nodes, options = {} } = partsOf(connection) ?? refuse('must be { nodes, options }');
  if (!Array.isArray(nodes) || nodes.length === 0) {
    refuse('must be a list of addresses: [{ host, port }]', `${option}.nodes`);
  }
  if (!isObject(options)) refuse('must be an object', `${option}.options`);
  const { redisOptions = {}, natMap = {}, ...others } = options as Record<string, unknown>;
  const isOurs = !isInstance(connection);
  const [unknown] = !isOurs ? [] : Object.keys(others).filter((key) => !LEFT_TO_US.has(key));
  if (unknown !== undefined) {
    refuse('is not an option of a cluster: redisOptions, natMap', `${option}.options.${unknown}`);
  }
  const overruled = isOurs ? Object.keys(others) : [];
  if (!isObject(natMap))
    refuse("must be { 'host:port': { host, port } }", `${option}.options.natMap`);
  const read = (nodes as unknown[]).map((node, index) =>
    readNode(node, `${option}.nodes[${index}]`, where),
  );
  // Who gets in by a URL is the same at all nodes.
  const login = read.find(({ rest }) => Object.keys(rest).length > 0)?.rest;
  const { options: ofNodes, warnings } = readConnection(
    { ...login, ...(redisOptions as object) },
    where,
  );
  for (const key of ['sentinels', 'path'] as const) {
    if (ofNodes[key])
      refuse('has no meaning for a cluster', `${option}.options.redisOptions.${key}`);
  }
  if (ofNodes.db)
    refuse('must be 0: a cluster has one database', `${option}.options.redisOptions.db`);
  return {
    nodes: read.map(({ address }) => address),
    options: ofNodes,
    natMap: natMap as NatMap,
    warnings: [
      ...overruled.map((key) => troubles.optionOverruled(`cluster.options.${key}`, OURS)),
      ...warnings,
    ],
  };
}

function partsOf(connection: object): { nodes?: unknown; options?: unknown } | undefined {
  if (!isInstance(connection)) {
    const { cluster } = connection as { cluster: unknown };
    return isObject(cluster) ? cluster : undefined;
  }
  const { startupNodes, options } = connection as { startupNodes?: unknown; options?: unknown };
  return { nodes: startupNodes, options };
}

function readNode(
  node: unknown,
  option: string,
  where: string | undefined,
): { readonly address: NodeAddress; readonly rest: Record<string, unknown> } {
  const given: unknown =
    typeof node === 'string'
      ? readUrl(node.includes('://') ? node : `redis://${node}`, where)
      : typeof node === 'number'
        ? { port: node }
        : node;
  if (!isObject(given)) {
    throw new InvalidOptionError({ option, problem: 'must be { host, port } or a URL', where });
  }
  const { host = '127.0.0.1', port = 6379, ...rest } = given;
  if (typeof host !== 'string' || !Number.isInteger(port)) {
    throw new InvalidOptionError({ option, problem: 'must be { host, port } or a URL', where });
  }
  return { address: { host, port: port as number }, rest };
}

const OURS = 'nodes are found, and commands are repeated, as jobs need it';

/** Options of ioredis's Cluster that say how it finds nodes and repeats commands. */
const LEFT_TO_US: ReadonlySet<string> = new Set([
  'clusterRetryStrategy',
  'enableOfflineQueue',
  'enableReadyCheck',
  'scaleReads',
  'maxRedirections',
  'retryDelayOnFailover',
  'retryDelayOnClusterDown',
  'retryDelayOnTryAgain',
  'retryDelayOnMoved',
  'slotsRefreshTimeout',
  'slotsRefreshInterval',
  'lazyConnect',
  'enableAutoPipelining',
  'shardedSubscribers',
]);
