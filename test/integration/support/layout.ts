// In which layout the engine's tests run. By default in RQ's own. With NESTJS_RQ_TEST_LAYOUT=cluster in that of a cluster,
// on one server; with NESTJS_RQ_TEST_LAYOUT=node on a cluster of one node, which refuses each script that touches two slots.
//
// Tests look at what is stored by RQ's names. So that most of them can be run in the other layout, all their queues have
// one hash tag there, and a test's own client says `rq:{jobs}:` to Redis where the test says `rq:`.
import { Redis } from 'ioredis';
import { ClusterConnections, Connections, type RedisAccess } from '../../../lib/redis/index.js';
import {
  ClusterJobStore,
  type RedisJobStore,
  type RedisJobStoreOptions,
} from '../../../lib/store/index.js';
import type { RedisServer } from '../../support/redis-server.js';

export const LAYOUT = (process.env['NESTJS_RQ_TEST_LAYOUT'] || 'shared') as
  'shared' | 'cluster' | 'node';

/** Not for the other layout: Python, RQ's names, or a server of another kind. */
export const itInSharedLayout = LAYOUT === 'shared' ? it : it.skip;
export const describeInSharedLayout = LAYOUT === 'shared' ? describe : describe.skip;

/** Of the servers that tests start. */
export const SERVER_ARGS = LAYOUT === 'node' ? ['--cluster-enabled', 'yes'] : [];

const TAG = 'jobs';
const TAGGED = `rq:{${TAG}}:`;

/** Has the only node of a cluster serve all slots. */
export async function prepareServer(server: RedisServer): Promise<void> {
  if (LAYOUT !== 'node') return;
  const client = server.client();
  await client.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
  while (!String(await client.cluster('INFO')).includes('cluster_state:ok'));
  client.disconnect();
  refuseSecondSlots();
}

/** The store of all queues behind the one that tests hold. */
export const wholes = new WeakMap<object, ClusterJobStore>();

/** A store in the other layout, with connections of its own; as far as tests can see it is like any other. */
export async function openTagged(
  url: string,
  options: RedisJobStoreOptions | undefined,
): Promise<{ store: RedisJobStore; connections: { close(): Promise<void> } }> {
  const connections =
    LAYOUT === 'node'
      ? new ClusterConnections({ cluster: { nodes: [url] } })
      : new Connections(url, { layout: 'cluster' });
  await connections.connect();
  const whole = new ClusterJobStore(connections, { ...options, hashTagOf: () => TAG });
  const store = whole.forQueue('jobs');
  const access: RedisAccess & { close?: unknown } = store.connections;
  if (LAYOUT === 'node') access.close = () => connections.close();
  wholes.set(store, whole);
  return { store: store as unknown as RedisJobStore, connections };
}

/** A client that says other names than it is told. */
export function taggedClient(client: Redis): Redis {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    command.args = command.args.map((arg) => renamed(arg as string));
    const { name } = command;
    if (name === 'publish' || name === 'subscribe') command.name = `s${name}`;
    const sent = send(command, stream) as Promise<unknown>;
    return sent instanceof Promise && name !== 'eval' ? sent.then(renamedBack) : sent;
  };
  return client;
}

function renamed<Arg>(arg: Arg): Arg {
  const isName = typeof arg === 'string' && arg.startsWith('rq:') && !arg.startsWith('rq:{');
  return (isName ? TAGGED + arg.slice('rq:'.length) : arg) as Arg;
}

function renamedBack(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(renamedBack);
  const isName = typeof reply === 'string' && reply.startsWith(TAGGED);
  return isName ? `rq:${reply.slice(TAGGED.length)}` : reply;
}

/** A script with a line of flags may not touch two slots; without one it may, as long as one node has both. */
function refuseSecondSlots(): void {
  const prototype = Redis.prototype as unknown as {
    callBuffer(command: string, ...args: (string | number | Buffer)[]): Promise<unknown>;
    isStrict?: true;
  };
  if (prototype.isStrict) return;
  prototype.isStrict = true;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its client
  const call = prototype.callBuffer as (this: unknown, ...all: unknown[]) => Promise<unknown>;
  prototype.callBuffer = function (command, text, ...args) {
    if (command === 'EVALSHA') return Promise.reject(new Error('NOSCRIPT not here'));
    const isPlain = command === 'EVAL' && !String(text).startsWith('#!');
    return call.call(this, command, isPlain ? `#!lua\n${String(text)}` : (text as string), ...args);
  };
}
