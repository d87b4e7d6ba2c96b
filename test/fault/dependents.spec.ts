// A parent of 5000 children ends, and the worker that tells them, or Redis, is killed between two slices: another one
// goes on, and each child is told once.
import { Queue } from '../../lib/queue/index.js';
import { Connections } from '../../lib/redis/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { type NewJob } from '../../lib/store/index.js';
import { resolveDefaults, resolveJobOptions } from '../../lib/job/index.js';
import { eventually, within } from '../support/wait.js';
import { CommandProxy } from './command-proxy.js';
import { type ActingWorker, Scene } from './scene.js';

const COUNT = 5000;
let scene: Scene;
let proxy: CommandProxy;
let connections: Connections;
let store: RedisJobStore;

beforeEach(async () => {
  scene = await Scene.open({ appendonly: true, args: ['--appendfsync', 'always'] });
  proxy = await CommandProxy.start(scene.redis);
  connections = new Connections(scene.redis.url);
  await connections.connect();
  store = new RedisJobStore(connections);
});

afterEach(async () => {
  await connections.close();
  await scene.close();
  await proxy.close();
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

/** A worker runs this parent, and ends when Redis has told the first slice and nobody has heard of it. */
async function toldFirstSlice(parent: string): Promise<ActingWorker> {
  const worker = await scene.worker('doomed', { url: proxy.url });
  await scene.when('run', { id: parent });
  const end = proxy.hold(
    'before its answer arrives',
    ({ name, words }) =>
      name === 'exchange' &&
      words.some((word) => word === 'one' || word === 'finished') &&
      words.some((word) => word === parent || word.startsWith(`${parent}\n`)),
  );
  worker.go();
  await within(end, { what: 'the end of the parent' });
  return worker;
}

const waiting = () => scene.client.zcard('rq:deferred:children');
const isLeft = async () => (await scene.client.exists('rq:nrq:ended:work')) === 1;

it.each([
  ['finishes', {}, () => scene.client.lrange('rq:queue:children', '0', '-1')],
  ['fails', { fails: 9 }, () => scene.client.zrange('rq:canceled:children', '0', '-1')],
])(
  'of a parent that %s',
  async (_, act, told) => {
    await fanOut('p', { ...act, waits: true });
    const worker = await toldFirstSlice('p');
    await worker.kill();
    expect(await waiting()).toBeLessThan(COUNT);
    expect(await isLeft()).toBe(true);
    await scene.worker('other');
    await eventually(async () => (await waiting()) === 0, { what: 'all children to be told' });
    await eventually(async () => !(await isLeft()), { what: 'nothing to be left' });
    const all = await told();
    expect(all).toHaveLength(COUNT);
    expect(new Set(all).size).toBe(COUNT);
    expect(await scene.client.llen('rq:queue:children')).toBe('fails' in act ? 0 : COUNT);
    expect(await scene.client.keys('rq:nrq:ending:*')).toEqual([]);
  },
  60_000,
);

it('of a parent that finishes, when Redis is killed', async () => {
  await fanOut('p', { waits: true });
  await toldFirstSlice('p');
  await scene.redis.kill();
  await scene.redis.restart();
  await eventually(async () => (await waiting()) === 0, { what: 'all children to be told' });
  await eventually(async () => !(await isLeft()), { what: 'nothing to be left' });
  const told = await scene.client.lrange('rq:queue:children', '0', '-1');
  expect(told).toHaveLength(COUNT);
  expect(new Set(told).size).toBe(COUNT);
  await scene.when('finished', { id: 'p' });
});
