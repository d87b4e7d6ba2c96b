// A cluster of three masters without replicas, by TLS and as users who may do what the documentation says and nothing
// else. One of the nodes stands still for a while: what is on the others goes on.
import { jest } from '@jest/globals';
import { RqConnectionError } from '../../lib/job/index.js';
import { Queue } from '../../lib/queue/index.js';
import { ClusterConnections } from '../../lib/redis/index.js';
import { ClusterJobStore } from '../../lib/store/index.js';
import { type Role, rightsOf } from '../../lib/store/rights.js';
import { Keyspace } from '../../lib/wire/index.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { certificate } from '../support/tls-certificate.js';
import { resultOf } from '../support/results.js';
import { deferred, eventually } from '../support/wait.js';
import { QUEUES, type Working, work } from './load.js';

const PASSWORD = 'pw';

jest.setTimeout(90_000);

let cluster: RedisCluster;
const opened: ClusterConnections[] = [];
const started: Working[] = [];

beforeAll(async () => {
  const args = ['--cluster-require-full-coverage', 'no'];
  for (const role of ['producer', 'worker'] as const) {
    const { commands } = rightsOf(role, new Keyspace(), 'cluster');
    const rights = [...commands, 'client|setname', 'cluster|slots'].map((one) => `+${one}`);
    args.push('--user', role, 'on', `>${PASSWORD}`, '~rq:*', '&rq:*', ...rights);
  }
  cluster = await RedisCluster.start({ masters: 3, hasTls: true, options: { args } });
}, 90_000);

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ worker }) => worker.stop()));
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
  await cluster.flush();
});

afterAll(() => cluster.stop());

async function openStore(role: Role, commandTimeout = 5000): Promise<ClusterJobStore> {
  const { nodes } = cluster.connection.cluster;
  const redisOptions = { username: role, password: PASSWORD, tls: { ca: certificate } };
  const connections = new ClusterConnections(
    { cluster: { nodes: nodes.slice(0, 1), options: { redisOptions } } },
    { commandTimeout },
  );
  opened.push(connections);
  await connections.connect();
  return new ClusterJobStore(connections);
}

async function working(...[store, settings]: Parameters<typeof work>): Promise<Working> {
  const one = await work(store, settings);
  started.push(one);
  return one;
}

it('runs jobs by TLS alone, as users with the documented rights', async () => {
  const store = await openStore('producer');
  const workers = await openStore('worker');
  expect([...(await store.audit('producer')), ...(await workers.audit('worker'))]).toEqual([]);
  const { problems } = await working(workers);
  const queues = QUEUES.map((name) => new Queue(name, store));
  const told: string[] = [];
  await new Promise<void>((onListening) => {
    queues[0]?.events({ onListening }).subscribe(({ type }) => told.push(type));
  });
  const jobs = await Promise.all(queues.map((queue) => queue.enqueue('add', { n: 1 })));
  expect(await Promise.all(jobs.map((job) => job.result({ timeout: 10 })))).toEqual(
    QUEUES.map(() => 2),
  );
  await eventually(() => told.includes('finished'), { what: 'the event' });
  for (const { client, address } of cluster.nodes) {
    const list = (await client.client('LIST')) as string;
    const ours = list.split('\n').filter((line) => line.includes('name=nestjs-rq:'));
    expect(ours.length).toBeGreaterThan(0);
    for (const line of ours) expect(line).toContain(` laddr=${address.host}:${address.port} `);
  }
  expect(problems).toEqual([]);
});

it('leases of a worker that computes without a pause are kept on all nodes', async () => {
  const store = await openStore('worker');
  const guard = store.leaseGuard(QUEUES, 'token', 300);
  const entries = QUEUES.map((name) => ({
    key: store.keys.ofTag(name).queue(name).started,
    owner: cluster.ownerOf(`{${name}}`),
  }));
  for (const { key, owner } of entries) await (await owner).client.zadd(key, 1, 'id:token1');
  guard.start();
  // Nobody beats it any more.
  guard.runsOf(QUEUES[0] as string).add('long', performance.now() + 60_000);
  guard.beat();
  for (const { key, owner } of entries) {
    const { client } = await owner;
    const isRenewed = async () => Number(await client.zscore(key, 'id:token1')) > 1;
    await eventually(isRenewed, { what: `the lease in ${key}` });
  }
  await guard.stop();
});

it('a frozen node holds up its own queues alone, and is served again when it goes on', async () => {
  const store = await openStore('producer', 2000);
  const gate = deferred<number>();
  let held = 0;
  const handle = ({ n }: { n: number }) => {
    if (n > 0) return n + 1;
    held += 1;
    return gate.promise;
  };
  const { worker } = await working(await openStore('worker', 2000), { handle, lease: 10 });
  // The node that has the names of all queues, too.
  const frozen = await cluster.ownerOf(store.keys.hashTags);
  const owners = await Promise.all(QUEUES.map((name) => cluster.ownerOf(`{${name}}`)));
  const queues = QUEUES.map((name) => new Queue(name, store));
  const stuck = queues.filter((_, index) => owners[index] === frozen);
  const others = queues.filter((_, index) => owners[index] !== frozen);
  await Promise.all(queues.map((queue) => queue.enqueue('add', { n: 1 })));
  const running = await stuck[0]?.enqueue('add', { n: 0 });
  await eventually(() => held === 1, { what: 'the job to run' });

  frozen.freeze();
  // Those who are connected anew have lost nothing that they knew of others.
  for (const { client } of cluster.living) await client.call('CLIENT', 'KILL', 'TYPE', 'normal');
  const refused = await Promise.all(
    stuck.map((queue) => queue.enqueue('add', { n: 1 }).catch((error: unknown) => error)),
  );
  for (const error of refused) expect(error).toBeInstanceOf(RqConnectionError);
  for (const queue of others) {
    const job = await enqueued(() => queue.enqueue('add', { n: 2 }));
    expect(await resultOf(job)).toBe(3);
  }

  frozen.thaw();
  for (const queue of stuck) {
    const job = await enqueued(() => queue.enqueue('add', { n: 3 }));
    expect(await resultOf(job)).toBe(4);
  }
  gate.resolve(7);
  expect(await running?.result({ timeout: 10 })).toBe(7);
  expect(held).toBe(1);
  await worker.stop();
});

/** Tries until Redis is reached; a link may just be on its way back. */
function enqueued<Made>(enqueue: () => Promise<Made>): Promise<Made> {
  return eventually(enqueue, { what: 'the job to be enqueued', timeout: 20_000 });
}
