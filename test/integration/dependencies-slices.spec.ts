// A job may have very many dependents: they are told in slices, each a call of its own. What is between two calls is
// whole, and goes on whoever comes by.
import { Engine } from './support/engine.js';
import { FAILURE, Graph } from './support/graph.js';
import { eventually } from '../support/wait.js';

const engine = Engine.forThisFile();
let graph: Graph;
beforeEach(() => {
  graph = new Graph(engine);
});

const COUNT = 1700;
const ids = Array.from({ length: COUNT }, (_, index) => `c${index}`);

/** A parent with many children, all in another queue. */
async function fanOut(options = {}): Promise<void> {
  await graph.add({ id: 'p', options });
  for (let first = 0; first < COUNT; first += 500) {
    await graph.add(
      ...ids.slice(first, first + 500).map((id) => ({ id, queue: 'other', after: ['p'], options })),
    );
  }
}

const size = (registry: string) =>
  registry === 'queue'
    ? engine.client.llen('rq:queue:other')
    : engine.client.zcard(`rq:${registry}:other`);
const all = (registry: string, count = COUNT) =>
  eventually(async () => (await size(registry)) === count, { what: `all in ${registry}` });

/** Stops what the store would do by itself, as if its process had been killed; gives how to let it go on. */
function killAfterEachCall(): () => void {
  const { dependencies } = engine.store as unknown as {
    dependencies: { goOn: (queue: string) => Promise<void> };
  };
  // The method is the class's: one of the object's own hides it.
  dependencies.goOn = () => Promise.resolve();
  return () => void Reflect.deleteProperty(dependencies, 'goOn');
}

it('a release takes as many calls as it needs, and none of them takes more than a slice', async () => {
  await fanOut();
  const revive = killAfterEachCall();
  await graph.finish('p');
  revive();
  const released = await size('queue');
  expect(released).toBeGreaterThan(0);
  expect(released).toBeLessThan(700);
  expect(await size('deferred')).toBe(COUNT - released);
  // The next exchange of any worker on that queue sees that something is left.
  await graph.claim();
  await all('queue');
  expect(new Set(await engine.client.lrange('rq:queue:other', 0, -1)).size).toBe(COUNT);
  await eventually(async () => (await graph.traces()).length === 0, { what: 'nothing to be left' });
});

it('goes on by the sweep of any worker', async () => {
  await fanOut();
  const revive = killAfterEachCall();
  await graph.finish('p');
  await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 60_000 });
  revive();
  expect(await size('queue')).toBe(COUNT);
  expect(await graph.traces()).toEqual([]);
});

it('a parent that is gone meanwhile has still finished', async () => {
  await fanOut({ resultTtl: 0 });
  const revive = killAfterEachCall();
  await graph.finish('p');
  expect(await graph.status('p')).toBe('missing');
  await engine.store.recover('other', { maxCrashes: 3, leaseMs: 60_000 });
  expect(await size('canceled')).toBe(0);
  await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 60_000 });
  revive();
  expect(await size('queue')).toBe(COUNT);
  expect((await engine.fields('c1699'))['nrq_parent:p']).toBe('1');
  expect(await graph.traces()).toEqual([]);
});

it('a new job of the parent’s name has nothing to do with what is left of the old one', async () => {
  await fanOut({ resultTtl: 0 });
  const revive = killAfterEachCall();
  await graph.finish('p');
  await graph.add({ id: 'p' }, { id: 'new', queue: 'third', after: ['p'] });
  revive();
  await graph.claim();
  await all('queue');
  expect(await graph.status('new')).toBe('deferred');
  await graph.finish('p');
  expect(await graph.status('new')).toBe('queued');
});

it('a requeue in the middle takes back what was canceled, and the rest waits on', async () => {
  await fanOut();
  const revive = killAfterEachCall();
  await graph.fail('p');
  expect(await size('canceled')).toBeLessThan(700);
  revive();
  await engine.store.control('jobs', 'p', { type: 'requeue', front: false });
  await all('deferred');
  await graph.claim();
  expect(await size('deferred')).toBe(COUNT);
  expect(await size('canceled')).toBe(0);
  await graph.finish('p');
  await all('queue');
});

