// What becomes of a job that waits for others, row by row, when a parent ends, in whatever way, or the job itself. How it is
// stored is in dependencies-stored.spec.ts.
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

  it('is canceled and its dependents are released, another one that fails and is requeued changes nothing', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', queue: 'other', after: ['p', 'q'] });
    await control('p', { type: 'cancel', dependents: 'release' });
    await graph.fail('q');
    expect(await graph.status('c')).toBe('canceled');
    await requeue('q');
    expect(await graph.status('c')).toBe('deferred');
    await graph.finish('q');
    expect(await graph.status('c')).toBe('queued');
    expect(await graph.traces()).toEqual([]);
  });

  it('finishes while a child is canceled because of another one, it is handed the result when that is requeued', async () => {
    await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', queue: 'other', after: ['p', 'q'] });
    await graph.claim();
    await graph.fail('q');
    await graph.finish('p', 'jobs', '"kept"');
    await requeue('q');
    await remove('p');
    await graph.finish('q');
    expect(await graph.status('c')).toBe('queued');
    expect(await engine.store.handedResults('c', ['p'])).toEqual(['"kept"']);
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
    await eventually(() => heard.length > 0, { what: 'the event' });
    expect(heard).toEqual(['canceled']);
    stopEvents();
  });
});
