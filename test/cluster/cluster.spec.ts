// Jobs on a real cluster: three masters, each with a replica. What hangs on the cluster alone is tested here; that the
// layout changes nothing else is what `npm run check:layouts` shows with the tests of test/integration.
import { NotReplicatedError, RqConnectionError } from '../../lib/job/index.js';
import { RqInspector } from '../../lib/observe/index.js';
import { Queue, enqueuePrepared } from '../../lib/queue/index.js';
import { ClusterConnections } from '../../lib/redis/index.js';
import { ClusterJobStore } from '../../lib/store/index.js';
import { HandlerRegistry, Worker, type WorkerObserver } from '../../lib/worker/index.js';
import { type ClusterNode, RedisCluster } from '../support/redis-cluster.js';
import { eventually } from '../support/wait.js';

const QUEUES = ['a', 'b', 'c', 'd', 'e', 'f'];

let cluster: RedisCluster;
const opened: ClusterConnections[] = [];
const workers: Worker[] = [];
const loads: Load[] = [];

beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3, replicas: 3 });
}, 40_000);

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

interface Runs {
  /** By job id. */
  readonly ended: Map<string, number>;
  readonly problems: string[];
}

async function work(store: ClusterJobStore, queues = QUEUES, delay = 0): Promise<Runs> {
  const handlers = new HandlerRegistry();
  const runs: Runs = { ended: new Map(), problems: [] };
  for (const queue of queues) {
    handlers.register({
      queue,
      name: 'add',
      owner: 'test',
      run: async (data) => {
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
        return (data as { n: number }).n + 1;
      },
    });
  }
  const observer: WorkerObserver = {
    jobFinished: ({ jobId }) => void runs.ended.set(jobId, (runs.ended.get(jobId) ?? 0) + 1),
    problem: ({ message }) => void runs.problems.push(message),
  };
  const worker = new Worker(store, handlers, { concurrency: 20, lease: 3 }, observer);
  workers.push(worker);
  await worker.start();
  return runs;
}

it('runs the jobs of queues wherever they are, and tells their results', async () => {
  const store = await openStore();
  await work(await openStore());
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
  await work(await openStore(tags), ['a', 'b']);
  expect(await second?.result({ timeout: 10 })).toBe(3);
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
  await work(await openStore());
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
  const sure = new Queue('a', store, { durability: { replicas: 2, timeout: '100ms' } });
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
  const to = cluster.living.find((node) => node !== home && !node.isReplica);
  await (await cluster.beginMove('{a}', to as ClusterNode)).finish();
  const { id } = await again.enqueue('add', { n: 1 });
  const replica = await cluster.replicaOf('{a}');
  expect(await replica.client.call('EXISTS', `rq:{a}:job:${id}`)).toBe(1);
});

it('moves slots back and forth, key by key, under load: nothing is lost or half done', async () => {
  const store = await openStore();
  const runs = await work(await openStore());
  const load = new Load(store);
  const [name = ''] = QUEUES;
  const key = `{${name}}`;
  const home = await cluster.ownerOf(key);
  const [other] = cluster.living.filter((node) => node !== home && !node.isReplica);
  for (const to of [other, home, other, home]) {
    const move = await cluster.beginMove(key, to as ClusterNode);
    // While half of the keys are there, some calls come.
    await move.keys(3);
    await refusedOnce(key);
    await move.finish();
    await load.done(name, 5);
  }
  await load.finish();
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
});

it('goes on when a node dies under load: its replica takes over', async () => {
  const store = await openStore();
  const runs = await work(await openStore());
  const before = new Load(store);
  await before.done('a', 10);
  await before.finish();
  const victim = await cluster.ownerOf('{a}');
  // What a failover may lose is not tested here.
  expect(await victim.client.wait(1, 5000)).toBeGreaterThan(0);
  const load = new Load(store);
  await victim.kill();
  await eventually(async () => (await cluster.ownerOf('{a}')) !== victim, {
    what: 'the replica to have the slots',
    timeout: 20_000,
  });
  await load.done('a', 10);
  await load.finish();
  expect(await before.allEnded(runs)).toBeGreaterThan(9);
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
}, 60_000);

it('uses a node that joins', async () => {
  const store = await openStore();
  const runs = await work(await openStore());
  const load = new Load(store);
  const joined = await cluster.add();
  await (await cluster.beginMove('{b}', joined)).finish();
  await load.done('b', 10);
  expect(await cluster.ownerOf('{b}')).toBe(joined);
  await load.finish();
  expect(await load.allEnded(runs)).toBeGreaterThan(20);
}, 60_000);

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

/** Enqueues all the time, into all queues, and knows what was acknowledged. */
class Load {
  private readonly acknowledged = new Map<string, string[]>(QUEUES.map((name) => [name, []]));
  isOver = false;
  private readonly running: Promise<unknown>;

  constructor(store: ClusterJobStore) {
    loads.push(this);
    this.running = Promise.all(QUEUES.map((name) => this.feed(new Queue(name, store))));
  }

  /** So many more jobs of a queue are acknowledged. */
  async done(name: string, count: number): Promise<void> {
    const list = this.acknowledged.get(name) ?? [];
    const from = list.length;
    await eventually(() => list.length >= from + count, {
      what: `${count} jobs of ${name}`,
      timeout: 20_000,
    });
  }

  /** Resolves when nothing is under way any more. */
  async finish(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  /** Waits until all acknowledged jobs have run; answers how many there were. */
  async allEnded({ ended }: Runs): Promise<number> {
    const ids = [...this.acknowledged.values()].flat();
    await eventually(() => ids.every((id) => ended.has(id)), {
      what: 'all acknowledged jobs to have run',
      timeout: 30_000,
    });
    return ids.length;
  }

  private async feed(queue: Queue): Promise<void> {
    while (!this.isOver) {
      let id: string | undefined;
      while (!this.isOver) {
        try {
          const job = await queue.enqueue('add', { n: 1 }, id === undefined ? {} : { id });
          this.acknowledged.get(queue.name)?.push(job.id);
          break;
        } catch (error) {
          if (!(error instanceof RqConnectionError)) throw error;
          [id] = error.jobIds;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
