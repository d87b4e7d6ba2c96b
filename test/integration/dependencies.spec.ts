// What becomes of a job that waits for others, row by row: when a parent ends, in whatever way, and when it is over
// already at the enqueue.
import type { IfFailed } from '../../lib/job/index.js';
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
const remove = (id: string) => control(id, { type: 'delete', dependents: 'end' });
const requeue = (id: string) => control(id, { type: 'requeue', front: false });
const recover = (queue = 'jobs', maxCrashes = 3) =>
  engine.store.recover(queue, { maxCrashes, leaseMs: 60_000 });
/** The next recover takes a turn of the sweep. */
const sweep = async (queue = 'jobs') => {
  await engine.client.del(`rq:nrq:swept:${queue}`);
  await recover(queue);
};

/** A parent `p`, and a child of each policy in another queue. */
async function family(options = {}): Promise<void> {
  await graph.add(
    { id: 'p', options },
    ...POLICIES.map((ifFailed) => ({ id: ifFailed, queue: 'other', after: ['p'], ifFailed })),
  );
}
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

describe('when a parent', () => {
  it('finishes, each child runs', async () => {
    await family();
    await graph.finish('p');
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
    expect(await graph.traces()).toEqual([]);
  });

  const ends: [string, () => Promise<unknown>][] = [
    ['fails for good', () => graph.fail('p')],
    ['is stopped', () => graph.settle('p', { type: 'stopped', failure: FAILURE })],
    ['cancels itself', () => graph.settle('p', { type: 'canceled', reason: 'no' })],
    ['is canceled', () => cancel('p')],
    [
      'is poison',
      async () => {
        await graph.claim();
        const [member] = await engine.client.zrange('rq:wip:jobs', '0', '0');
        await engine.client.zadd('rq:wip:jobs', 1, String(member));
        await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '60000');
        await recover('jobs', 1);
        graph.lose('p');
      },
    ],
  ];
  it.each(ends)('%s, a child is canceled, runs or waits as it says', async (_, end) => {
    await family();
    await end();
    expect(await children()).toEqual(['canceled', 'queued', 'deferred']);
    const record = await engine.store.read('cancel');
    expect(record?.canceledBecauseOf).toBe('p');
    expect(record?.reason).toMatch(
      /^job p, which it waited for, (failed|was stopped|was canceled)$/,
    );
    expect(record?.endedAt).toBeDefined();
    expect(await engine.places('cancel', 'other')).toEqual(['canceled']);
  });

  it.each(ends)('%s and is requeued, the canceled wait again, with all below', async (_, end) => {
    await family();
    await graph.add({ id: 'grandchild', after: ['cancel'] });
    await graph.add({ id: 'by-hand', after: ['p'] });
    await cancel('by-hand');
    await end();
    expect(await graph.statuses('cancel', 'grandchild')).toEqual(['canceled', 'canceled']);
    expect(await requeue('p')).toMatchObject({ answer: 'done' });
    expect(await children()).toEqual(['deferred', 'queued', 'deferred']);
    expect(await graph.statuses('grandchild', 'by-hand')).toEqual(['deferred', 'canceled']);
    expect(await engine.fields('cancel')).not.toHaveProperty('nrq_reason');
    expect(await engine.places('cancel', 'other')).toEqual(['deferred']);
    await graph.finish('p');
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
    await graph.finish('cancel', 'other');
    expect(await graph.status('grandchild')).toBe('queued');
    expect(await graph.traces()).toEqual([]);
  });

  const goes: [string, () => Promise<unknown>][] = [
    ['is deleted', () => remove('p')],
    ['is emptied away', () => engine.store.empty('jobs')],
    ['fails and is not kept', () => graph.fail('p')],
    [
      'expires in the queue',
      async () => {
        await engine.client.del('rq:job:p');
        await graph.claim();
      },
    ],
    [
      'expires in the schedule',
      async () => {
        await engine.client.lrem('rq:queue:jobs', 0, 'p');
        await engine.client.zadd('rq:scheduled:jobs', 1, 'p');
        await engine.client.del('rq:job:p');
        await engine.client.zadd('rq:nrq:late:jobs', Date.now() / 1000 - 70, 'p');
        await graph.claim();
      },
    ],
    [
      'expires behind a blocking pop',
      async () => {
        await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');
        await engine.client.del('rq:job:p');
        await recover();
      },
    ],
  ];
  it.each(goes)('%s, children are canceled or run', async (name, go) => {
    await family(name === 'fails and is not kept' ? { failureTtl: 0 } : {});
    await go();
    expect(await children()).toEqual(['canceled', 'queued', 'canceled']);
    expect(await graph.traces()).toEqual([]);
  });

  it.each([
    [
      'is retried',
      {
        type: 'retrying',
        failure: FAILURE,
        policy: undefined,
        delay: 0,
        front: false,
        returned: false,
      },
    ],
    ['is snoozed', { type: 'snoozed', delay: 60_000 }],
    ['is given back', { type: 'released' }],
  ] as const)('%s, nothing happens', async (_, outcome) => {
    await family();
    await graph.settle('p', outcome);
    expect(await children()).toEqual(['deferred', 'deferred', 'deferred']);
  });

  it('is canceled and its dependents are released, they run', async () => {
    await family();
    await control('p', { type: 'cancel', dependents: 'release' });
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
    expect(await graph.traces()).toEqual([]);
  });

  it('is deleted with its dependents, nothing is left', async () => {
    await family();
    await graph.add({ id: 'grandchild', after: ['run'], ifFailed: 'run' });
    await control('p', { type: 'delete', dependents: 'delete' });
    expect(await graph.statuses('p', ...POLICIES, 'grandchild')).toEqual(Array(5).fill('missing'));
    expect(await engine.client.keys('rq:job:*')).toEqual([]);
    expect(await graph.traces()).toEqual([]);
  });

  it('fails, all that waits for its children is canceled, in whatever queue', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'a', queue: 'other', after: ['p'] },
      { id: 'b', queue: 'third', after: ['a'] },
      { id: 'c', queue: 'other', after: ['b', 'a'] },
      { id: 'd', queue: 'other', after: ['c'], ifFailed: 'run' },
    );
    await graph.fail('p');
    expect(await graph.statuses('a', 'b', 'c', 'd')).toEqual([
      'canceled',
      'canceled',
      'canceled',
      'queued',
    ]);
  });

  it('that failed finishes after all, children canceled because of it run', async () => {
    // `rq requeue`: Python writes the fields and pushes the id, and knows nothing of the children.
    await family();
    await graph.fail('p');
    await engine.client.zrem('rq:failed:jobs', 'p');
    await engine.client.hset('rq:job:p', { status: 'queued', success_callback_name: '' });
    await engine.client.hdel('rq:job:p', 'ended_at');
    await engine.client.rpush('rq:queue:jobs', 'p');
    await graph.finish('p');
    expect(await children()).toEqual(['queued', 'queued', 'queued']);
    expect(await graph.traces()).toEqual([]);
  });

  it('is one of a bulk of requeued jobs, those that were canceled because of it wait again', async () => {
    await family();
    await graph.fail('p');
    expect(await engine.queue().requeue({ in: 'failed' })).toMatchObject({ done: 1 });
    expect(await children()).toEqual(['deferred', 'queued', 'deferred']);
  });

  it('fails while another one is still pending: the child waits again for both', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', after: ['p', 'q'] });
    await graph.claim();
    await graph.fail('p');
    expect(await graph.status('c')).toBe('canceled');
    await requeue('p');
    await graph.finish('p');
    expect(await graph.status('c')).toBe('deferred');
    await graph.finish('q');
    expect(await graph.status('c')).toBe('queued');
  });

  it('is requeued while another failed one keeps the child canceled', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', after: ['p', 'q'] });
    await graph.claim();
    await graph.fail(['p', 'q']);
    await requeue('p');
    expect((await engine.store.read('c'))?.canceledBecauseOf).toBe('q');
    await requeue('q');
    expect(await graph.status('c')).toBe('deferred');
    await graph.finish(['p', 'q']);
    expect(await graph.status('c')).toBe('queued');
  });
});

