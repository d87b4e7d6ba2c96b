// The lease guard's thread connects by itself, wherever the application's Redis is, and says so when it cannot.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import type { Redis, RedisOptions } from 'ioredis';
import { Connections, RedisJobStore } from '../../lib/index.js';
import { run } from '../../scripts/child-processes.mjs';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { TcpProxy } from './tcp-proxy.js';

jest.setTimeout(90_000);

const LEASE = 150;
const TOKEN = 'token';
const MEMBER = `id:${TOKEN}1`;
const REGISTRY = 'rq:wip:jobs';
const DEADLINE = 60_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

async function startServer(...args: string[]): Promise<RedisServer> {
  const redis = await startRedis({ args: ['--repl-diskless-sync-delay', '0', ...args] });
  cleanUp.push(() => redis.stop());
  return redis;
}

/** A guard, and what it says. Its main thread moves only by `guard.beat`. */
async function startGuard(connection: string | RedisOptions) {
  const connections = new Connections(connection);
  cleanUp.push(() => connections.close());
  await connections.connect();
  const guard = new RedisJobStore(connections).leaseGuard(['jobs', 'others'], TOKEN, LEASE);
  cleanUp.push(() => guard.stop());
  const said: string[] = [];
  guard.start({
    problem: (message) => void said.push(`problem: ${message}`),
    problemSolved: (_, message) => void said.push(`solved: ${message}`),
  });
  const standStill = () => {
    guard.runsOf('jobs').add('long', performance.now() + DEADLINE);
    guard.beat();
  };
  return { connections, guard, said, standStill };
}

async function scoreOf(client: Redis, member = MEMBER): Promise<number> {
  return Number(await client.zscore(REGISTRY, member));
}

const renewed = (client: Redis) =>
  eventually(async () => (await scoreOf(client)) > 1, { what: 'the lease to be renewed' });

describe('the lease guard reaches', () => {
  it.each([
    ['by options', (path: string) => ({ path })],
    ['by a URL', (path: string) => `unix://${path}`],
  ])('a Redis on a Unix socket, given %s', async (_, connection) => {
    const dir = await mkdtemp(join(tmpdir(), 'rq-guard-'));
    cleanUp.push(() => rm(dir, { recursive: true }));
    const path = join(dir, 'redis.sock');
    const redis = await startServer('--unixsocket', path);
    await redis.client().zadd(REGISTRY, 1, MEMBER);
    const { said, standStill } = await startGuard(connection(path));
    standStill();
    await renewed(redis.client());
    expect(said).toEqual([]);
  });

  it('database 3, and there only what is ours, until now and a lease', async () => {
    const redis = await startServer();
    const client = redis.client({ db: 3 });
    await redis.client().zadd(REGISTRY, 1, MEMBER);
    await client.zadd(REGISTRY, 1, MEMBER, 1, 'id:other1', 1, TOKEN);
    const { standStill } = await startGuard({ host: redis.host, port: redis.port, db: 3 });
    standStill();
    await renewed(client);

    const seconds = Number((await client.time())[0]);
    expect(Math.abs((await scoreOf(client)) - seconds) * 1000).toBeLessThan(LATENESS);
    expect(await scoreOf(client, 'id:other1')).toBe(1);
    expect(await scoreOf(client, TOKEN)).toBe(1);
    expect(await scoreOf(redis.client())).toBe(1);
  });

  it('a Redis that lets its user do just that, and passes over a registry that is none', async () => {
    const redis = await startServer();
    const client = redis.client();
    await client.zadd(REGISTRY, 1, MEMBER);
    await client.set('rq:wip:others', 'text');
    const rights = ['~rq:wip:*', '+eval', '+time', '+zrange', '+zadd', '+select'];
    // For the application's own connection.
    const further = ['+info', '+client', '+quit'];
    await client.acl('SETUSER', 'guard', 'on', '>pässword', ...rights, ...further);
    const { said, standStill } = await startGuard({
      host: redis.host,
      port: redis.port,
      username: 'guard',
      password: 'pässword',
    });
    standStill();
    await renewed(client);
    expect(said).toEqual([]);
  });
});

it('the lease guard lets go of runs whose own timeout has passed, and keeps the others', async () => {
  const redis = await startServer();
  const client = redis.client();
  const execution = (number: number) => TOKEN + String(number).padStart(16, '0');
  // Executions are numbered in each queue by themselves.
  const [over, allowed, unstarted] = [1, 2, 3].map((number) => `id:${execution(number)}`);
  const others = 'rq:wip:others';
  for (const key of [REGISTRY, others])
    for (const member of [over, allowed, unstarted]) await client.zadd(key, 1, String(member));
  const { guard, standStill } = await startGuard(redis.url);
  const started = performance.now();
  guard.runsOf('jobs').add(execution(1), started);
  guard.runsOf('jobs').add(execution(2), started + DEADLINE);
  guard.runsOf('others').add(execution(1), started + DEADLINE);
  standStill();
  const scores = async (key: string) =>
    Promise.all([over, allowed, unstarted].map((member) => client.zscore(key, String(member))));
  await eventually(async () => Number((await scores(others))[2]) > 1, {
    what: 'the leases to be renewed',
  });
  const isRenewed = async (key: string) => (await scores(key)).map((score) => Number(score) > 1);
  expect(await isRenewed(REGISTRY)).toEqual([false, true, true]);
  expect(await isRenewed(others)).toEqual([true, true, true]);
});

