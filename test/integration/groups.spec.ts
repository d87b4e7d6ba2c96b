// Groups: what is stored, what becomes of a job that waits for one, row by row, and what a group tells of itself. What is
// found by looking is in groups-sweep.spec.ts.
import { jest } from '@jest/globals';
import { GroupTimeoutError, type IfFailed } from '../../lib/job/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { Graph } from './support/graph.js';
import { LAYOUT } from './support/layout.js';

const engine = Engine.forThisFile();
let graph: Graph;
beforeEach(() => {
  graph = new Graph(engine);
});

const POLICIES = ['cancel', 'run', 'wait'] as const satisfies readonly IfFailed[];
const group = (name = 'g') => engine.queue().group(name);
const status = (name?: string) => group(name).status();
const member = (id: string, options = {}) => ({ id, options: { group: 'g', ...options } });
const fanIn = (id: string, ifFailed: IfFailed = 'cancel', queue = 'other') => ({
  id,
  queue,
  ifFailed,
  afterGroup: 'g',
});
/** Members of these ids, and a job of each policy in another queue that waits for them. */
const family = (...ids: readonly string[]) =>
  graph.add(...ids.map((id) => member(id)), ...POLICIES.map((one) => fanIn(one, one)));
const waiting = () => graph.statuses(...POLICIES);
const control = (id: string, action: Parameters<typeof engine.store.control>[2], queue = 'jobs') =>
  engine.store.control(queue, id, action);
const cancel = (id: string) => control(id, { type: 'cancel', dependents: 'end' });
const remove = (id: string) => control(id, { type: 'delete', dependents: 'end' });
const requeue = (id: string, finished = false) =>
  control(id, { type: 'requeue', front: false, finished });
const recover = (maxCrashes = 3, queue = 'jobs') =>
  engine.store.recover(queue, { maxCrashes, leaseMs: 60_000 });

describe('a group', () => {
  it('is kept as RQ keeps it', async () => {
    await family('a', 'b');
    expect((await engine.client.smembers('rq:group:g')).toSorted()).toEqual(['a', 'b']);
    expect(await engine.client.smembers('rq:groups')).toEqual(['g']);
    expect(await engine.fields('a')).toMatchObject({ group_id: 'g' });
    expect(await engine.places('run', 'other')).toEqual(['deferred']);
    const waits = await engine.fields('run');
    expect(waits).toMatchObject({ nrq_after_group: 'g', nrq_if_failed: 'run' });
    expect(waits).not.toHaveProperty('dependency_ids');
    expect((await engine.store.read('run'))?.waitsFor).toEqual({
      jobs: [],
      group: 'g',
      ifFailed: 'run',
    });
    expect(
      (await engine.store.list('other', 'deferred', { offset: 0, limit: 9 }))[0]?.waitsFor,
    ).toEqual({ jobs: [], group: 'g', ifFailed: 'cancel' });
  });

  it('says how far its jobs are, and lists them, of whatever queue', async () => {
    await graph.add(member('a'), { ...member('b', { delay: 60 }), queue: 'other' }, member('c'), {
      id: 'plain',
    });
    await graph.finish('a');
    await graph.fail('c');
    expect(await status()).toEqual({ total: 3, pending: 1, finished: 1, failed: 1, canceled: 0 });
    const jobs = await group().jobs();
    expect(jobs.map(({ id, queue, status: one }) => [id, queue, one])).toEqual([
      ['a', 'jobs', 'finished'],
      ['b', 'other', 'scheduled'],
      ['c', 'jobs', 'failed'],
    ]);
    expect(jobs[1]?.dueAt?.getTime()).toBeGreaterThan(Date.now());
    expect((await group().jobs({ offset: 1, limit: 1 })).map(({ id }) => id)).toEqual(['b']);
    expect(await status('nobody')).toEqual({
      total: 0,
      pending: 0,
      finished: 0,
      failed: 0,
      canceled: 0,
    });
    expect(await engine.client.keys('*nobody*')).toEqual([]);
  });

  it('leaves alone what it does not store: the job that exists is in no group', async () => {
    await graph.add({ id: 'a' });
    await graph.add({ ...member('a'), check: 'once' }, member('b'));
    expect(await status()).toMatchObject({ total: 1, pending: 1 });
    expect(await engine.client.smembers('rq:group:g')).toEqual(['b']);
  });
});

