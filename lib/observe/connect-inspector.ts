import {
  type Duration,
  durationAboveZero,
  either,
  optionTable,
  optional,
  otherwise,
  readOptions,
  text,
} from '../job/index.js';
import {
  type ClusterConnections,
  type ClusterOption,
  type ConnectionOption,
  type Connections,
  openConnections,
} from '../redis/index.js';
import { ClusterJobStore, type JobStore, openStore } from '../store/index.js';
import { RqInspector } from './inspector.js';

/** An inspector with connections of its own. */
export class ConnectedInspector extends RqInspector {
  readonly #connections: Connections | ClusterConnections;

  /** @internal */
  constructor(connections: Connections | ClusterConnections, store: JobStore) {
    super(store);
    this.#connections = connections;
  }

  /** Closes its connections; it never waits for a Redis that does not answer. */
  close(): Promise<void> {
    return this.#connections.close();
  }
}

export interface InspectorOptions {
  /** How every key in Redis begins; default `rq:`, RQ's own. */
  readonly prefix?: string;
  /** How the data are named: see `layout` of `RqModule.forRoot`. A cluster always has the layout `'cluster'`. */
  readonly layout?: 'shared' | 'cluster';
  /** How long the first connection may take; default 10 s. */
  readonly connectTimeout?: Duration;
  /** How long a command may take before it rejects with RqConnectionError; default 5 s. */
  readonly commandTimeout?: Duration;
}

/**
 * Gives an inspector to programs that are not Nest applications: scripts, tools, tests.
 *
 * ```ts
 * const inspector = await connectInspector('redis://localhost:6379');
 * console.log(await inspector.overview());
 * await inspector.close();
 * ```
 *
 * @param connection a URL, ioredis options, an ioredis instance, or a cluster, as `RqModule.forRoot` takes them
 * @throws InvalidOptionError; RqConnectionError when Redis is not there
 */
export async function connectInspector(
  connection: ConnectionOption | ClusterOption,
  options: InspectorOptions = {},
): Promise<ConnectedInspector> {
  const where = 'connectInspector';
  const { prefix, layout, ...timeouts } = readOptions(options, OPTIONS, where);
  const settings = { ...timeouts, where, ...(layout !== undefined && { layout }) };
  const connections = openConnections(connection, settings);
  try {
    const store = openStore(connections, prefix === undefined ? {} : { prefix });
    await connections.connect();
    // Which tag a queue has is known to those who use it.
    if (store instanceof ClusterJobStore) await store.hashTags.all();
    return new ConnectedInspector(connections, store);
  } catch (error) {
    await connections.close();
    throw error;
  }
}

const OPTIONS = optionTable<InspectorOptions>()({
  prefix: optional(text(/^.+$/s, 'must be text that is not empty')),
  layout: optional(either('shared', 'cluster')),
  connectTimeout: otherwise(10, durationAboveZero),
  commandTimeout: otherwise(5, durationAboveZero),
});