describe('between two calls', () => {
  const MANY = 700;
  const children = ids.slice(0, MANY);
  const count = async () => [await size('queue'), await size('canceled'), await size('deferred')];
  /** Children of two parents, of whom the first has ended and not all have been told. */
  async function halfTold(end: () => Promise<unknown>, options = {}): Promise<() => void> {
    await graph.add({ id: 'p', options }, { id: 'q', queue: 'more' });
    await graph.add(...children.map((id) => ({ id, queue: 'other', after: ['p', 'q'] })));
    const revive = killAfterEachCall();
    await end();
    expect(await engine.client.exists('rq:nrq:ended:jobs')).toBe(1);
    return revive;
  }
  const release = () =>
    engine.store.control('jobs', 'p', { type: 'cancel', dependents: 'release' });
  const requeue = () => engine.store.control('more', 'q', { type: 'requeue', front: false });
  const goOn = async (queue: string) => {
    for (let call = 0; call < 3; call += 1) {
      await engine.store.recover(queue, { maxCrashes: 3, leaseMs: 60_000 });
    }
  };

  it('of a release, no look at a child takes the parent for one that was canceled', async () => {
    const revive = await halfTold(release);
    await goOn('other'); // the sweep
    await graph.finish('q', 'more');
    expect((await count())[1]).toBe(0);
    await goOn('more');
    await goOn('jobs');
    revive();
    expect(await count()).toEqual([MANY, 0, 0]);
    expect(await graph.traces()).toEqual([]);
  });

  it('of a release, children are canceled because of another parent: its requeue lets them run', async () => {
    const revive = await halfTold(release);
    await graph.fail('q', 'more');
    await goOn('more');
    await goOn('jobs');
    expect(await count()).toEqual([0, MANY, 0]);
    await requeue();
    await goOn('more');
    revive();
    expect(await count()).toEqual([0, 0, MANY]);
    await graph.finish('q', 'more');
    await all('queue', MANY);
    expect(await graph.traces()).toEqual([]);
  });

  it('of a success, children are canceled because of another parent: they have the result all the same', async () => {
    const revive = await halfTold(() => graph.finish('p', 'jobs', '"kept"'), { resultTtl: 0 });
    await graph.fail('q', 'more');
    await goOn('more');
    await goOn('jobs');
    expect(await graph.status('p')).toBe('missing');
    await requeue();
    await goOn('more');
    revive();
    await graph.finish('q', 'more');
    await all('queue', MANY);
    const handed = await Promise.all(children.map((id) => engine.store.handedResults(id, ['p'])));
    expect(new Set(handed.flat())).toEqual(new Set(['"kept"']));
  });
});

