// How a job that waits for others is stored, row by row: what a parent is that is there already, and what is handed over.
import type { IfFailed } from '../../lib/job/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { FAILURE, Graph } from './support/graph.js';

const engine = Engine.forThisFile();
let graph: Graph;
beforeEach(() => {
  graph = new Graph(engine);
});

const POLICIES = ['cancel', 'run', 'wait'] as const satisfies readonly IfFailed[];
const control = (id: string, action: Parameters<typeof engine.store.control>[2], queue = 'jobs') =>
  engine.store.control(queue, id, action);
const cancel = (id: string) => control(id, { type: 'cancel', dependents: 'end' });
const requeue = (id: string) => control(id, { type: 'requeue', front: false });
const children = () => graph.statuses(...POLICIES);

describe('a job that waits', () => {
  it('is deferred, in RQ’s registry, with RQ’s sets and fields, and in no queue', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'q' },
      { id: 'c', queue: 'other', after: ['p', 'q'], ifFailed: 'run', options: { atFront: true } },
    );
    expect(await engine.places('c', 'other')).toEqual(['deferred']);
    expect(await engine.client.zscore('rq:deferred:other', 'c')).toBe('inf');
    expect(await engine.fields('c')).toMatchObject({
      status: 'deferred',
      dependency_ids: '["p","q"]',
      dependency_id: 'p',
      allow_dependency_failures: '1',
      enqueue_at_front: '1',
      nrq_if_failed: 'run',
    });
    expect(await engine.client.smembers('rq:job:p:dependents')).toEqual(['c']);
    expect((await engine.client.smembers('rq:job::c:dependencies')).toSorted()).toEqual(['p', 'q']);
    expect((await engine.client.smembers('rq:queues')).toSorted()).toEqual([
      'rq:queue:jobs',
      'rq:queue:other',
    ]);
    expect((await engine.store.read('c'))?.waitsFor).toEqual({
      jobs: ['p', 'q'],

      ifFailed: 'run',
    });
    expect(await engine.store.dependents('p')).toEqual([{ id: 'c', queue: 'other' }]);
  });

  it('is released once, by the last of its parents, and leaves the sets of all', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', after: ['p', 'q'] });
    await graph.finish('p');
    expect(await graph.status('c')).toBe('deferred');
    await graph.finish('q');
    expect(await engine.places('c')).toEqual(['queue']);
    expect(await engine.client.lrange('rq:queue:jobs', 0, -1)).toEqual(['c']);
    expect(await graph.traces()).toEqual([]);
    expect((await engine.fields('c')).enqueued_at).toBeDefined();
  });

  it('is released once when all its parents end in one call', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', after: ['p', 'q'] });
    await graph.finish(['p', 'q']);
    expect(await engine.client.lrange('rq:queue:jobs', 0, -1)).toEqual(['c']);
    expect(await graph.traces()).toEqual([]);
  });

  it('counts its delay from the release, and goes to the head when it is due', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'in', after: ['p'], options: { delay: 60, atFront: true } },
      { id: 'at', after: ['p'], options: { at: new Date(Date.now() + 120_000) } },
      { id: 'past', after: ['p'], options: { at: new Date(Date.now() - 1000) } },
    );
    await graph.finish('p');
    expect(await graph.statuses('in', 'at', 'past')).toEqual(['scheduled', 'scheduled', 'queued']);
    const due = Number(await engine.client.zscore('rq:scheduled:jobs', 'in')) - Date.now() / 1000;
    expect(due).toBeGreaterThan(50);
    expect(due).toBeLessThan(61);
    await engine.client.zadd('rq:scheduled:jobs', 1, 'in');
    expect(await graph.claim()).toEqual(['in', 'past']);
  });

  it('goes to the head of its queue when that was asked for', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'other' },
      { id: 'front', after: ['p'], options: { atFront: true } },
    );
    await graph.claim('jobs', 1);
    await graph.finish('p');
    expect(await engine.client.lrange('rq:queue:jobs', 0, -1)).toEqual(['front', 'other']);
  });

  it('is handed the results of its parents, which outlive them', async () => {
    await graph.add({ id: 'p', options: { resultTtl: 0 } }, { id: 'q' }, { id: 'r' });
    await graph.finish('q', 'jobs', '{"was":"before"}');
    await graph.add({ id: 'c', after: ['p', 'q', 'r'] });
    await graph.finish('p', 'jobs', '[1,"ä"]');
    await graph.settle('r', { type: 'finished', result: undefined });
    expect(await graph.statuses('p', 'c')).toEqual(['missing', 'queued']);
    expect(await engine.store.handedResults('c', ['p', 'q', 'r', 'nobody'])).toEqual([
      '[1,"ä"]',
      '{"was":"before"}',
      'null',
      undefined,
    ]);
    await graph.claim();
  });

  it('is handed no result that is longer than 64 KB', async () => {
    await graph.add({ id: 'p' }, { id: 'c', after: ['p'] });
    await graph.finish('p', 'jobs', `"${'x'.repeat(70_000)}"`);
    await graph.add({ id: 'later', after: ['p'] });
    for (const child of ['c', 'later']) {
      expect(await engine.store.handedResults(child, ['p'])).toEqual([70_002]);
      expect(await graph.status(child)).toBe('queued');
    }
  });

  it('is told the size of a result that is too long for the parent’s many children', async () => {
    const children = Array.from({ length: 120 }, (_, index) => `c${index}`);
    await graph.add({ id: 'p' }, ...children.map((id) => ({ id, after: ['p'] })));
    await graph.finish('p', 'jobs', `"${'x'.repeat(40_000)}"`);
    // A slow Redis tells them in several calls.
    await eventually(async () => (await graph.status('c119')) === 'queued', { what: 'the last' });
    expect(await engine.store.handedResults('c119', ['p'])).toEqual([40_002]);
  });

  it('is told the size of a long result in RQ’s stream', async () => {
    await graph.add({ id: 'p' });
    await graph.finish('p');
    const json = `"${'x'.repeat(70_001)}"`;
    await engine.client.hdel('rq:job:p', 'result');
    await engine.client.xadd(
      'rq:results:p',
      '*',
      'return_value',
      Buffer.from(json).toString('base64'),
    );
    await graph.add({ id: 'c', after: ['p'] });
    expect(await engine.store.handedResults('c', ['p'])).toEqual([json.length]);
  });

  it('knows its parents at the claim, in the order given', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', after: ['q', 'p'] });
    await graph.finish(['p', 'q']);
    const { claimed } = await engine.store.exchange('jobs', {
      leaseMs: 1000,
      worker: 'w',
      token: 'b'.repeat(16),
      nextExecution: 0,
      want: 1,
      suspects: { from: 2, takes: true, delay: 10 },
      woken: [],
      outcomes: [],
      call: undefined,
      events: [],
    });
    expect(claimed[0]?.parentIds).toEqual(['q', 'p']);
  });

  it('may wait for many, of which each that ends costs the same', async () => {
    const parents = Array.from({ length: 1000 }, (_, index) => `p${index}`);
    await graph.add(...parents.map((id) => ({ id })));
    await graph.add({ id: 'c', queue: 'other', after: parents });
    for (let first = 0; first < 1000; first += 200) {
      expect(await graph.status('c')).toBe('deferred');
      await graph.finish(parents.slice(first, first + 200));
    }
    expect(await graph.status('c')).toBe('queued');
    expect(await graph.traces()).toEqual([]);
  });
});