describe('the lease guard follows a failover', () => {
  it('behind a stable address, also while the main thread stands still', async () => {
    const [one, other] = [await startServer(), await startServer()];
    const address = await TcpProxy.start(one);
    cleanUp.push(() => address.close());
    await one.client().zadd(REGISTRY, 1, MEMBER);
    const { said, standStill } = await startGuard(address.url);
    standStill();
    await renewed(one.client());

    await other.client().zadd(REGISTRY, 1, MEMBER);
    address.pointTo(other);
    // As what the old primary becomes: it lives on, and takes no writes.
    await one.client().replicaof(other.host, other.port);
    await renewed(other.client());
    // READONLY meanwhile; now it is well again.
    await eventually(() => said.at(-1)?.startsWith('solved'), { what: 'a word that it is over' });
    expect(said).toEqual([expect.stringContaining('READONLY'), said.at(-1)]);
  });

  it('of Sentinel: it connects to where the application is connected now', async () => {
    const [one, other] = [await startServer(), await startServer()];
    const sentinel = await Sentinel.start(one);
    cleanUp.push(() => sentinel.close());
    await one.client().zadd(REGISTRY, 1, MEMBER);
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    const { connections, guard, standStill } = await startGuard({
      sentinels,
      name: 'main',
      failoverDetector: false,
    });
    standStill();
    await renewed(one.client());

    await other.client().zadd(REGISTRY, 1, MEMBER);
    sentinel.names = other;
    await one.kill();
    await eventually(() => connections.server?.port === other.port, {
      what: 'the application to follow',
    });
    guard.beat();
    await renewed(other.client());
    expect(await scoreOf(other.client())).toBeGreaterThan(1);
  });
});

describe('the lease guard says', () => {
  const problem = /^problem: leases are not kept while a handler blocks the event loop: .*twice/;

  it('once that it is not let in, and that it is again', async () => {
    const redis = await startServer('--requirepass', 'before');
    const options = { host: redis.host, port: redis.port, password: 'before' };
    const client = redis.client({ password: 'before' });
    await client.zadd(REGISTRY, 1, MEMBER);
    const { said, standStill, guard } = await startGuard(options);
    standStill();
    await renewed(client);

    await client.config('SET', 'requirepass', 'after');
    // The main thread moves again, so that there is no connection any more that was let in before.
    await eventually(
      async () => {
        guard.beat();
        return !String(await client.client('LIST')).includes('lease-guard');
      },
      { what: 'the guard to rest', every: 10 },
    );
    await eventually(() => said.length > 0, { what: 'a word of it' });
    const rounds = performance.now() + 5 * LEASE;
    await eventually(() => performance.now() > rounds, { what: 'five leases' });
    expect(said).toEqual([expect.stringMatching(problem)]);
    expect(said[0]).toContain('WRONGPASS');
    expect(said[0]).not.toContain('before');

    await client.config('SET', 'requirepass', 'before');
    await eventually(() => said.length > 1, { what: 'a second word of it' });
    expect(said.slice(1)).toEqual([expect.stringMatching(/^solved: leases are kept again/)]);
  });

  it('at the start already that a right is missing', async () => {
    const redis = await startServer();
    await redis.client().acl('SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-eval');
    const { said } = await startGuard({
      host: redis.host,
      port: redis.port,
      username: 'app',
      password: 'secret',
    });
    await eventually(() => said.length > 0, { what: 'a word of it' });
    expect(said).toEqual([expect.stringMatching(problem)]);
    expect(said[0]).toMatch(/NOPERM .*eval/);
  });

  it.each([
    ['may not be started', () => permissionFlags, /^problem: .* has ended \(.*\)/],
    ['ends', (preload: string) => ['--require', preload], /^problem: .* has ended\./],
  ])('that its thread %s', async (_, flags, message) => {
    const redis = await startServer();
    const dir = await mkdtemp(join(tmpdir(), 'rq-guard-'));
    cleanUp.push(() => rm(dir, { recursive: true }));
    const preload = join(dir, 'preload.cjs');
    await writeFile(
      preload,
      "if (!require('node:worker_threads').isMainThread) setTimeout(() => process.exit(1), 50);",
    );
    const script = fileURLToPath(new URL('./guarded-process.mjs', import.meta.url));
    const output = await run(process.execPath, [...flags(preload), script], {
      env: { REDIS_URL: redis.url },
      timeLimit: 60,
    });
    const lines = output.trim().split('\n');
    expect(lines).toEqual([expect.stringMatching(problem)]);
    expect(lines[0]).toMatch(message);
  });
});

/** A process that may start no threads. */
const permissionFlags = [
  Number(process.versions.node.split('.')[0]) < 24 ? '--experimental-permission' : '--permission',
  '--allow-fs-read=*',
];

/** Names a server, as a Sentinel does. */
class Sentinel {
  private constructor(
    private readonly server: Server,
    public names: { readonly host: string; readonly port: number },
  ) {
    server.on('connection', (socket) => {
      socket.on('error', () => socket.destroy());
      socket.setEncoding('utf8').on('data', (text: string) => {
        for (const [command] of text.matchAll(/\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+/g)) {
          const { host, port } = this.names;
          const parts = [host, String(port)].map((part) => `$${part.length}\r\n${part}\r\n`);
          const isAsked = command.includes('get-master-addr-by-name');
          socket.write(isAsked ? `*2\r\n${parts.join('')}` : '+OK\r\n');
        }
      });
    });
  }

  static async start(names: RedisServer): Promise<Sentinel> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Sentinel(server, names);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
  }
}
