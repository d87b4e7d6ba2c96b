// What Python, or a lost write, leaves of jobs that wait is found by looking: the sweep of the child's queue puts it right.
import { Engine } from './support/engine.js';
import { Graph } from './support/graph.js';

const engine = Engine.forThisFile();
let graph: Graph;
beforeEach(() => {
  graph = new Graph(engine);
});

const recover = (queue: string) => engine.store.recover(queue, { maxCrashes: 3, leaseMs: 60_000 });
/** A turn of the sweep: in life, one worker takes one each ten seconds. */
async function sweep(queue = 'other'): Promise<void> {
  await engine.client.del(`rq:nrq:swept:${queue}`);
  await recover(queue);
}

const POLICIES = ['cancel', 'run', 'wait'] as const;
async function family(): Promise<void> {
  await graph.add(
    { id: 'p' },
    ...POLICIES.map((ifFailed) => ({ id: ifFailed, queue: 'other', after: ['p'], ifFailed })),
  );
  await graph.claim();
}
const children = () => graph.statuses(...POLICIES);

/** As Python writes the end of a job that it ran: it does not look at children of ours that it may not release. */
async function endedByPython(status: string, registry: string): Promise<void> {
  await engine.client.del('rq:wip:jobs');
  await engine.client.hset('rq:job:p', 'status', status);
  await engine.client.zadd(`rq:${registry}:jobs`, Date.now() / 1000 + 500, 'p');
}

it.each([
  ['finished', 'finished', ['queued', 'queued', 'queued']],
  ['failed', 'failed', ['canceled', 'queued', 'deferred']],
  ['stopped', 'failed', ['canceled', 'queued', 'deferred']],
  ['canceled', 'canceled', ['canceled', 'queued', 'deferred']],
])('of a parent that Python has %s', async (status, registry, expected) => {
  await family();
  await endedByPython(status, registry);
  await sweep();
  expect(await children()).toEqual(expected);
});

it('of a parent that Python has failed, and that is requeued: what was canceled waits again', async () => {
  await family();
  await endedByPython('failed', 'failed');
  await sweep();
  expect((await engine.store.read('cancel'))?.canceledBecauseOf).toBe('p');
  await engine.store.control('jobs', 'p', { type: 'requeue', front: false });
  expect(await children()).toEqual(['deferred', 'queued', 'deferred']);
});

it('of a parent that Python has deleted, or that has vanished', async () => {
  await family();
  await engine.client.del('rq:job:p', 'rq:job:p:dependents', 'rq:wip:jobs');
  await sweep();
  expect(await children()).toEqual(['canceled', 'queued', 'canceled']);
  expect((await engine.store.read('cancel'))?.reason).toBe('job p, which it waited for, is gone');
});

it('of one of several parents, so that it may vanish later', async () => {
  await graph.add({ id: 'p' }, { id: 'q' }, { id: 'c', queue: 'other', after: ['q', 'p'] });
  await graph.claim();
  await engine.client.zrem('rq:wip:jobs', ...(await engine.client.zrange('rq:wip:jobs', '0', '0')));
  await engine.client.hset('rq:job:p', 'status', 'finished');
  await sweep();
  expect(await engine.client.smembers('rq:job::c:dependencies')).toEqual(['q']);
  await engine.client.del('rq:job:p');
  await graph.finish('q');
  expect(await graph.status('c')).toBe('queued');
});

it('of a child whose sets are lost', async () => {
  await family();
  await engine.client.del(
    'rq:job:p:dependents',
    ...POLICIES.map((id) => `rq:job::${id}:dependencies`),
  );
  await sweep();
  expect(await children()).toEqual(['deferred', 'deferred', 'deferred']);
  await graph.finish('p');
  await sweep();
  expect(await children()).toEqual(['queued', 'queued', 'queued']);
});

/** A job that Python has stored, waiting. */
async function pythonChild(
  fields: Record<string, string> = {},
  createdAt = Date.now() - 120_000,
): Promise<void> {
  await engine.client
    .multi()
    .hset('rq:job:py', {
      status: 'deferred',
      origin: 'other',
      data: '["f",null,[],{}]',
      created_at: new Date(createdAt).toISOString(),
      success_callback_name: '',
      dependency_ids: '["p"]',
      dependency_id: 'p',
      ...fields,
    })
    .zadd('rq:deferred:other', Date.now() / 1000, 'py')
    .sadd('rq:job:p:dependents', 'py')
    .sadd('rq:job::py:dependencies', 'p')
    .exec();
}