describe('children that are told together', () => {
  it('go where each of them says, and what is not theirs stays', async () => {
    const others = ids.slice(0, 40);
    const lone = (id: string, more = {}) => ({ id, queue: 'other', after: ['p'], ...more });
    await graph.add(
      { id: 'p', options: { resultTtl: 0 } },
      { id: 'q' },
      ...others.map((id) => lone(id)),
      lone('first', { options: { atFront: true } }),
      lone('high', { options: { priority: 'high' } }),
      lone('later', { options: { delay: 60 } }),
      lone('of-two', { after: ['p', 'q'] }),
      lone('elsewhere', { queue: 'third' }),
    );
    // One of Python's; one that was released already; one whose key holds something else.
    await engine.client
      .multi()
      .hset('rq:job:python', {
        created_at: '2026-01-01T00:00:00.000000Z',
        data: '["f",null,[],{}]',
        origin: 'other',
        status: 'deferred',
        dependency_ids: '["p"]',
        dependency_id: 'p',
      })
      .zadd('rq:deferred:other', '+inf', 'python')
      .sadd('rq:job::python:dependencies', 'p')
      .set('rq:job:nothing', 'x')
      .sadd('rq:job:p:dependents', 'python', 'nothing')
      .zrem('rq:deferred:other', 'c7')
      .exec();
    await graph.finish('p', 'jobs', '"given"');
    await eventually(async () => (await engine.client.exists('rq:nrq:ended:jobs')) === 0, {
      what: 'all to be told',
    });

    const queued = await engine.client.lrange('rq:queue:other', 0, -1);
    expect(queued[0]).toBe('first');
    const expected = [...others.filter((id) => id !== 'c7'), 'first', 'python'];
    expect(queued.toSorted()).toEqual(expected.toSorted());
    expect(await engine.client.lrange('rq:queue:other!high', 0, -1)).toEqual(['high']);
    expect(await engine.client.lrange('rq:queue:third', 0, -1)).toEqual(['elsewhere']);
    expect(await engine.client.zrange('rq:scheduled:other', '0', '-1')).toEqual(['later']);
    expect(await engine.client.zrange('rq:deferred:other', '0', '-1')).toEqual(['of-two']);
    for (const id of ['c0', 'first', 'high', 'later', 'of-two', 'elsewhere']) {
      expect(await engine.fields(id)).toMatchObject({ 'nrq_parent:p': '"given"' });
    }
    expect(await engine.fields('c0')).toMatchObject({ enqueued_at: expect.any(String) });
    await graph.finish('q');
    expect(await graph.status('of-two')).toBe('queued');
    expect(await graph.traces()).toEqual([]);
  });

  it('wait on where their queue cannot take them, and keep no others from theirs', async () => {
    const some = (queue: string) => ids.slice(0, 5).map((id) => ({ id: `${queue}-${id}`, queue }));
    const children = [...some('broken'), ...some('other')].map((job) => ({ ...job, after: ['p'] }));
    await graph.add({ id: 'p' }, ...children);
    await engine.client.set('rq:queue:broken', 'x');
    await graph.finish('p');
    expect(await size('queue')).toBe(5);
    expect(await engine.client.zcard('rq:deferred:broken')).toBe(5);
    await engine.client.del('rq:queue:broken', 'rq:nrq:swept:broken');
    await engine.store.recover('broken', { maxCrashes: 3, leaseMs: 60_000 });
    expect(await engine.client.llen('rq:queue:broken')).toBe(5);
    expect(await graph.traces()).toEqual([]);
  });

  it('are all told although what was noted of the way through them means nothing', async () => {
    await fanOut();
    const revive = killAfterEachCall();
    await graph.finish('p');
    // As for a Redis that was started again: its places in a set are others.
    const [key, note] = Object.entries(await engine.client.hgetallBuffer('rq:nrq:ended:jobs'))[0]!;
    const text = note.toString('latin1');
    const cursor = /^(.*?finished.)(\d+)/s.exec(text)![2]!;
    expect(cursor).not.toBe('0');
    const spoilt = text.replace(cursor, '1'.padEnd(cursor.length, '0'));
    await engine.client.hset('rq:nrq:ended:jobs', key, Buffer.from(spoilt, 'latin1'));
    revive();
    await graph.claim();
    await all('queue');
    await eventually(async () => (await graph.traces()).length === 0, { what: 'nothing left' });
    expect(new Set(await engine.client.lrange('rq:queue:other', 0, -1)).size).toBe(COUNT);
  });
});

describe('more new children of a parent that has failed than a call can tell', () => {
  const addChildren = () => graph.add(...ids.slice(0, 1000).map((id) => ({ id, after: ['p'] })));
  beforeEach(async () => {
    await graph.add({ id: 'p', queue: 'parents' });
    await graph.fail('p', 'parents');
  });
  const canceled = () => engine.client.zcard('rq:canceled:jobs');

  it('are all canceled when the call is answered', async () => {
    await addChildren();
    expect(await canceled()).toBe(1000);
    expect(await graph.traces()).toEqual(['rq:job:p:dependents']);
  });

  it('are told by an idle worker when their producer is killed', async () => {
    // It has looked after the queue, and waits for a job.
    await engine.client.set('rq:nrq:swept:parents', '1', 'PX', 600_000);
    const handlers = [{ name: 'none', queue: 'parents', run: () => 1 }];
    await engine.work(handlers, { lease: 600 });
    const isIdle = async () =>
      (await engine.client.exists('rq:nrq:alive:parents')) === 1 &&
      /^blocked_clients:1\r$/m.test(await engine.client.info('clients'));
    await eventually(isIdle, { what: 'the worker to wait' });
    const revive = killAfterEachCall();
    await addChildren();
    revive();
    await eventually(async () => (await canceled()) === 1000, { what: 'all to be canceled' });
  });
});

