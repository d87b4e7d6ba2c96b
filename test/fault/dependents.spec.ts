// A parent of 5000 children ends, and the worker that tells them, or Redis, is killed between two slices: another one
// goes on, and each child is told once.
import { Queue } from '../../lib/queue/index.js';
import { Connections } from '../../lib/redis/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { type NewJob } from '../../lib/store/index.js';
import { resolveDefaults, resolveJobOptions } from '../../lib/job/index.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

const COUNT = 5000;
let scene: Scene;
let connections: Connections;
let store: RedisJobStore;

beforeEach(async () => {
  scene = await Scene.open({ appendonly: true, args: ['--appendfsync', 'always'] });
  connections = new Connections(scene.redis.url);
  await connections.connect();
  store = new RedisJobStore(connections);
});

afterEach(async () => {
  await connections.close();
  await scene.close();
});

const options = resolveJobOptions(undefined, resolveDefaults(undefined));
const child = (parent: string, number: number): NewJob => ({
  queue: 'children',
  id: `${parent}-${number}`,
  check: 'new',
  data: '["act",null,[{}],{}]',
  options,
  meta: undefined,
  waitsFor: { jobs: [parent], ifFailed: 'cancel' },
});

/** A parent that runs until it is told to go on, and its children. */
async function fanOut(parent: string, act: object): Promise<void> {
  const work = new Queue('work', store);
  await work.enqueue('act', act, { id: parent });
  for (let first = 0; first < COUNT; first += 1000) {
    const slice = Array.from({ length: 1000 }, (_, index) => child(parent, first + index));
    await store.enqueue(slice, 'all');
  }
}

const waiting = () => scene.client.zcard('rq:deferred:children');
const isLeft = async () => (await scene.client.exists('rq:nrq:ended:work')) === 1;

it.each([
  ['finishes', {}, async () => new Set(await scene.client.lrange('rq:queue:children', '0', '-1'))],
  [
    'fails',
    { fails: 9 },
    async () => new Set(await scene.client.zrange('rq:canceled:children', '0', '-1')),
  ],
])(
  'of a parent that %s',
  async (_, act, told) => {
    // A kill may come too late: then all are told already, and the next parent has its turn.
    for (let attempt = 1; ; attempt += 1) {
      const parent = `p${attempt}`;
      await fanOut(parent, { ...act, waits: true });
      const worker = await scene.worker(`w${attempt}`);
      await scene.when('run', { id: parent });
      worker.go();
      await eventually(async () => (await waiting()) < COUNT, {
        what: 'the first slice',
        every: 0,
      });
      await worker.kill();
      const wasLeft = await isLeft();
      const other = await scene.worker(`other${attempt}`);
      await eventually(async () => (await waiting()) === 0, { what: 'all children to be told' });
      await eventually(async () => !(await isLeft()), { what: 'nothing to be left' });
      await other.stop();
      const all = await told();
      expect([...all].filter((id) => id.startsWith(`${parent}-`))).toHaveLength(COUNT);
      expect(await scene.client.llen('rq:queue:children')).toBe('fails' in act ? 0 : all.size);
      expect(await scene.client.keys('rq:nrq:ending:*')).toEqual([]);
      if (wasLeft) return;
      expect(attempt).toBeLessThan(10);
    }
  },
  60_000,
);

it('of a parent that finishes, when Redis is killed', async () => {
  await fanOut('p', { waits: true });
  const worker = await scene.worker('worker');
  await scene.when('run', { id: 'p' });
  worker.go();
  await eventually(async () => (await waiting()) < COUNT, { what: 'the first slice', every: 0 });
  await scene.redis.kill();
  await scene.redis.restart();
  await eventually(async () => (await waiting()) === 0, { what: 'all children to be told' });
  await eventually(async () => !(await isLeft()), { what: 'nothing to be left' });
  const told = await scene.client.lrange('rq:queue:children', '0', '-1');
  expect(told).toHaveLength(COUNT);
  expect(new Set(told).size).toBe(COUNT);
  await scene.when('finished', { id: 'p' });
});
