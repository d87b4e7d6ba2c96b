// Sentinels, a primary and two replicas, under load: the primary hands over as planned, and then is killed. With
// `durability` and `min-replicas-to-write` nothing is lost of which a producer was told that it is stored.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Connections } from '../../lib/index.js';
import { SentinelGroup } from '../support/sentinels.js';
import type { RedisServer } from '../support/redis-server.js';
import { resultOf } from '../support/results.js';
import { eventually } from '../support/wait.js';
import { LATENESS } from '../support/timing.js';
import { enqueueUntilStored } from './enqueue-until-stored.js';
import { Load } from './load.js';
import { takesWrites } from './rounds/failovers.js';
import { Scene } from './scene.js';
import { TcpProxy } from './tcp-proxy.js';
import { userArguments } from './users.js';

let group: SentinelGroup;
let scene: Scene;

beforeAll(async () => {
  group = await SentinelGroup.start({ replicas: 2, args: userArguments() });
  scene = Scene.at(await group.primary());
  const settings = { url: group.connection, connection: { commandTimeout: 1000 } };
  await Promise.all([scene.worker('first', settings), scene.worker('second', settings)]);
}, 90_000);

afterAll(async () => {
  await scene.close();
  await group.stop();
});

/**
 * Under load, from the moment at which `begin` is called until all is settled.
 * @param replicas how many must have a job, and be there for each write
 */
async function failover(
  name: string,
  replicas: number,
  begin: (primary: RedisServer) => Promise<unknown>,
) {
  for (const server of group.servers) {
    await group.client(server).config('SET', 'min-replicas-to-write', replicas);
  }
  const durability = { replicas, timeout: '300ms' } as const;
  const queue = scene.queue('work', { url: group.connection, commandTimeout: 1000, durability });
  const load = new Load(queue, 4, name);
  const told = scene.journal.of('finished').length;
  await scene.when('finished', { count: told + 100 });
  const old = await group.primary();
  await begin(old);
  const primary = await group.switched(old);
  // How quick Sentinels are with the other servers is not ours.
  await takesWrites(group.client(primary), replicas);
  const elected = performance.now();
  await load.served({ timeout: 30_000 });
  const outage = performance.now() - elected;
  const after = await enqueueUntilStored(queue, {}, { id: `${name}-after` });
  await resultOf(after);
  await load.stop();
  scene.client = primary.client();
  await scene.drained({ timeout: 40_000 });
  return { load, outage };
}

async function assertWell({ load, outage }: { load: Load; outage: number }): Promise<void> {
  expect(outage).toBeLessThan(1000 + LATENESS);
  expect(load.surprises).toEqual([]);
  expect(await scene.audit(load.acknowledged, { rolledBack: true })).toEqual([]);
  // What was told last of a job is what Redis says.
  const told = new Set(scene.journal.ids('finished').filter((id) => !id.endsWith('-after')));
  const statuses = await Promise.all(
    load.acknowledged
      .filter(({ id, vanishes }) => told.has(id) && !vanishes)
      .map(async ({ id }) => [id, await scene.client.hget(`rq:job:${id}`, 'status')]),
  );
  expect(statuses.filter(([, status]) => status !== 'finished')).toEqual([]);
}

describe('a failover by Sentinels, under load', () => {
  // Here the old primary and the other replica are for a moment still what they were: both replicas must have a job.
  it('as planned: served again, and nothing acknowledged is lost', async () => {
    await assertWell(await failover('planned', 2, (primary) => group.handOver(primary)));
    await group.agreed();
  });

  it('that is told while a link asks for the primary, does not end that link for good', async () => {
    const [sentinel] = group.connection.sentinels;
    const proxy = await TcpProxy.start(sentinel!);
    const { host, port } = proxy;
    const option = { ...group.connection, sentinels: [{ host, port }], updateSentinels: false };
    const connections = new Connections(option, { commandTimeout: 1000 });
    try {
      await connections.connect();
      const { commands } = connections;
      proxy.fallSilent();
      commands.stream.destroy();
      await eventually(() => commands.status === 'connecting', { what: 'it to ask' });
      // As ioredis does when a Sentinel tells of a failover.
      (commands as unknown as { connector: { disconnect(): void } }).connector.disconnect();
      proxy.heal();
      await eventually(() => connections.run('reach Redis', (redis) => redis.ping()), {
        what: 'an answer of the primary',
      });
    } finally {
      await connections.close();
      await proxy.close();
    }
  });

  it('since the primary was killed: served again, and nothing acknowledged is lost', async () => {
    await assertWell(await failover('killed', 1, (primary) => primary.kill()));
  });
});
