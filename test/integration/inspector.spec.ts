// What the inspector shows is what happened: counts of several workers, depth of the retry queue, workers, failures by
// cause; and what it does to many jobs can be tried, slowed, followed and ended.
import { RqInspector, connectInspector } from '../../lib/observe/index.js';
import type { JobSummary } from '../../lib/wire/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { LAYOUT } from './support/layout.js';

const engine = Engine.forThisFile();
const inspector = () => new RqInspector(engine.store);

async function all(found: AsyncIterable<JobSummary>): Promise<JobSummary[]> {
  const jobs: JobSummary[] = [];
  for await (const job of found) jobs.push(job);
  return jobs;
}

const failing = (count: number, message = (index: number) => `no answer from ${index}`) => {
  let index = 0;
  return {
    handler: () => Promise.reject(new RangeError(message((index += 1)))),
    enqueue: () =>
      engine.queue().enqueueMany(Array.from({ length: count }, () => ({ name: 'boom', data: 1 }))),
  };
};

async function failed(count: number): Promise<void> {
  await eventually(async () => (await engine.queue().counts()).failed === count, {
    what: `${count} failed jobs`,
    timeout: 20_000,
  });
}

describe('history', () => {
  it('has exactly what several workers did, to the last job', async () => {
    const once = new Set<unknown>();
    const handlers = {
      ok: () => 1,
      boom: () => Promise.reject(new Error('always')),
      again: (id: unknown) => {
        if (once.has(id)) return 1;
        once.add(id);
        throw new Error('the first time');
      },
    };
    const workers = [];
    for (let index = 0; index < 4; index += 1) {
      workers.push(await engine.work(handlers, { concurrency: 5 }));
    }
    const queue = engine.queue();
    const jobs = Array.from({ length: 300 }, (_, index) => {
      if (index % 3 === 0) return { name: 'ok', data: index };
      if (index % 3 === 1) return { name: 'boom', data: index };
      return { name: 'again', data: index, options: { retry: { max: 1, interval: 0 } } };
    });
    await queue.enqueueMany(jobs);
    await eventually(
      async () => {
        const { finished, failed: broken } = await queue.counts();
        return finished === 200 && broken === 100;
      },
      { what: 'all jobs to end' },
    );
    await Promise.all(workers.map((worker) => worker.stop()));

    for (const last of ['1h', '1d', '30d']) {
      const { total, jobs: names, points } = await inspector().history('jobs', { last });
      expect(total).toMatchObject({ finished: 200, failed: 100, retrying: 100, attempts: 400 });
      expect(total.run.count).toBe(400);
      expect(total.wait.count).toBe(400);
      expect(Object.fromEntries(names.map(({ name, attempts }) => [name, attempts]))).toEqual({
        ok: 100,
        boom: 100,
        again: 200,
      });
      expect(points.some(({ sample }) => sample !== undefined)).toBe(true);
    }
    const { total } = await inspector().history('jobs', { job: 'again' });
    expect(total).toMatchObject({ finished: 100, retrying: 100, failed: 0 });
    const keys = await engine.client.keys('rq:nrq:stats:jobs:*');
    for (const key of keys) expect(await engine.client.ttl(key)).toBeGreaterThan(0);
  });

  it('is not kept by a worker that shall not', async () => {
    const worker = await engine.work({ ok: () => 1 }, { history: false });
    await engine.queue().enqueue('ok');
    await worker.events.waitFor('jobFinished');
    await worker.stop();
    expect(await engine.client.keys('rq:nrq:stats:*')).toEqual([]);
    expect((await inspector().history('jobs')).total.attempts).toBe(0);
  });

  it.each([{ last: '91d' }, { last: 0 }, { last: 'soon' }])(
    'is not given for %j',
    async (options) => {
      await expect(inspector().history('jobs', options)).rejects.toThrow(/last/);
    },
  );
});

