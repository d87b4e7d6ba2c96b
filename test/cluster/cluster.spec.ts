// Jobs on a real cluster: three masters, each with a replica. What hangs on the cluster alone is tested here; that the
// layout changes nothing else is what `npm run check:cluster` shows with the tests of test/integration.
import { jest } from '@jest/globals';
import { NotReplicatedError } from '../../lib/job/index.js';
import { RqInspector } from '../../lib/observe/index.js';
import { Queue, enqueuePrepared } from '../../lib/queue/index.js';
import { ClusterConnections } from '../../lib/redis/index.js';
import { ClusterJobStore } from '../../lib/store/index.js';
import { slotOf } from '../../lib/wire/hash-slot.js';
import type { Worker } from '../../lib/worker/index.js';
import { type ClusterNode, RedisCluster } from '../support/redis-cluster.js';
import { deferred, eventually } from '../support/wait.js';
import { Load, QUEUES, type Working, work } from './load.js';

/** Earlier servers move slots key by key alone. */
const itOnValkey9 = process.env['NESTJS_RQ_TEST_SERVER']?.startsWith('valkey-9') ? it : it.skip;

jest.setTimeout(90_000);

let cluster: RedisCluster;
const opened: ClusterConnections[] = [];
const workers: Worker[] = [];
const loads: Load[] = [];

beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3, replicas: 3 });
}, 90_000);

afterEach(async () => {
  for (const load of loads.splice(0)) load.isOver = true;
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
  await cluster.flush();
});

afterAll(() => cluster.stop());

async function openStore(hashTags: Record<string, string> = {}): Promise<ClusterJobStore> {
  const connections = new ClusterConnections(cluster.connection);
  opened.push(connections);
  await connections.connect();
  return new ClusterJobStore(connections, { hashTagOf: (queue) => hashTags[queue] });
}

function loadOn(store: ClusterJobStore): Load {
  const load = new Load(store);
  loads.push(load);
  return load;
}

/** A worker that ends with the test. */
async function working(...[store, settings]: Parameters<typeof work>): Promise<Working> {
  const started = await work(store, settings);
  workers.push(started.worker);
  return started;
}

it('runs the jobs of queues wherever they are, and tells their results', async () => {
  const store = await openStore();
  await working(await openStore());
  const jobs = await Promise.all(
    QUEUES.map((name) => new Queue(name, store).enqueue('add', { n: 1 })),
  );
  const results = await Promise.all(jobs.map((job) => job.result({ timeout: 10 })));
  expect(results).toEqual(QUEUES.map(() => 2));
  const owners = await Promise.all(QUEUES.map((name) => cluster.ownerOf(`{${name}}`)));
  expect(new Set(owners).size).toBe(3);
  expect(await store.queues()).toEqual(QUEUES);
});

it('refuses what one step cannot do on two nodes, and does it where queues have a hash tag in common', async () => {
  const apart = await openStore();
  const parent = await new Queue('a', apart).enqueue('add', { n: 1 });
  const child = new Queue('b', apart).enqueue('add', { n: 1 }, { dependsOn: parent });
  await expect(child).rejects.toMatchObject({
    code: 'RQ_INVALID_OPTION',
    message: expect.stringContaining('Give both queues the same hashTag'),
  });
  const several = [
    new Queue('a', apart).prepare('add', { n: 1 }),
    new Queue('b', apart).prepare('add', { n: 1 }),
  ];
  await expect(enqueuePrepared(apart, several, 'enqueueMany')).rejects.toThrow('hashTag');
  await cluster.flush();

  const tags = { a: 'both', b: 'both' };
  const together = await openStore(tags);
  const [a, b] = [new Queue('a', together), new Queue('b', together)];
  const first = a.prepare('add', { n: 1 });
  const [, second] = await enqueuePrepared(
    together,
    [first, b.prepare('add', { n: 2 }, { dependsOn: first })],
    'enqueueMany',
  );
  await working(await openStore(tags), { queues: ['a', 'b'] });
  expect(await second?.result({ timeout: 10 })).toBe(3);
});

