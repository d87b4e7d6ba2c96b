// In which layout the engine's tests run, by NESTJS_RQ_TEST_LAYOUT:
//
// - not set: RQ's own names, on one server
// - `cluster`: the names of a cluster, on one server
// - `node`: on a cluster of one node
// - `nodes`: on a cluster of three masters
//
// The nodes refuse each script that touches two slots, also where they have both. Tests look at what is stored by RQ's
// names. So that they can be run in the other layouts, all their queues have one hash tag there, and a test's own client
// says `rq:{jobs}:` to Redis where the test says `rq:`. Queues with tags of their own are the matter of test/cluster.
import { createHash } from 'node:crypto';
import { type Command, Redis } from 'ioredis';
import { type ClusterOption, ClusterConnections, Connections } from '../../../lib/redis/index.js';
import {
  ClusterJobStore,
  type JobStore,
  RedisJobStore,
  type RedisJobStoreOptions,
} from '../../../lib/store/index.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import {
  type RedisServer,
  type StartRedisOptions,
  startRedis,
} from '../../support/redis-server.js';

export const LAYOUT = (process.env['NESTJS_RQ_TEST_LAYOUT'] || 'shared') as
  'shared' | 'cluster' | 'node' | 'nodes';

/** What there is in RQ's own layout only: Python, and several databases. */
export const itInSharedLayout = LAYOUT === 'shared' ? it : it.skip;

const IS_CLUSTER = LAYOUT === 'node' || LAYOUT === 'nodes';
/** What nodes of a cluster refuse. */
export const itOnOneServer = IS_CLUSTER ? it.skip : it;

