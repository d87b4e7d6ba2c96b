// An application on a cluster. One node has all slots here: it refuses what touches two of them, as several would.
import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Job, RqInspector, RqModule, type RqModuleOptions, RqService } from '../../lib/index.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';

jest.setTimeout(90_000);

let cluster: RedisCluster;
let single: RedisServer;

beforeAll(async () => {
  [cluster, single] = await Promise.all([RedisCluster.start({ masters: 1 }), startRedis()]);
}, 60_000);

afterEach(() => Promise.all([cluster.flush(), single.client().flushall()]));
afterAll(() => Promise.all([cluster.stop(), single.stop()]));

@Injectable()
class Jobs {
  @Job({ name: 'double', queue: 'a' })
  double(data: number) {
    return data * 2;
  }

  @Job({ name: 'add', queue: 'b' })
  add(data: number) {
    return data + 1;
  }
}

async function start(options: Partial<RqModuleOptions>, tags: Record<string, string> = {}) {
  const module = await Test.createTestingModule({
    imports: [
      RqModule.forRoot({ connection: cluster.connection, shutdownTimeout: 0.1, ...options }),
      RqModule.registerQueue(...['a', 'b'].map((name) => ({ name, hashTag: tags[name] ?? name }))),
    ],
    providers: [Jobs],
  }).compile();
  const app = module.createNestApplication({ logger: false });
  try {
    await app.init();
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
  return { app, rq: app.get(RqService), inspector: app.get(RqInspector) };
}

describe.each<[string, () => Partial<RqModuleOptions>]>([
  ['a cluster', () => ({})],
  [
    'one server with the layout of a cluster',
    () => ({ connection: single.url, layout: 'cluster' }),
  ],
])('an application on %s', (_, options) => {
  it('runs jobs of queues with different tags, by schedules, too', async () => {
    const { app, rq, inspector } = await start(options());
    const [double, add] = [rq.queue('a'), rq.queue('b')];
    expect(await (await double.enqueue('double', 2)).result({ timeout: 10 })).toBe(4);
    expect(await (await add.enqueue('add', 2)).result({ timeout: 10 })).toBe(3);
    const schedule = await add.schedule('tick', { every: '1h' }, 'add', 5);
    expect(await (await schedule.runNow()).result({ timeout: 10 })).toBe(6);
    const { queues } = await inspector.overview();
    expect(queues.map(({ queue, finished }) => [queue, finished])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(await rq.names()).toEqual(['a', 'b']);
    await app.close();
  });

  it('stores jobs of queues with one tag in one step, and refuses it for others', async () => {
    const apart = await start(options());
    const { rq } = apart;
    const jobs = [rq.queue('a').prepare('double', 1), rq.queue('b').prepare('add', 1)];
    await expect(rq.enqueueMany(jobs)).rejects.toThrow('give both queues the same hashTag');
    expect(() => rq.group('g')).toThrow('queue.group(name)');
    await apart.app.close();
    await Promise.all([cluster.flush(), single.client().flushall()]);

    const together = await start(options(), { a: 'x', b: 'x' });
    const parent = together.rq.queue('a').prepare('double', 1, { group: 'g' });
    const child = together.rq.queue('b').prepare('add', 7, { dependsOn: parent, group: 'g' });
    const [, stored] = await together.rq.enqueueMany([parent, child]);
    expect(await stored?.result({ timeout: 10 })).toBe(8);
    const group = await together.rq.queue('a').group('g').wait({ timeout: 10 });
    expect(group).toMatchObject({ total: 2, finished: 2 });
    await together.app.close();
  });

  it('is suspended as a whole, and ends when it is told', async () => {
    const { app, rq, inspector } = await start(options());
    await inspector.desk.suspend();
    const jobs = await Promise.all([
      rq.queue('a').enqueue('double', 1),
      rq.queue('b').enqueue('add', 1),
    ]);
    await expect(jobs[0].result({ timeout: 0.2 })).rejects.toMatchObject({
      code: 'RQ_RESULT_TIMEOUT',
    });
    const { queues } = await inspector.overview();
    expect(queues.map(({ suspended }) => suspended)).toEqual([true, true]);
    await inspector.desk.resume();
    expect(await Promise.all(jobs.map((job) => job.result({ timeout: 10 })))).toEqual([2, 2]);
    await app.close();
  });

  it('does not start with another tag than the one that is in use', async () => {
    const first = await start(options());
    await first.rq.queue('a').enqueue('double', 1);
    await first.app.close();
    await expect(start(options(), { a: 'other' })).rejects.toThrow(`hashTag: 'a'`);
  });
});

describe('one data set', () => {
  it('has one layout', async () => {
    const connection = single.url;
    const shared = await start({ connection });
    await shared.rq.queue('a').enqueue('double', 1);
    await shared.app.close();
    await expect(start({ connection, layout: 'cluster' })).rejects.toMatchObject({
      code: 'RQ_UNUSABLE_REDIS',
      findings: ['other-layout'],
    });
    await single.client().flushall();

    const other = await start({ connection, layout: 'cluster' });
    await other.app.close();
    await expect(start({ connection })).rejects.toMatchObject({ findings: ['other-layout'] });
  });

  it.each<[string, () => Partial<RqModuleOptions>, string]>([
    [
      'a node alone',
      () => ({ connection: cluster.nodes[0]?.server.url ?? '' }),
      'cluster: { nodes',
    ],
    ['no cluster', () => ({ connection: { cluster: { nodes: [single.url] } } }), 'Redis'],
    ["RQ's names", () => ({ layout: 'shared' }), "layout cannot be 'shared' on a cluster"],
    ['Python', () => ({ sharedWithPython: true }), 'sharedWithPython cannot be true'],
  ])('is not on %s', async (_, options, message) => {
    await expect(start({ connectTimeout: 5, ...options() })).rejects.toThrow(message);
  });
});
