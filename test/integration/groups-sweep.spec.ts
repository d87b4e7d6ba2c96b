// What Python, or a lost write, has done to jobs of a group is found by looking.
import type { IfFailed } from '../../lib/job/index.js';
import { Engine } from './support/engine.js';
import { Graph } from './support/graph.js';

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
const sweep = async () => {
  await engine.client.del('rq:nrq:group-swept', 'rq:nrq:swept:jobs', 'rq:nrq:swept:other');
  for (const queue of ['jobs', 'other']) {
    await engine.store.recover(queue, { maxCrashes: 3, leaseMs: 60_000 });
  }
};
/** What `Group.enqueue_many` of Python leaves. */
const pythonMember = async (id: string, fields: Record<string, string> = {}) => {
  const { client } = engine;
  await client.hset(`rq:job:${id}`, {
    data: '["tasks.add",null,[1],{}]',
    created_at: '2026-01-01T00:00:00.000000Z',
    origin: 'jobs',
    status: 'queued',
    group_id: 'g',
    success_callback_name: '',
    ...fields,
  });
  if (!fields['status']) await client.rpush('rq:queue:jobs', id);
  await client.sadd('rq:group:g', id);
  await client.sadd('rq:groups', 'g');
};
/** A Python worker has run it. */
const endedInPython = async (id: string, how: 'finished' | 'failed') => {
  await engine.client.lrem('rq:queue:jobs', 0, id);
  await engine.client.hset(`rq:job:${id}`, { status: how });
  await engine.client.zadd(`rq:${how}:jobs`, Date.now() / 1000 + 500, id);
};

describe('the sweep of groups', () => {
  it('finds jobs that have expired or were deleted by others', async () => {
    await family('a', 'b');
    await graph.finish('b');
    await engine.client.del('rq:job:a');
    await engine.client.del('rq:queue:jobs');
    await sweep();
    expect(await waiting()).toEqual(['canceled', 'queued', 'canceled']);
    expect(await status()).toEqual({ total: 2, pending: 0, finished: 1, failed: 0, canceled: 1 });
  });

  it('finds jobs that Python has run, and requeued', async () => {
    await family('a', 'b', 'c');
    await endedInPython('a', 'finished');
    await endedInPython('b', 'failed');
    await sweep();
    expect(await waiting()).toEqual(['deferred', 'deferred', 'deferred']);
    await endedInPython('c', 'finished');
    await sweep();
    expect(await waiting()).toEqual(['canceled', 'queued', 'deferred']);
    expect(await status()).toEqual({ total: 3, pending: 0, finished: 2, failed: 1, canceled: 0 });
    // As `rq requeue` does it.
    await engine.client.zrem('rq:failed:jobs', 'b');
    await engine.client.hset('rq:job:b', { status: 'queued' });
    await engine.client.rpush('rq:queue:jobs', 'b');
    await sweep();
    expect(await waiting()).toEqual(['deferred', 'queued', 'deferred']);
    await endedInPython('b', 'finished');
    await sweep();
    expect(await waiting()).toEqual(['queued', 'queued', 'queued']);
  });

  it('takes in jobs that Python has added; so does the enqueue of a job that waits for them', async () => {
    await pythonMember('p');
    await pythonMember('old', { status: 'finished' });
    await graph.add(fanIn('c'));
    expect(await graph.status('c')).toBe('deferred');
    await pythonMember('q');
    await graph.finish('p');
    expect(await graph.status('c')).toBe('deferred');
    await graph.finish('q');
    expect(await graph.status('c')).toBe('queued');
    expect(await status()).toEqual({ total: 3, pending: 0, finished: 3, failed: 0, canceled: 0 });

    await pythonMember('r');
    await sweep();
    expect(await engine.client.smembers('rq:nrq:group-pending:g')).toEqual(['r']);
  });

  it('looks through more jobs of Python than one call may, before it says that a group is over', async () => {
    const ids = Array.from({ length: 3000 }, (_, index) => `p${index}`);
    const batch = engine.client.pipeline();
    for (const id of ids) {
      batch.hset(`rq:job:${id}`, {
        data: '[]',
        created_at: 'x',
        origin: 'jobs',
        status: 'finished',
      });
      batch.zadd('rq:finished:jobs', 9e9, id);
    }
    await batch.exec();
    await engine.client.sadd('rq:group:g', ...ids);
    await graph.add(fanIn('c'));
    expect(await graph.status('c')).toBe('deferred');
    await sweep();
    expect(await graph.status('c')).toBe('queued');
    expect(await status()).toMatchObject({ total: 3000, finished: 3000 });
  });

  it('forgets a group when none of its jobs is left, and the next of the name begins anew', async () => {
    await graph.add(member('a', { failureTtl: 1 }), member('b'));
    await graph.fail('a');
    await graph.finish('b');
    await engine.client.del('rq:job:a', 'rq:job:b');
    await sweep();
    expect(await engine.client.exists('rq:group:g')).toBe(0);
    await sweep();
    expect(await engine.client.exists('rq:groups', 'rq:nrq:groups')).toBe(0);
    expect(await engine.client.ttl('rq:nrq:group:g')).toBeGreaterThan(0);
    // What became of them is told for a day.
    expect(await status()).toMatchObject({ total: 2, finished: 1, failed: 1 });
    await graph.add(member('c'), fanIn('end'));
    await graph.finish('c');
    expect(await status()).toMatchObject({ total: 1, finished: 1 });
    expect(await graph.status('end')).toBe('queued');
    expect(await engine.client.ttl('rq:nrq:group:g')).toBe(-1);
  });
});
