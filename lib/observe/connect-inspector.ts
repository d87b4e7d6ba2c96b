import {
  type Duration,
  durationAboveZero,
  optionTable,
  optional,
  otherwise,
  readOptions,
  text,
} from '../job/index.js';
import { type ConnectionOption, Connections } from '../redis/index.js';
import { RedisJobStore } from '../store/index.js';
import { RqInspector } from './inspector.js';

/** An inspector with connections of its own. */
export class ConnectedInspector extends RqInspector {
  readonly #connections: Connections;

  /** @internal */
  constructor(connections: Connections, prefix: string | undefined) {
    super(new RedisJobStore(connections, prefix === undefined ? {} : { prefix }));
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
 * @param connection a URL, ioredis options, or an ioredis instance, as `RqModule.forRoot` takes them
 * @throws InvalidOptionError; RqConnectionError when Redis is not there
 */
export async function connectInspector(
  connection: ConnectionOption,
  options: InspectorOptions = {},
): Promise<ConnectedInspector> {
  const where = 'connectInspector';
  const { prefix, connectTimeout, commandTimeout } = readOptions(options, OPTIONS, where);
  const connections = new Connections(connection, { connectTimeout, commandTimeout, where });
  try {
    await connections.connect();
  } catch (error) {
    await connections.close();
    throw error;
  }
  return new ConnectedInspector(connections, prefix);
}

const OPTIONS = optionTable<InspectorOptions>()({
  prefix: optional(text(/^.+$/s, 'must be text that is not empty')),
  connectTimeout: otherwise(10, durationAboveZero),
  commandTimeout: otherwise(5, durationAboveZero),
});