it.each([
  ['is stopped', () => graph.settle('p', { type: 'stopped', failure: FAILURE })],
  ['is canceled', () => engine.store.control('jobs', 'p', { type: 'cancel', dependents: 'end' })],
  ['is deleted', () => engine.store.control('jobs', 'p', { type: 'delete', dependents: 'end' })],
  ['is emptied away', () => engine.store.empty('jobs')],
])('a parent that %s cancels all', async (_, end) => {
  await fanOut();
  await end();
  await all('canceled');
  expect(await size('deferred')).toBe(0);
});

it('a chain is canceled down to its end', async () => {
  const chain = Array.from({ length: 1200 }, (_, index) => ({
    id: `n${index}`,
    after: index === 0 ? ['p'] : [`n${index - 1}`],
  }));
  await graph.add({ id: 'p' });
  for (let first = 0; first < chain.length; first += 400) {
    await graph.add(...chain.slice(first, first + 400));
  }
  await graph.fail('p');
  await eventually(async () => (await graph.status('n1199')) === 'canceled', { what: 'the last' });
  expect(await engine.client.zcard('rq:deferred:jobs')).toBe(0);
  await engine.store.control('jobs', 'p', { type: 'requeue', front: false });
  await eventually(async () => (await graph.status('n1199')) === 'deferred', { what: 'the last' });
  expect(await engine.client.zcard('rq:deferred:jobs')).toBe(1200);
});

describe('a child that cannot be moved', () => {
  it.each([
    [
      'whose key holds something else',
      () => engine.client.multi().del('rq:job:bad').set('rq:job:bad', 'x').exec(),
    ],
    ['without a queue', () => engine.client.hdel('rq:job:bad', 'origin')],
    ['whose queue is no list', () => engine.client.set('rq:queue:broken', 'x')],
    [
      'whose registry is none',
      () => engine.client.multi().del('rq:deferred:broken').set('rq:deferred:broken', 'x').exec(),
    ],
    [
      'whose set of parents is none',
      () =>
        engine.client
          .multi()
          .del('rq:job::bad:dependencies')
          .set('rq:job::bad:dependencies', 'x')
          .exec(),
    ],
    [
      'whose fields are nonsense',
      () =>
        engine.client.hset('rq:job:bad', {
          dependency_ids: '{',
          dependency_id: '',
          nrq_delay: 'in:x',
        }),
    ],
  ])('%s never fails its parent, nor keeps the others', async (_, spoil) => {
    await graph.add(
      { id: 'p' },
      { id: 'before', after: ['p'] },
      { id: 'bad', queue: 'broken', after: ['p', 'q'] },
      { id: 'behind', after: ['p'] },
    );
    await spoil();
    await graph.finish('p');
    expect(await graph.statuses('p', 'before', 'behind')).toEqual(['finished', 'queued', 'queued']);
    expect(await engine.client.exists('rq:job:p:dependents')).toBe(0);
  });

  it('of which the parent’s set is none does not keep the parent from its end', async () => {
    await graph.add({ id: 'p' }, { id: 'c', after: ['p'] });
    await engine.client.multi().del('rq:job:p:dependents').set('rq:job:p:dependents', 'x').exec();
    await graph.finish('p');
    expect(await graph.statuses('p', 'c')).toEqual(['finished', 'deferred']);
    await engine.client.del('rq:nrq:swept:jobs');
    await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 60_000 });
    expect(await graph.status('c')).toBe('queued');
  });

  it('whose queue is mended later is released by the sweep', async () => {
    await graph.add({ id: 'p' }, { id: 'c', queue: 'broken', after: ['p'] });
    await engine.client.set('rq:queue:broken', 'x');
    await graph.finish('p');
    expect(await graph.status('c')).toBe('deferred');
    await engine.client.del('rq:queue:broken', 'rq:nrq:swept:broken');
    await engine.store.recover('broken', { maxCrashes: 3, leaseMs: 60_000 });
    expect(await graph.status('c')).toBe('queued');
  });
});