describe('overview', () => {
  it('tells how queues stand, who serves them, and what needs a human', async () => {
    const gate = deferred();
    await engine.work({ slow: () => gate.promise }, { concurrency: 2, name: 'w1' });
    await engine.queue().enqueueMany(Array.from({ length: 3 }, () => ({ name: 'slow' })));
    await engine.queue('lonely').enqueue('slow');
    const id = (await engine.queue('lonely').jobs())[0]?.id ?? '';
    const early = new Date(Date.now() - 3_600_000).toISOString();
    await engine.client.hset(`rq:job:${id}`, 'created_at', early, 'enqueued_at', early);
    const { queues, troubles } = await eventually(
      async () => {
        const found = await inspector().overview();
        return found.queues[0]?.started === 2 && found.workers[0]?.busy === 2 && found;
      },
      { what: 'two jobs to run and to be shown' },
    );
    expect(queues).toMatchObject([
      { queue: 'jobs', queued: 1, started: 2, workers: 1, slots: 2, paused: false },
      { queue: 'lonely', queued: 1, started: 0, workers: 0, slots: 0 },
    ]);
    expect(queues[0]?.oldestMs).toBeLessThan(60_000);
    expect(queues[1]?.oldestMs).toBeGreaterThan(3_500_000);
    expect(troubles).toEqual([
      { queue: 'lonely', code: 'no-worker', sentence: '1 job waits, and no worker serves it' },
    ]);
    const [worker] = await inspector().workers();
    expect(worker).toMatchObject({
      name: 'w1',
      queues: ['jobs'],
      kind: 'node',
      isAlive: true,
      slots: 2,
      running: [
        { name: 'slow', queue: 'jobs' },
        { name: 'slow', queue: 'jobs' },
      ],
    });
    expect(worker?.rss).toBeGreaterThan(1e6);
    await engine.queue('lonely').pause();
    expect((await inspector().overview({ queues: ['lonely'] })).troubles).toMatchObject([
      { code: 'paused' },
    ]);
    gate.resolve();
  });

  it('counts the slots of each queue, not those of the whole worker', async () => {
    const run = () => undefined;
    const handlers = ['one', 'two', 'three'].map((queue) => ({ queue, name: 'job', run }));
    await engine.work(handlers, {
      name: 'parallel',
      concurrency: 10,
      queues: ['one', 'two', { name: 'three', concurrency: 4 }],
    });
    const slots = async () => {
      const { queues } = await inspector().overview({ queues: ['one', 'two', 'three'] });
      return queues.map((state) => state.slots);
    };
    expect(await slots()).toEqual([10, 10, 4]);
    expect(await inspector().workers()).toMatchObject([
      { slots: 24, queueSlots: { one: 10, two: 10, three: 4 } },
    ]);
    await engine.work(handlers, {
      name: 'ordered',
      concurrency: 5,
      order: 'ordered',
      queues: ['one', 'two', 'three'],
    });
    expect(await slots()).toEqual([15, 15, 9]);
    // One of a version before, which has told of the whole alone, and one of Python.
    const beat = { last_heartbeat: new Date().toISOString(), queues: 'one,two,three' };
    await engine.client.hset('rq:worker:before', { ...beat, nrq_version: '0.1.0', nrq_slots: 60 });
    await engine.client.hset('rq:worker:python', { ...beat, version: '2.12.0' });
    await engine.client.sadd('rq:workers', 'rq:worker:before', 'rq:worker:python');
    expect(await slots()).toEqual([36, 36, 30]);
  });

  it.each([
    ['alone', 0],
    ['behind some that were put in front of it, in one step', 4],
  ])('tells for how long the oldest job has waited: %s', async (_, inFront) => {
    const queue = engine.queue('lonely');
    const { id } = await queue.enqueue('slow');
    const early = new Date(Date.now() - 3_600_000).toISOString();
    await engine.client.hset(`rq:job:${id}`, 'created_at', early, 'enqueued_at', early);
    await queue.enqueueMany([
      ...Array.from({ length: 2 }, () => ({ name: 'slow' })),
      ...Array.from({ length: inFront }, () => ({ name: 'slow', options: { atFront: true } })),
    ]);
    const { queues } = await inspector().overview();
    expect(queues[0]?.queued).toBe(3 + inFront);
    expect(queues[0]?.oldestMs).toBeGreaterThanOrEqual(3_500_000);
    expect(queues[0]?.oldestMs).toBeLessThan(3_700_000);
  });

  it('tells how many wait for a retry, and what is overdue', async () => {
    const { handler, enqueue } = failing(3);
    const worker = await engine.work({ boom: { run: handler } });
    const queue = engine.queue();
    const retry = { max: 1, interval: 600 };
    for (let index = 0; index < 3; index += 1) await queue.enqueue('boom', 1, { retry });
    await queue.enqueueIn(6000, 'boom');
    await worker.events.waitFor('jobRetrying', 3);
    await worker.stop();
    const state = async () => (await inspector().overview({ queues: ['jobs'] })).queues[0];
    expect(await state()).toMatchObject({ scheduled: 4, retrying: 3, overdue: 0, overdueMs: 0 });
    const [first, second] = await queue.jobs('scheduled');
    await queue.job(first?.id ?? '').promote();
    await queue.job(second?.id ?? '').cancel();
    expect(await state()).toMatchObject({ scheduled: 2, retrying: 1 });
    // Its time comes, and nobody is there.
    const past = Date.now() / 1000 - 120;
    for (const key of ['scheduled', 'nrq:retrying']) {
      const [id = ''] = await engine.client.zrange(`rq:${key}:jobs`, '0', '0');
      await engine.client.zadd(`rq:${key}:jobs`, past, id);
    }
    expect(await state()).toMatchObject({ scheduled: 2, retrying: 0, overdue: 1 });
    expect((await inspector().overview()).troubles).toMatchObject([
      { code: 'no-worker' },
      { code: 'overdue' },
    ]);
    await enqueue();
  });

  it('that is looked at live has workers show themselves more often', async () => {
    await inspector().overview({ live: true });
    expect(await engine.client.pttl('rq:nrq:viewed')).toBeGreaterThan(10_000);
    await inspector().overview();
  });

  it('survives what strangers wrote', async () => {
    await engine.client.sadd('rq:workers', 'rq:worker:gone', 'rq:worker:odd', 'rq:worker:text');
    await engine.client.hset(
      'rq:worker:odd',
      'queues',
      'jobs',
      'nrq_running',
      '{',
      'nrq_slots',
      'x',
      'nrq_queue_slots',
      '-1',
    );
    await engine.client.set('rq:worker:text', 'no hash');
    await engine.client.sadd('rq:queues', 'rq:queue:jobs');
    await engine.client.set('rq:queue:jobs', 'no list');
    const { queues, workers } = await inspector().overview();
    expect(queues).toMatchObject([{ queue: 'jobs', queued: 0, workers: 0 }]);
    expect(workers).toMatchObject([{ name: 'odd', kind: 'python', isAlive: false, running: [] }]);
  });
});

