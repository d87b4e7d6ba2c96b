// Jobs on a real cluster: three masters, each with a replica. What hangs on the cluster alone is tested here; that the
// layout changes nothing else is what `npm run check:layouts` shows with the tests of test/integration.
import { Queue } from '../../lib/queue/index.js';
import { ClusterConnections } from '../../lib/redis/index.js';
import { ClusterJobStore } from '../../lib/store/index.js';
import { HandlerRegistry, Worker, type WorkerObserver } from '../../lib/worker/index.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { eventually } from '../support/wait.js';

const QUEUES = ['a', 'b', 'c', 'd', 'e', 'f'];

let cluster: RedisCluster;
const opened: ClusterConnections[] = [];
const workers: Worker[] = [];

beforeAll(async () => {
  cluster = await RedisCluster.start({ masters: 3, replicas: 3 });
}, 40_000);

afterEach(async () => {
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
      run: async (job) => {
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
        return (job.data as { n: number }).n + 1;
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