describe('a job that waits for a group', () => {
  it('runs once all of its jobs have finished, in the step that ends the last', async () => {
    await family('a', 'b', 'c');
    await graph.finish(['a', 'b']);
    expect(await waiting()).toEqual(['deferred', 'deferred', 'deferred']);
    await graph.finish('c');
    expect(await waiting()).toEqual(['queued', 'queued', 'queued']);
    expect(await engine.client.llen('rq:queue:other')).toBe(3);
    expect(await graph.traces()).toEqual([]);
    expect(await status()).toEqual({ total: 3, pending: 0, finished: 3, failed: 0, canceled: 0 });
  });

  it('is released by jobs that are unique, repeat, keep no result or come from Python, too', async () => {
    const store = await engine.openStore({ sharedWithPython: LAYOUT === 'shared' });
    const queue = engine.queue('jobs', {}, store);
    await queue.enqueue('job', 1, { group: 'g', unique: { by: 'u' } });
    await queue.enqueue('job', 1, { group: 'g', resultTtl: 0 });
    await queue.enqueue('job', 1, { group: 'g', repeat: { times: 1, interval: 0 } });
    await queue.enqueue('job', 1, { group: 'g', failureTtl: 0 });
    await queue.enqueue('last', 1, { dependsOn: { group: 'g', ifFailed: 'run' } });
    let runs = 0;
    let before = 0;
    await engine.work({
      job: () => void (runs += 1),
      last: () => void (before = runs),
    });
    await group().wait({ timeout: '10s' });
    await eventually(() => before > 0, { what: 'the last job' });
    expect([runs, before]).toEqual([5, 5]);
    expect(await status()).toEqual({ total: 4, pending: 0, finished: 4, failed: 0, canceled: 0 });
    expect(await engine.client.scard('rq:group:g')).toBe(3);
  });

  it('is told when not all have finished: by `ifFailed`', async () => {
    await family('a', 'b');
    await graph.fail('a');
    expect(await waiting()).toEqual(['deferred', 'deferred', 'deferred']);
    await graph.finish('b');
    expect(await waiting()).toEqual(['canceled', 'queued', 'deferred']);
    expect((await engine.store.read('cancel'))?.reason).toBe(
      'jobs of group g, which it waited for, failed or were canceled',
    );
  });

  it('waits again when a failed job of the group is requeued, and runs when that succeeds', async () => {
    await family('a', 'b');
    await graph.add({ id: 'grandchild', after: ['cancel'] });
    await graph.fail('a');
    await graph.finish('b');
    expect(await graph.status('grandchild')).toBe('canceled');
    await requeue('a');
    expect(await status()).toEqual({ total: 2, pending: 1, finished: 1, failed: 0, canceled: 0 });
    expect(await waiting()).toEqual(['deferred', 'queued', 'deferred']);
    expect(await graph.status('grandchild')).toBe('deferred');
    await graph.finish('a');
    expect(await waiting()).toEqual(['queued', 'queued', 'queued']);
    expect(await engine.client.llen('rq:queue:other')).toBe(3);
    expect(await status()).toEqual({ total: 2, pending: 0, finished: 2, failed: 0, canceled: 0 });
  });

  it('learns of jobs that are stopped, canceled, deleted, emptied away or kill their workers', async () => {
    await graph.add(...['a', 'b', 'c', 'd', 'e'].map((id) => member(id)), fanIn('run', 'run'));
    await graph.settle('a', { type: 'stopped', failure: { name: 'E', message: '', stack: 'E' } });
    await cancel('b');
    await remove('c');
    expect(await status()).toEqual({ total: 5, pending: 2, finished: 0, failed: 1, canceled: 2 });
    expect((await engine.client.smembers('rq:group:g')).toSorted()).toEqual(['a', 'b', 'd', 'e']);
    // A worker claims both, and dies.
    await graph.claim();
    const members = await engine.client.zrange('rq:wip:jobs', '0', '-1');
    await engine.client.zadd('rq:wip:jobs', ...members.flatMap((one) => [1, one]));
    await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '60000');
    await recover(1);
    expect(await graph.status('d')).toBe('failed');
    expect(await graph.status('e')).toBe('failed');
    expect(await graph.status('run')).toBe('queued');

    await graph.add(member('f'), fanIn('again', 'run'));
    await engine.store.empty('jobs');
    expect(await graph.statuses('f', 'again')).toEqual(['missing', 'queued']);
    expect(await status()).toMatchObject({ pending: 0, failed: 3, canceled: 3 });
  });

  it('with `wait` is canceled when nobody can requeue what is missing', async () => {
    await family('a', 'b');
    await graph.fail('a');
    await graph.finish('b');
    expect(await graph.status('wait')).toBe('deferred');
    await remove('a');
    expect(await waiting()).toEqual(['canceled', 'queued', 'canceled']);
    expect(await status()).toMatchObject({ failed: 1, canceled: 0 });
  });

  it('runs at once when the group has no jobs, or is not known', async () => {
    await graph.add(fanIn('early'));
    expect(await graph.status('early')).toBe('queued');
    await graph.add(member('a'));
    await graph.finish('a');
    await graph.add(fanIn('late'));
    expect(await graph.status('late')).toBe('queued');
  });

  it('may stand before the jobs of its group in one call, but not in an earlier one', async () => {
    await graph.add(fanIn('together'), member('a'));
    expect(await graph.status('together')).toBe('deferred');
    await graph.finish('a');
    expect(await graph.status('together')).toBe('queued');
  });

  it('of a group that is over with failures is stored as what it is told', async () => {
    await graph.add(member('a'));
    await graph.fail('a');
    await graph.add(...POLICIES.map((one) => fanIn(one, one)));
    expect(await waiting()).toEqual(['canceled', 'queued', 'deferred']);
    await requeue('a');
    await graph.finish('a');
    expect(await waiting()).toEqual(['queued', 'queued', 'queued']);
  });

  it('waits for jobs that its jobs enqueue into the group', async () => {
    await graph.add(member('a'), fanIn('c'));
    await graph.claim('jobs', 1);
    await graph.add(member('more'));
    await graph.finish('a');
    expect(await graph.status('c')).toBe('deferred');
    await graph.finish('more');
    expect(await graph.status('c')).toBe('queued');
  });

  it('is released once, however often the group is opened again', async () => {
    await graph.add(member('a'), fanIn('first'));
    await graph.finish('a');
    await graph.claim('other');
    await graph.add(member('b'), fanIn('second'));
    expect(await status()).toMatchObject({ total: 2, pending: 1 });
    await requeue('a', true);
    expect(await status()).toEqual({ total: 2, pending: 2, finished: 0, failed: 0, canceled: 0 });
    await graph.finish(['a', 'b']);
    expect(await graph.statuses('first', 'second')).toEqual(['started', 'queued']);
    expect(await engine.client.lrange('rq:queue:other', 0, -1)).toEqual(['second']);
  });

  it('may be a job of another group, and hears of a job that waits itself', async () => {
    await graph.add({ id: 'p' });
    await graph.add(
      { ...member('a'), after: ['p'] },
      { ...fanIn('middle'), options: { group: 'h' } },
      { id: 'end', afterGroup: 'h', ifFailed: 'run' },
    );
    await graph.fail('p');
    // The job of the first group is canceled with its parent, and all that follows from it in the same step.
    expect(await graph.statuses('a', 'middle', 'end')).toEqual(['canceled', 'canceled', 'queued']);
    await requeue('p');
    expect(await graph.statuses('a', 'middle', 'end')).toEqual(['deferred', 'deferred', 'queued']);
    expect(await status('h')).toMatchObject({ pending: 1, canceled: 0 });
  });

  it('leaves the group alone when it is canceled, deleted or promoted itself', async () => {
    await graph.add(member('a'), fanIn('x'), fanIn('y'), fanIn('z'));
    await control('x', { type: 'cancel', dependents: 'end' }, 'other');
    await control('y', { type: 'delete', dependents: 'end' }, 'other');
    await control('z', { type: 'promote' }, 'other');
    expect(await graph.traces()).toEqual([]);
    await graph.finish('a');
    expect(await graph.statuses('x', 'y', 'z')).toEqual(['canceled', 'missing', 'queued']);
  });

  it('is one of many: they are released in slices, and a kill between them loses none', async () => {
    await graph.add(member('a'));
    const ids = Array.from({ length: 1200 }, (_, index) => `w${index}`);
    await graph.add(...ids.map((id) => fanIn(id)));
    const goOn = jest.spyOn(engine.store['dependencies'], 'goOn').mockResolvedValue();
    await graph.finish('a');
    expect(goOn).toHaveBeenCalled();
    goOn.mockRestore();
    expect(await engine.client.llen('rq:queue:other')).toBeLessThan(1200);
    // Another worker comes by.
    await recover();
    expect(await engine.client.llen('rq:queue:other')).toBe(1200);
    expect(await graph.traces()).toEqual([]);
  });
});