it('refuses a job that is to wait for one at another hash tag, also when that is named by its id', async () => {
  const store = await openStore();
  const { id } = await new Queue('a', store).enqueue('add', { n: 1 });
  const b = new Queue('b', store);
  const refusal = {
    code: 'RQ_INVALID_OPTION',
    message: expect.stringContaining(`names job "${id}" of queue "a", whose hash tag is "a"`),
  };
  await expect(b.enqueue('add', { n: 1 }, { dependsOn: id })).rejects.toMatchObject(refusal);
  const options = { dependsOn: ['gone', id] };
  await expect(b.enqueueMany([{ name: 'add', options }])).rejects.toMatchObject(refusal);
  const prepared = b.prepare('add', { n: 1 }, options);
  await expect(enqueuePrepared(store, [prepared], 'x')).rejects.toMatchObject(refusal);
  expect(await b.counts()).toMatchObject({ queued: 0, deferred: 0 });
  // What is nowhere has ended long ago.
  await b.enqueue('add', { n: 1 }, { dependsOn: 'gone' });
  expect(await b.counts()).toMatchObject({ queued: 1, deferred: 0 });
});

it('refuses a queue that has another hash tag elsewhere', async () => {
  await new Queue('a', await openStore({ a: 'one' })).enqueue('add', { n: 1 });
  const other = new Queue('a', await openStore({ a: 'two' })).enqueue('add', { n: 1 });
  await expect(other).rejects.toMatchObject({
    code: 'RQ_INVALID_OPTION',
    message: expect.stringContaining(`hashTag: 'one'`),
  });
});

it('shows queues and workers of all nodes', async () => {
  const store = await openStore();
  await working(await openStore());
  const inspector = new RqInspector(store);
  await Promise.all(QUEUES.map((name) => new Queue(name, store).enqueueIn(60, 'add', { n: 1 })));
  const { queues } = await inspector.overview();
  expect(queues.map(({ queue, scheduled }) => [queue, scheduled])).toEqual(
    QUEUES.map((name) => [name, 1]),
  );
  const [worker, ...others] = await inspector.workers();
  expect(others).toEqual([]);
  expect(worker?.queues.toSorted()).toEqual(QUEUES);
  const { id } = await new Queue('c', store).enqueueIn(60, 'add', { n: 1 });
  expect((await inspector.job(id))?.queue).toBe('c');
});

it('waits for replicas of the node that has taken the job, and says when there are too few', async () => {
  const store = await openStore();
  await eventually(async () => (await store.figures.server()).replicas === 1, {
    what: 'a replica of each node',
    timeout: 20_000,
  });
  for (const name of ['a', 'b', 'c']) {
    const queue = new Queue(name, store, { durability: { replicas: 1, timeout: '4s' } });
    const { id } = await queue.enqueue('add', { n: 1 });
    const replica = await cluster.replicaOf(`{${name}}`);
    expect(await replica.client.call('EXISTS', `rq:{${name}}:job:${id}`)).toBe(1);
  }
  const sure = new Queue('a', store, { durability: { replicas: 2, timeout: '2s' } });
  const refused: unknown = await sure
    .enqueue('add', { n: 1 }, { id: 'late' })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(NotReplicatedError);
  expect(refused).toMatchObject({ uncertain: true, jobIds: ['late'], replicas: 2, reached: 1 });
  // What is repeated is there already, and is asked for again.
  const again = new Queue('a', store, { durability: { replicas: 1, timeout: '4s' } });
  expect((await again.enqueue('add', { n: 1 }, { id: 'late' })).isNew).toBe(false);

  // Also where the slot has gone to.
  const home = await cluster.ownerOf('{a}');
  await (await cluster.beginMove('{a}', await otherThan(home))).finish();
  const { id } = await again.enqueue('add', { n: 1 });
  const replica = await cluster.replicaOf('{a}');
  expect(await replica.client.call('EXISTS', `rq:{a}:job:${id}`)).toBe(1);
});

it('moves slots back and forth, key by key, under load: nothing is lost or half done', async () => {
  const store = await openStore();
  const runs = await working(await openStore());
  const load = loadOn(store);
  const [name = ''] = QUEUES;
  const key = `{${name}}`;
  const home = await cluster.ownerOf(key);
  const other = await otherThan(home);
  for (const to of [other, home, other, home]) {
    const move = await cluster.beginMove(key, to);
    // While half of the keys are there, some calls come.
    await move.keys(3);
    await refusedOnce(key);
    await move.finish();
    await load.done(name, 5);
  }
  await load.finish();
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
  expect(await load.wrong(runs)).toEqual([]);
});