describe('failures', () => {
  it('stand together by cause, and the cause selects them', async () => {
    const one = failing(5);
    const queue = engine.queue();
    await engine.work({
      boom: { run: one.handler },
      crash: () => Promise.reject(new TypeError('x is not a function')),
    });
    await one.enqueue();
    await queue.enqueueMany([{ name: 'crash' }, { name: 'crash' }]);
    await failed(7);
    const { groups, looked, total, isComplete } = await inspector().failures();
    expect({ looked, total, isComplete }).toEqual({ looked: 7, total: 7, isComplete: true });
    expect(groups).toMatchObject([
      { queue: 'jobs', name: 'boom', error: 'RangeError', message: 'no answer from #', count: 5 },
      { queue: 'jobs', name: 'crash', error: 'TypeError', count: 2 },
    ]);
    const [{ cause, sample, first, last }] = groups as [(typeof groups)[number]];
    expect(sample).toMatchObject({ cause, name: 'boom' });
    expect(first?.getTime()).toBeLessThanOrEqual(last?.getTime() ?? 0);
    expect((await inspector().failures({ budget: 3 })).isComplete).toBe(false);
    // The budget is spent with the last of them.
    expect((await inspector().failures({ budget: 7 })).isComplete).toBe(true);

    expect(await inspector().delete('jobs', { in: 'failed', cause }, { dryRun: true })).toEqual({
      count: 5,
    });
    expect(await queue.delete({ in: 'failed', error: 'not a function' })).toMatchObject({
      done: 2,
    });
    const operation = inspector().delete('jobs', { in: 'failed', cause });
    expect(await operation.report()).toMatchObject({ done: 5 });
    expect((await queue.counts()).failed).toBe(0);
  });

  it('of Python have a cause, too', async () => {
    const queue = engine.queue();
    const { id } = await queue.enqueue('tasks.add');
    await engine.client
      .multi()
      .del('rq:queue:jobs')
      .hset(`rq:job:${id}`, 'status', 'failed', 'exc_info', 'Traceback\n  File "x"\nValueError: 17')
      .zadd('rq:failed:jobs', Date.now() / 1000 + 600, id)
      .exec();
    const { groups } = await inspector().failures({ queue: 'jobs' });
    expect(groups).toMatchObject([
      { name: 'tasks.add', error: 'ValueError', message: '#', count: 1 },
    ]);
    const cause = groups[0]?.cause ?? '';
    expect(await all(inspector().search({ in: 'failed', cause }))).toMatchObject([{ id }]);
  });
});