describe('a child', () => {
  it.each(['cancel', 'delete'] as const)(
    'that goes by %s leaves its parents’ sets',
    async (type) => {
      await graph.add(
        { id: 'p' },
        { id: 'q' },
        { id: 'c', after: ['p', 'q'] },
        { id: 'd', after: ['c'] },
      );
      await (type === 'cancel' ? cancel('c') : remove('c'));
      expect(await engine.store.dependents('p')).toEqual([]);
      expect(await engine.client.keys('rq:job::c:*')).toEqual([]);
      expect(await graph.status('d')).toBe('canceled');
      await graph.finish(['p', 'q']);
      expect(await graph.status('c')).toBe(type === 'cancel' ? 'canceled' : 'missing');
    },
  );

  it('that was canceled because of a parent may be requeued by itself', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'c', after: ['p'] },
      { id: 'd', queue: 'other', after: ['c'] },
    );
    await graph.fail('p');
    await requeue('c');
    expect(await graph.statuses('c', 'd')).toEqual(['queued', 'deferred']);
    await graph.finish('c');
    await requeue('p');
    await graph.finish('p');
    expect(await graph.statuses('c', 'd')).toEqual(['finished', 'queued']);
  });

  it('that is not kept when it is canceled is deleted, and so are what waits for it canceled', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'c', after: ['p'], options: { failureTtl: 0 } },
      { id: 'd', after: ['c'] },
    );
    await graph.fail('p');
    expect(await graph.statuses('c', 'd')).toEqual(['missing', 'canceled']);
  });

  it('whose time to wait is over is gone, and what waits for it learns it from the sweep', async () => {
    await graph.add(
      { id: 'p' },
      { id: 'c', after: ['p'], options: { ttl: 60 } },
      { id: 'd', after: ['c'] },
    );
    expect(await engine.client.ttl('rq:job:c')).toBeGreaterThan(50);
    await engine.client.del('rq:job:c');
    await sweep();
    expect(await graph.statuses('c', 'd')).toEqual(['missing', 'canceled']);
    expect(await engine.client.zscore('rq:deferred:jobs', 'c')).toBeNull();
    expect(await engine.store.dependents('p')).toEqual([]);
  });

  it('tells its cancellation to those who wait for its result, and to listeners', async () => {
    await graph.add({ id: 'p' }, { id: 'c', queue: 'other', after: ['p'] });
    const heard: string[] = [];
    const stopEvents = await engine.store.onEvent('other', (event) => heard.push(event.type));
    const result = engine.queue('other').job('c').result({ timeout: 10 });
    await engine.client.sadd('rq:nrq:waiting:other', 'c');
    await graph.fail('p');
    await expect(result).rejects.toThrow('job p, which it waited for, failed');
    expect(heard).toEqual(['canceled']);
    stopEvents();
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