describe('all jobs of a group', () => {
  it('are waited for, with a time limit', async () => {
    await graph.add(member('a'));
    const early = group().wait({ timeout: 0 });
    await expect(early).rejects.toThrow(GroupTimeoutError);
    await expect(early).rejects.toMatchObject({ code: 'RQ_GROUP_TIMEOUT', group: 'g', pending: 1 });
    const over = group().wait({ timeout: '10s' });
    await graph.finish('a');
    expect(await over).toEqual({ total: 1, pending: 0, finished: 1, failed: 0, canceled: 0 });
    expect(await group('nobody').wait()).toMatchObject({ total: 0 });
  });

  it('are canceled together, those of other queues and those that run, too', async () => {
    await graph.add(member('a'), { ...member('b'), queue: 'more' }, fanIn('c', 'run'), member('d'));
    await graph.claim('jobs', 1);
    expect(await group().cancel()).toMatchObject({ done: 3, missing: 0 });
    expect(await graph.statuses('a', 'b', 'c', 'd')).toEqual([
      'canceled',
      'canceled',
      'queued',
      'canceled',
    ]);
    expect(await status()).toEqual({ total: 3, pending: 0, finished: 0, failed: 0, canceled: 3 });
  });

  it('are deleted together, and nothing of the group stays', async () => {
    await family('a', 'b', 'c');
    await graph.finish('a');
    expect(await group().delete()).toMatchObject({ done: 3 });
    expect(await waiting()).toEqual(['canceled', 'queued', 'canceled']);
    expect(await engine.client.keys('*group*')).toEqual([]);
    expect(await status()).toMatchObject({ total: 0 });
  });
});