itOnValkey9(
  'moves slots in one step under load: nothing is lost, and nothing runs twice',
  async () => {
    const store = await openStore();
    const runs = await working(await openStore());
    const load = loadOn(store);
    const home = await cluster.ownerOf('{a}');
    const slot = slotOf('{a}');
    for (const [from, to] of [
      [home, await otherThan(home)],
      [await otherThan(home), home],
    ] as const) {
      const range = ['SLOTSRANGE', slot, slot, 'NODE', to.id];
      await from.client.call('CLUSTER', 'MIGRATESLOTS', ...range);
      await eventually(async () => (await cluster.ownerOf('{a}')) === to, {
        what: 'the slot to move',
      });
      await load.done('a', 5);
    }
    await load.finish();
    expect(await load.allEnded(runs)).toBeGreaterThan(20);
    expect(await load.wrong(runs)).toEqual([]);
  },
);

it('goes on when a replica is promoted by hand: nothing is lost, and nothing runs twice', async () => {
  const store = await openStore();
  const runs = await working(await openStore());
  const load = loadOn(store);
  await load.done('a', 5);
  const replica = await cluster.replicaOf('{a}');
  await replica.takeOver(async () => (await cluster.ownerOf('{a}')) === replica);
  await load.done('a', 10);
  await load.finish();
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
  expect(await load.wrong(runs)).toEqual([]);
});

it('goes on when a master is frozen: its replica takes over, and a job that runs stays with its worker', async () => {
  const store = await openStore();
  const gate = deferred<number>();
  let held = 0;
  const handle = ({ n }: { n: number }) => {
    if (n !== HELD) return n + 1;
    held += 1;
    return gate.promise;
  };
  const runs = await working(await openStore(), { handle, lease: 10 });
  const job = await new Queue('a', store).enqueue('add', { n: HELD });
  await eventually(() => held === 1, { what: 'the job to run' });
  const victim = await cluster.ownerOf('{a}');
  await victim.isCopied('{a}copied');

  const name = await queueElsewhere(victim);
  const heldUp: string[] = [];
  for (const one of QUEUES) if ((await cluster.ownerOf(`{${one}}`)) === victim) heldUp.push(one);
  victim.freeze();
  const load = loadOn(store);
  await load.done(name, 5);
  await eventually(async () => (await cluster.ownerOf('{a}')) !== victim, {
    what: 'the replica to have the slots',
    timeout: 20_000,
  });
  // No call waits for the old master any more: it would take it as it thaws, before it hears that it is none.
  await Promise.all(heldUp.map((one) => load.done(one, 10)));
  victim.thaw();
  const isReplica = async () => (await victim.client.info('replication')).includes('role:slave');
  await eventually(isReplica, { what: 'the old master to be a replica', timeout: 20_000 });
  await load.done('a', 5);
  await load.finish();

  gate.resolve(7);
  expect(await job.result({ timeout: 10 })).toBe(7);
  expect(held).toBe(1);
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
});

it('goes on when a node dies under load: its replica takes over', async () => {
  const store = await openStore();
  const runs = await working(await openStore());
  const before = loadOn(store);
  await before.done('a', 10);
  await before.finish();
  const victim = await cluster.ownerOf('{a}');
  // What a failover may lose is not tested here.
  await victim.isCopied('{a}copied');
  const load = loadOn(store);
  await victim.kill();
  await eventually(async () => (await cluster.ownerOf('{a}')) !== victim, {
    what: 'the replica to have the slots',
    timeout: 20_000,
  });
  await load.done('a', 10);
  await load.finish();
  expect(await before.allEnded(runs)).toBeGreaterThan(9);
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
});

it('uses a node that joins', async () => {
  const store = await openStore();
  const runs = await working(await openStore());
  const load = loadOn(store);
  const joined = await cluster.add();
  await (await cluster.beginMove('{b}', joined)).finish();
  await load.done('b', 10);
  expect(await cluster.ownerOf('{b}')).toBe(joined);
  await load.finish();
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
  expect(await load.wrong(runs)).toEqual([]);
});

const HELD = 1000;

/** Another node that has slots. */
async function otherThan(node: ClusterNode): Promise<ClusterNode> {
  return cluster.ownerOf(`{${await queueElsewhere(node)}}`);
}

async function queueElsewhere(node: ClusterNode): Promise<string> {
  for (const name of QUEUES) if ((await cluster.ownerOf(`{${name}}`)) !== node) return name;
  throw new Error('one node has all queues');
}

/** The node has refused a script, as keys of its slot are elsewhere. */
async function refusedOnce(key: string): Promise<void> {
  const { client } = await cluster.ownerOf(key);
  const refusals = async () => {
    const counts = String(await client.info('errorstats')).matchAll(
      /_(?:ASK|TRYAGAIN):count=(\d+)/g,
    );
    return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
  };
  const before = await refusals();
  await eventually(async () => (await refusals()) > before, { what: 'a call that has to wait' });
}