describe('search', () => {
  it('finds by name, error and time, the newest first, within its budget', async () => {
    const queue = engine.queue();
    const ids: string[] = [];
    for (let index = 0; index < 450; index += 1) ids.push(`job${index}`);
    await queue.enqueueMany(ids.map((id) => ({ name: 'x', options: { id } })));
    await queue.enqueue('special', undefined, { id: 'last' });
    await queue.cancel({ in: 'queued', limit: 440 });
    const found = inspector().search({ in: 'canceled' }, { budget: 300 });
    const jobs = await all(found);
    expect(jobs).toHaveLength(300);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(300);
    expect(found).toMatchObject({ looked: 300, total: 440, isComplete: false });
    expect(await all(inspector().search({ in: 'queued', name: 'special' }))).toMatchObject([
      { id: 'last', queue: 'jobs' },
    ]);
    expect(await all(inspector().search({ in: 'queued', limit: 2 }))).toMatchObject([
      { id: 'job440' },
      { id: 'job441' },
    ]);
    const later = new Date(Date.now() + 60_000);
    expect(await all(inspector().search({ in: 'canceled', after: later }))).toEqual([]);
    const stop = new AbortController();
    const stopped = inspector().search({ in: 'canceled' }, { signal: stop.signal });
    for await (const _ of stopped) stop.abort();
    expect(stopped.isComplete).toBe(false);
    expect(await all(inspector().search({ in: 'queued', queue: 'other' }))).toEqual([]);
    expect(() => inspector().search({ in: 'gone' as never })).toThrow(/in/);
    expect((await inspector().job('last'))?.queue).toBe('jobs');
    expect(await inspector().job('nobody')).toBeUndefined();
  });
});

describe('an operation', () => {
  const fill = async (count: number) => {
    const jobs = Array.from({ length: count }, () => ({ name: 'x', options: { delay: 600 } }));
    await engine.queue().enqueueMany(jobs);
  };

  it('can be tried first', async () => {
    await fill(3);
    const tried = await inspector().cancel('jobs', { in: 'scheduled', limit: 2 }, { dryRun: true });
    expect(tried).toEqual({ count: 2 });
    const named = { in: 'scheduled', name: 'y' } as const;
    expect(await inspector().delete('jobs', named, { dryRun: true })).toEqual({ count: 0 });
    expect(await inspector().delete('jobs', ['a', 'b'], { dryRun: true })).toEqual({ count: 0 });
    expect((await engine.queue().counts()).scheduled).toBe(3);
  });

  it('keeps to its rate, shows how far it is, and can be canceled', async () => {
    await fill(1000);
    const operation = inspector().cancel('jobs', { in: 'scheduled' }, { rate: 100 });
    const { total } = await eventually(
      () =>
        operation.progress.done > 0 && operation.progress.total !== undefined && operation.progress,
      { what: 'some jobs to be canceled' },
    );
    expect(total).toBe(1000);
    operation.cancel();
    const { done } = await operation.report();
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(1000);
    expect(await engine.queue().counts()).toMatchObject({ scheduled: 1000 - done, canceled: done });
    const rest = await inspector().cancel('jobs', { in: 'scheduled' }).report();
    expect(rest.done).toBe(1000 - done);
    const again = inspector().requeue('jobs', { in: 'canceled' });
    expect(await again.report()).toMatchObject({ done: 1000 });
    const promoted = inspector().promote('jobs', { in: 'scheduled' }, { dryRun: true });
    expect(await promoted).toEqual({ count: 0 });
  });

  it.each([{ rate: 0 }, { rat: 1 }])('is refused with %j', (options) => {
    expect(() => inspector().cancel('jobs', { in: 'scheduled' }, options as never)).toThrow(/rat/);
  });
});

it('an inspector of its own connects, and says nothing of where', async () => {
  const layout = LAYOUT === 'cluster' ? ({ layout: 'cluster' } as const) : {};
  const own = await connectInspector(engine.connection(), { prefix: 'rq:', ...layout });
  await own.queue('jobs').enqueue('x');
  expect(await own.names()).toEqual(['jobs']);
  expect(JSON.stringify(own)).toBe('{}');
  await own.close();
  await expect(
    connectInspector('redis://u:secret@127.0.0.1:1', { connectTimeout: 0.2 }),
  ).rejects.toThrow(/^(?!.*secret)/s);
  await expect(connectInspector('redis://x', { prefx: 'a' } as never)).rejects.toThrow(/prefx/);
});

it('an overview asks little of Redis, whatever the number of queues', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `queue-${index}`);
  const asked = async () => {
    await engine.client.config('RESETSTAT');
    await engine.store.figures.overview(names);
    const stats = await engine.client.info('commandstats');
    const calls = [...stats.matchAll(/^cmdstat_(\w+)(?:\|\w+)?:calls=(\d+)/gm)];
    const own = calls.filter(([, name]) => !/^(eval|evalsha|info|config|script)$/.test(name ?? ''));
    return own.reduce((sum, [, , count]) => sum + Number(count), 0) / names.length;
  };
  // Its script is there from the second call on.
  await asked();
  expect(await asked()).toBeLessThan(7);
  for (const name of names) {
    const jobs = Array.from({ length: 20 }, () => ({ name: 'send' }));
    await engine.queue(name).enqueueMany(jobs);
  }
  expect(await asked()).toBeLessThan(18);
});