/** What a process with a worker needs is said about this server, or the one node of several that has the tests' slot. */
export interface TestServers {
  readonly redis: RedisServer;
  /** Says other names than it is told, where the layout wants it. */
  readonly client: Redis;
  /** What `connection` is to be. */
  connection(login?: Login): string | ClusterOption;
  stop(): Promise<void>;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

const TAG = 'jobs';
const TAGGED = `rq:{${TAG}}:`;

export async function startServers(options?: StartRedisOptions): Promise<TestServers> {
  if (!IS_CLUSTER) {
    const redis = await startRedis(options);
    const client = redis.client();
    return {
      redis,
      client: clientHere(client),
      connection: (login) => urlOf(redis, login),
      stop: () => redis.stop(),
    };
  }
  refuseSecondSlots();
  const cluster = await RedisCluster.start({ masters: LAYOUT === 'node' ? 1 : 3, options });
  const home = await cluster.ownerOf(`{${TAG}}`);
  const others = cluster.nodes.filter((node) => node !== home).map(({ client }) => client);
  return {
    redis: home.server,
    client: taggedClient(home.server.client(), others),
    connection: (login) => ({ cluster: { nodes: [urlOf(home.server, login)] } }),
    stop: () => cluster.stop(),
  };
}

function urlOf({ url }: RedisServer, login: Login | undefined): string {
  return login ? url.replace('//', `//${login.user}:${login.password}@`) : url;
}

/** The store of all queues behind the one that tests hold. */
export const wholes = new WeakMap<object, ClusterJobStore>();

/** A store with connections of its own; in each layout it looks the same to tests. */
export async function openStoreOn(
  connection: string | ClusterOption,
  options: RedisJobStoreOptions | undefined,
  settings: { readonly commandTimeout?: number },
): Promise<{ store: RedisJobStore; connections: Connections | ClusterConnections }> {
  const connections =
    typeof connection === 'string'
      ? new Connections(connection, {
          ...settings,
          layout: LAYOUT === 'shared' ? 'shared' : 'cluster',
        })
      : new ClusterConnections(connection, settings);
  await connections.connect();
  if (LAYOUT === 'shared') {
    return { store: new RedisJobStore(connections as Connections, options), connections };
  }
  const whole = new ClusterJobStore(connections, { ...options, hashTagOf: () => TAG });
  const store = whole.forQueue(TAG);
  // Tests close the connections of a store.
  if (IS_CLUSTER) Object.assign(store.connections, { close: () => connections.close() });
  wholes.set(store, whole);
  return { store: store as unknown as RedisJobStore, connections };
}

/** What tests hold, or all queues of it: for what is about more than the queues of one tag. */
export function wholeOf<Store extends JobStore>(store: Store): Store {
  return (wholes.get(store) as unknown as Store | undefined) ?? store;
}

/** As Redis counts a command, and as rights name it. */
export function commandHere(command: string): string {
  return LAYOUT === 'shared' ? command : (OF_SLOTS.get(command) ?? command);
}

/** What the command line must be told besides a URL. */
export function flagsHere(): string[] {
  if (LAYOUT === 'shared') return [];
  return LAYOUT === 'cluster' ? ['--layout', 'cluster'] : ['--cluster'];
}

/** A name or pattern of a key or channel that a message shows. */
export function nameHere(name: string, tag = TAG): string {
  return LAYOUT === 'shared' ? name : name.replace(/^rq:/, `rq:{${tag}}:`);
}

const OF_SLOTS: ReadonlyMap<string, string> = new Map([
  ['publish', 'spublish'],
  ['subscribe', 'ssubscribe'],
  ['unsubscribe', 'sunsubscribe'],
  ['pubsub|numsub', 'pubsub|shardnumsub'],
]);

/** The client of a test, as the layout wants it. */
export function clientHere(client: Redis): Redis {
  return LAYOUT === 'shared' ? client : taggedClient(client);
}

/** @param others of the cluster's other nodes: what is about all of them is said to them, too */
function taggedClient(client: Redis, others: readonly Redis[] = []): Redis {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    command.args = command.args.map((arg) => renamed(arg as string));
    // What is outside of all tags is no key of a queue.
    if (command.name === 'keys' && command.args[0] === '*') command.args = [`*{${TAG}}:*`];
    if (command.name === 'eval') command.args[0] = inScript(command.args[0] as string);
    sendToSlots(command);
    const name = command.name.toLowerCase();
    const isOfAll =
      name === 'flushall' || (name === 'acl' && String(command.args[0]) === 'SETUSER');
    const elsewhere = isOfAll ? others.map((other) => other.call(name, ...texts(command))) : [];
    const sent = send(command, stream) as Promise<unknown>;
    // The replies of a pipeline are not those of its commands.
    if (stream || !(sent instanceof Promise)) return sent;
    const all = Promise.all(elsewhere).then(() => sent);
    return name === 'eval' ? all : all.then(renamedBack);
  };
  const on = client.on.bind(client) as (event: string, listener: () => void) => Redis;
  client.on = ((event: string, listener: () => void) =>
    on(event === 'message' ? 'smessage' : event, listener)) as Redis['on'];
  return client;
}

/** A test's own script has names in it. */
function inScript(text: string): string {
  return text.replaceAll("'rq:", `'${TAGGED}`);
}

function texts({ args }: Command): string[] {
  return args.map(String);
}

/** Channels belong to slots, as keys do. */
function sendToSlots(command: Command): void {
  command.name = OF_SLOTS.get(command.name.toLowerCase()) ?? command.name;
  const [what, ...rest] = command.args;
  if (command.name.toLowerCase() === 'pubsub' && /^(numsub|channels)$/i.test(String(what))) {
    command.args = [`SHARD${String(what)}`, ...rest];
  }
}

function renamed<Arg>(arg: Arg): Arg {
  const isName = typeof arg === 'string' && arg.startsWith('rq:') && !arg.includes(`{${TAG}}:`);
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
  /** By the digest of the script as it is, that of the script with such a line. */
  const strict = new Map<string, string>();
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its client
  const call = prototype.callBuffer as (this: unknown, ...all: unknown[]) => Promise<unknown>;
  prototype.callBuffer = function (command, ...args) {
    const [text, ...rest] = args.map((arg, index) => (index === 0 ? String(arg) : arg));
    if (command === 'EVALSHA') {
      return call.call(this, command, strict.get(text as string) ?? text, ...rest);
    }
    if (command !== 'EVAL' || (text as string).startsWith('#!')) {
      return call.call(this, command, ...args);
    }
    const withLine = `#!lua\n${text as string}`;
    strict.set(digestOf(text as string), digestOf(withLine));
    return call.call(this, command, withLine, ...rest);
  };
}

function digestOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
