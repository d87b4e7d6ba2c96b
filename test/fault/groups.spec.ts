// Groups whose workers are killed: the job that waits for all of a group runs once, when all are over, and the counts are
// right. `GROUP_MEMBERS=100000 GROUP_KILLS=50 npm run jest -- test/fault/groups` is the long round.
//
// And a look through a group that a restart of Redis breaks in upon: it begins anew.
import { Queue, RqGroup } from '../../lib/queue/index.js';
import { Connections } from '../../lib/redis/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { eventually } from '../support/wait.js';
import { type ActingWorker, Scene } from './scene.js';

const MEMBERS = Number(process.env['GROUP_MEMBERS'] ?? 1500);
const ROUNDS = Number(process.env['GROUP_ROUNDS'] ?? 1);
const PROCESSES = MEMBERS > 10_000 ? 4 : 2;
const KILLS = Number(process.env['GROUP_KILLS'] ?? 3);
const WORKER = { lease: 0.7, maxCrashes: 99, concurrency: 20 };
const TIME_LIMIT = 30_000 + MEMBERS * 10;

let scene: Scene;
let connections: Connections;
let store: RedisJobStore;

async function open(options = {}): Promise<void> {
  scene = await Scene.open(options);
  connections = new Connections(scene.redis.url);
  await connections.connect();
  store = new RedisJobStore(connections);
}

afterEach(async () => {
  await connections.close();
  await scene.close();
});

/** Jobs of a group, of which each hundredth fails; every third is of another queue. */
async function enqueueMembers(group: string): Promise<string[]> {
  const items = Array.from({ length: MEMBERS }, (_, index) => ({
    name: 'act',
    data: index % 100 === 7 ? { fails: 99 } : {},
    options: { id: `${group}-${index}`, group },
  }));
  const inQueue = (name: string, rest: (index: number) => boolean) =>
    new Queue(name, store).enqueueMany(items.filter((_, index) => rest(index)) as never);
  await inQueue('work', (index) => index % 3 > 0);
  await inQueue('more', (index) => index % 3 === 0);
  return items.map(({ options }) => options.id);
}

/** Kills one worker after the other, as the work goes on. */
async function killMeanwhile(group: string): Promise<void> {
  const begin = (number: number) => scene.begin(`w${number}`, { ...WORKER, queues: QUEUES });
  const workers: ActingWorker[] = [];
  for (let number = 0; number < PROCESSES; number += 1) workers.push(begin(number));
  const pending = () => scene.client.scard(`rq:nrq:group-pending:${group}`);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const mark = MEMBERS * (1 - kill / (KILLS + 1));
    await eventually(async () => (await pending()) <= mark, {
      what: 'a part of the group to be over',
      timeout: TIME_LIMIT,
      every: 2,
    });
    const doomed = workers.shift() as ActingWorker;
    // One that has only begun has no hold of anything.
    await doomed.ready();
    await doomed.kill();
    workers.push(begin(PROCESSES + kill));
  }
}

it.each(Array.from({ length: ROUNDS }, (_, round) => `g${round}`))(
  'the job that waits for all of group %s runs once, when all are over',
  async (group) => {
    await open();
    const members = await enqueueMembers(group);
    const after = (ifFailed: 'run' | 'cancel', id: string) =>
      new Queue('end', store).enqueue('act', {}, { id, dependsOn: { group, ifFailed } });
    await after('run', 'end');
    await after('cancel', 'never');
    // It is served by nobody that is killed: a worker that is may run it again, as any job.
    await scene.worker('last', { queues: ['end'], lease: 15 });
    const over = new RqGroup(group, store).wait({ timeout: TIME_LIMIT });
    await killMeanwhile(group);
    await scene.when('finished', { id: 'end', timeout: TIME_LIMIT });
    const failed = members.filter((_, index) => index % 100 === 7).length;
    expect(await over).toEqual({
      total: MEMBERS,
      pending: 0,
      finished: MEMBERS - failed,
      failed,
      canceled: 0,
    });
    const entries = scene.journal.entries();
    const ended = new Set<string>();
    for (const { event, id } of entries) {
      if (event === 'run' && id === 'end') break;
      if (event === 'end') ended.add(String(id));
    }
    expect(members.filter((id) => !ended.has(id))).toEqual([]);
    expect(scene.journal.of('run', { id: 'end' })).toHaveLength(1);
    expect(await scene.client.hget('rq:job:never', 'status')).toBe('canceled');
    const ids = [...members, 'end', 'never'].map((id) => ({ id }));
    expect(await scene.audit(ids, { queues: [...QUEUES, 'end'] })).toEqual([]);
  },
  2 * TIME_LIMIT,
);

const QUEUES = ['work', 'more'];

it('a look through the jobs of a group begins anew when Redis was started again', async () => {
  await open({ appendonly: true });
  // So many of Python's that one call does not see all. Every second one has ended.
  const count = 3000;
  const batch = scene.client.pipeline();
  for (let index = 0; index < count; index += 1) {
    const status = index % 2 === 0 ? 'queued' : 'finished';
    batch.hset(`rq:job:p${index}`, { data: '[]', created_at: 'x', origin: 'work', status });
    if (status === 'finished') batch.zadd('rq:finished:work', 9e9, `p${index}`);
    batch.sadd('rq:group:g', `p${index}`);
  }
  await batch.exec();
  await new Queue('end', store).enqueue('act', {}, { id: 'end', dependsOn: { group: 'g' } });
  const noted = await scene.client.hmget('rq:nrq:group:g', 'scan', 'first');
  expect(noted).toEqual([expect.stringMatching(/^[1-9]/), expect.any(String)]);
  const known = await scene.client.scard('rq:nrq:group-pending:g');
  expect(known).toBeLessThan(count / 2);

  await scene.redis.kill();
  await scene.redis.restart();
  const group = new RqGroup('g', store);
  const status = await eventually(() => group.status(), { what: 'Redis to be back' });
  expect(status).toMatchObject({ total: count, pending: count / 2, finished: count / 2 });
  expect(await scene.client.hget('rq:job:end', 'status')).toBe('deferred');
});