describe('of a child of Python’s', () => {
  it('RQ’s rules hold: what is missing is met, a failed parent only when that is allowed', async () => {
    await graph.add({ id: 'p' });
    await graph.claim();
    await pythonChild();
    await endedByPython('failed', 'failed');
    await sweep();
    expect(await graph.status('py')).toBe('deferred');
    await engine.client.hset('rq:job:py', 'allow_dependency_failures', '1');
    await endedByPython('stopped', 'failed');
    await sweep();
    expect(await graph.status('py')).toBe('deferred');
    await endedByPython('failed', 'failed');
    await sweep();
    expect(await graph.status('py')).toBe('queued');
    await engine.client.del('rq:queue:other');
    await pythonChild();
    await engine.client.del('rq:job:p');
    await sweep();
    expect(await graph.status('py')).toBe('queued');
    expect(await graph.traces()).toEqual([]);
  });

  it('is left alone while it is young: Python registers before it decides', async () => {
    await pythonChild({}, Date.now() - 5000);
    await sweep();
    expect(await graph.status('py')).toBe('deferred');
  });
});

describe('when a job of ours ends', () => {
  it('a child of Python’s is released there and then, and finds the result in RQ’s stream', async () => {
    await graph.add({ id: 'p' });
    await graph.claim();
    await pythonChild();
    await graph.finish('p', 'jobs', '{"sum":[1,2,"äöü"]}');
    expect(await engine.places('py', 'other')).toEqual(['queue']);
    expect(await engine.store.results('p')).toMatchObject([
      { type: 'finished', value: { sum: [1, 2, 'äöü'] } },
    ]);
    expect(await engine.client.ttl('rq:results:p')).toBeGreaterThan(400);
    expect(await graph.traces()).toEqual([]);
  });

  it.each([
    ['failed', '1', 'queued'],
    ['failed', '0', 'deferred'],
    ['canceled', '1', 'deferred'],
  ])('%s, RQ’s rules hold (allowed: %s): %s', async (how, allowed, expected) => {
    await graph.add({ id: 'p' });
    await pythonChild({ allow_dependency_failures: allowed });
    if (how === 'failed') await graph.fail('p');
    else await engine.store.control('jobs', 'p', { type: 'cancel', dependents: 'end' });
    expect(await graph.status('py')).toBe(expected);
  });
});

describe('a child of Python’s in a queue that is new to the workers', () => {
  // So many that a worker asks by the queues that it knows whether anybody waits.
  const PARENTS = ['p', 'q', 'r', 's'];
  beforeEach(async () => {
    await graph.add(...PARENTS.map((id) => ({ id })));
    await graph.claim();
    await recover('jobs');
  });

  it('is released in the step that ends its parent', async () => {
    await pythonChild();
    await engine.client.sadd('rq:queues', 'rq:queue:other');
    await graph.finish(PARENTS);
    expect(await graph.status('py')).toBe('queued');
  });

  it('is found when Python registers the queue only after that, although no worker serves it', async () => {
    await pythonChild();
    await graph.finish(PARENTS);
    await engine.client.sadd('rq:queues', 'rq:queue:other');
    // The first learns of the queue; the next ones look at all that are new, in turn.
    for (let look = 0; look < 3; look += 1) await recover('jobs');
    expect(await graph.status('py')).toBe('queued');
  });
});

it('an id without a job leaves the registry, and who waits for it learns it', async () => {
  await graph.add(
    { id: 'p' },
    { id: 'c', queue: 'other', after: ['p'] },
    { id: 'd', after: ['c'] },
  );
  await engine.client.del('rq:job:c', 'rq:job::c:dependencies');
  await sweep();
  expect(await engine.client.zscore('rq:deferred:other', 'c')).toBeNull();
  expect(await graph.status('d')).toBe('canceled');
});

it('takes a turn each ten seconds only, whatever number of workers there is', async () => {
  await family();
  await recover('other');
  await endedByPython('finished', 'finished');
  await recover('other');
  expect(await children()).toEqual(['deferred', 'deferred', 'deferred']);
  expect(await engine.client.pttl('rq:nrq:swept:other')).toBeGreaterThan(5000);
  const { nextLook } = await recover('other');
  expect(nextLook).toBeLessThanOrEqual(10_000);
});

it('comes round to all entries of a long registry', async () => {
  await graph.add({ id: 'p' });
  await graph.claim();
  const ids = Array.from({ length: 3000 }, (_, index) => `c${index}`);
  for (let first = 0; first < ids.length; first += 500) {
    await graph.add(
      ...ids.slice(first, first + 500).map((id) => ({ id, queue: 'other', after: ['p'] })),
    );
  }
  await endedByPython('finished', 'finished');
  for (let turn = 0; turn < 3; turn += 1) await sweep();
  expect(await engine.client.llen('rq:queue:other')).toBe(3000);
  expect(await engine.client.zcard('rq:deferred:other')).toBe(0);
});