it('a name that no group can have, and what cannot be waited for, is refused', async () => {
  const queue = engine.queue();
  expect(() => queue.group('')).toThrow(/group must be text of 1 to 200 characters/);
  await expect(queue.enqueue('job', 1, { group: ' x' })).rejects.toThrow(
    /enqueue\("job"\) on queue "jobs": group must not begin or end with a space/,
  );
  const own = { group: 'g', dependsOn: { group: 'g' } };
  await expect(queue.enqueue('job', 1, own)).rejects.toThrow(
    /dependsOn.group is the group of the job itself: it would wait for ever/,
  );
  const both = { dependsOn: { group: 'g', jobs: ['a'] } as never };
  await expect(queue.enqueue('job', 1, both)).rejects.toThrow(
    /dependsOn.jobs is not an option here/,
  );
});

it('names with colons, commas and spaces are one name each', async () => {
  for (const name of ['x:pending', 'a,b', 'a b', '@g', 'ü']) {
    const options = { group: name };
    const id = await engine.queue().enqueue('job', 1, options);
    await engine.queue().enqueue('end', 1, { dependsOn: { group: name } });
    expect(await status(name)).toMatchObject({ total: 1, pending: 1 });
    await id.cancel();
    expect(await status(name)).toMatchObject({ total: 1, canceled: 1 });
  }
  expect(await engine.queue().counts()).toMatchObject({ deferred: 0, canceled: 10 });
});