describe('at the enqueue a parent', () => {
  const enqueueChildren = () =>
    graph.add(
      ...POLICIES.map((ifFailed) => ({ id: ifFailed, queue: 'other', after: ['p'], ifFailed })),
    );

  it('that has finished, or is missing, is met', async () => {
    await graph.add({ id: 'q' });
    await graph.finish('q');
    await graph.add(...POLICIES.map((ifFailed) => ({ id: ifFailed, after: ['p', 'q'], ifFailed })));
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
    expect(await graph.traces()).toEqual([]);
  });

  it.each([
    ['failed', () => graph.fail('p')],
    ['was stopped', () => graph.settle('p', { type: 'stopped', failure: FAILURE })],
    ['was canceled', () => cancel('p')],
  ] as const)('that %s cancels, lets run or is waited for', async (word, end) => {
    await graph.add({ id: 'p' });
    await end();
    await enqueueChildren();
    expect(await children()).toEqual(['canceled', 'queued', 'deferred']);
    expect((await engine.store.read('cancel'))?.reason).toBe(`job p, which it waited for, ${word}`);
    await requeue('p');
    expect(await children()).toEqual(['deferred', 'queued', 'deferred']);
    await graph.finish('p');
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
  });

  it('that was canceled and has released those who wait is met, until it is requeued', async () => {
    await graph.add({ id: 'p' });
    await control('p', { type: 'cancel', dependents: 'release' });
    await enqueueChildren();
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
    await requeue('p');
    await graph.add({ id: 'later', after: ['p'] });
    expect(await graph.status('later')).toBe('deferred');
    await cancel('p');
    expect(await graph.status('later')).toBe('canceled');
  });

  it('that has released those who wait, and that Python has requeued and canceled since, is canceled', async () => {
    await graph.add({ id: 'p' });
    await control('p', { type: 'cancel', dependents: 'release' });
    // As RQ's registry of canceled jobs requeues it, and `job.cancel()` cancels it.
    await engine.client.hset('rq:job:p', { status: 'queued', ended_at: '' });
    await graph.add({ id: 'c', after: ['p'] });
    expect(await graph.status('c')).toBe('deferred');
    await engine.client.hset('rq:job:p', { status: 'canceled' });
    await graph.add({ id: 'later', after: ['p'] });
    expect(await graph.status('later')).toBe('canceled');
  });

  it('that failed cancels those below, too, which stand later in the call', async () => {
    await graph.add({ id: 'p' });
    await graph.fail('p');
    await graph.add({ id: 'c', after: ['p'] }, { id: 'd', queue: 'other', after: ['c'] });
    expect(await graph.statuses('c', 'd')).toEqual(['canceled', 'canceled']);
  });

  it.each(['created', 'rate_limited', 'ready_to_enqueue', undefined])(
    'that has the status %s is pending',
    async (status) => {
      await graph.add({ id: 'p' });
      if (status === undefined) await engine.client.hdel('rq:job:p', 'status');
      else await engine.client.hset('rq:job:p', 'status', status);
      await enqueueChildren();
      expect(await children()).toEqual(['deferred', 'deferred', 'deferred']);
    },
  );

  it('that runs although Python has written the status of an earlier end is pending', async () => {
    await graph.add({ id: 'p' });
    await graph.claim();
    await engine.client.hset('rq:job:p', 'status', 'finished');
    await enqueueChildren();
    expect(await children()).toEqual(['deferred', 'deferred', 'deferred']);
  });

  it('of the same call whose id another job has keeps the whole call from being stored', async () => {
    await graph.add({ id: 'p' });
    await graph.finish('p');
    await graph.add({ id: 'p', check: 'once' }, { id: 'c', after: ['p'] });
    expect(await graph.status('c')).toBe('missing');
  });

  it('of a call of which nothing may be stored leaves nothing of the children', async () => {
    await graph.add({ id: 'p' });
    await engine.client.set('rq:queue:broken', 'no list');
    const call = graph.add({ id: 'c', after: ['p'] }, { id: 'x', queue: 'broken' });
    await expect(call).rejects.toThrow('WRONGTYPE');
    expect(await graph.status('c')).toBe('missing');
    expect(await graph.traces()).toEqual([]);
  });
});

it('RQ’s words for jobs that wait, and not for a worker, are read as deferred', async () => {
  await graph.add({ id: 'a' });
  for (const status of ['rate_limited', 'ready_to_enqueue']) {
    await engine.client.hset('rq:job:a', 'status', status);
    expect(await engine.queue().job('a').status()).toBe('deferred');
    const [row] = await engine.queue().jobs('queued');
    expect(row?.status).toBe('deferred');
    expect(await requeue('a')).toEqual({ answer: 'refused', status: 'deferred' });
  }
});
