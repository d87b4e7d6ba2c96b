// A failover behind an address that stays the same (a virtual IP, a cloud endpoint, a name): the old primary lives on
// as a replica, so that no link ends by itself.
import { Connections, Queue, RedisJobStore, RqConnectionError } from '../../lib/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { TcpProxy } from './tcp-proxy.js';
import { Scene } from './scene.js';
import { userArguments } from './users.js';

let scene: Scene;
let other: RedisServer;
let address: TcpProxy;
let connections: Connections;
let queue: Queue;

beforeEach(async () => {
  // A replica is served at once, not after five seconds.
  scene = await Scene.open({ args: ['--repl-diskless-sync-delay', '0'] });
  other = await startRedis({ args: userArguments() });
  address = await TcpProxy.start(scene.redis);
  connections = new Connections(address.url, { commandTimeout: 1000 });
  queue = new Queue('work', new RedisJobStore(connections));
  await other.client().replicaof(scene.redis.host, scene.redis.port);
  await eventually(
    async () => (await other.client().info('replication')).includes('master_link_status:up'),
    { what: 'the replica to follow' },
  );
});

afterEach(async () => {
  await connections.close();
  await scene.close();
  await address.close();
  await other.stop();
});

async function failOver(): Promise<void> {
  await other.client().replicaof('NO', 'ONE');
  await scene.client.replicaof(other.host, other.port);
}

const enqueued = (id: string) =>
  eventually(() => queue.enqueue('act', {}, { id }).catch(() => false), {
    what: `job ${id} to be enqueued`,
  });

describe('a failover behind a stable address', () => {
  it('is followed by worker, producer and listeners, without a restart', async () => {
    await scene.worker('worker', { url: address.url, connection: { commandTimeout: 1000 } });
    const before = await queue.enqueue('act', {});
    await before.result({ timeout: 10 });

    await failOver();
    address.pointTo(other);

    await enqueued('after');
    await scene.when('run', { id: 'after', timeout: 15_000 });
    // Also what is announced by messages.
    await queue.enqueueIn(0.2, 'act', {}, { id: 'later' });
    await scene.when('run', { id: 'later', timeout: 15_000 });
    const job = await queue.enqueue('act', {});
    await job.result({ timeout: 10 });
    expect(Number(await other.client().zcard('rq:finished:work'))).toBeGreaterThanOrEqual(3);
    await eventually(
      async () => {
        const links = String(await scene.client.client('LIST'));
        return !/name=nestjs-rq:(commands|blocking|leases|messages)/.test(links);
      },
      { what: 'the old primary to have none of our links' },
    );
  });

  it('that has no primary yet is no reason for a storm of links', async () => {
    await scene.worker('worker', { url: address.url, connection: { commandTimeout: 1000 } });
    await queue.enqueue('act', {}).then((job) => job.result({ timeout: 10 }));
    const before = address.made;
    await failOver();

    const end = performance.now() + 4000;
    let refused = 0;
    await eventually(
      async () => {
        const error: unknown = await queue.enqueue('act', {}).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(RqConnectionError);
        refused += 1;
        return performance.now() > end;
      },
      { what: '4 seconds without a primary', every: 20 },
    );
    expect(refused).toBeGreaterThan(20);
    // Five links of worker and producer, each made anew at once, and after 0.25, 0.5, 1 and 2 seconds, then every two.
    // Two more that come and go: for renewals, and of the lease guard.
    const late = Math.ceil(Math.max(0, performance.now() - end) / 2000);
    expect(address.made - before).toBeLessThanOrEqual(7 * (5 + late));

    address.pointTo(other);
    await enqueued('after');
    await scene.when('run', { id: 'after', timeout: 15_000 });
  });
});
