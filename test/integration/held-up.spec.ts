// What holds jobs up, as an operator sees it: why a job waits, what is used of which limit, what has waited for long.
import { SnoozeJob } from '../../lib/job/index.js';
import type { RqJob } from '../../lib/queue/index.js';
import { RqInspector } from '../../lib/observe/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { wholeOf } from './support/layout.js';

const engine = Engine.forThisFile();
const inspector = () => new RqInspector(wholeOf(engine.store));
const MINUTE = 60_000;

/** A handler that runs until it is released. */
function gate() {
  const started = deferred<string>();
  const release = deferred<void>();
  const run = async (_: unknown, { id }: { readonly id: string }) => {
    started.resolve(id);
    await release.promise;
  };
  return { run, started: started.promise, release: () => release.resolve() };
}

const why = async (job: RqJob) => (await job.waitsFor()).map(({ sentence }) => sentence);

/** It became ready so many milliseconds ago. */
const age = (job: RqJob, ms: number) =>
  engine.client.hset(`rq:job:${job.id}`, 'enqueued_at', new Date(Date.now() - ms).toISOString());

const heldUp = async () =>
  (await inspector().findings({ queues: ['jobs'] })).filter(({ code }) => code === 'held-up');

const stateOf = async (name = 'jobs') => (await inspector().overview({ queues: [name] })).queues[0];

describe('job.waitsFor()', () => {
  it('names the limits of its handler and key, with what is used of them', async () => {
    const { run, started, release } = gate();
    const key = (data: { key: string }) => data.key;
    await engine.work({ send: { key, concurrency: { total: 1, perKey: 1 }, run } });
    const queue = engine.queue();
    const first = await queue.enqueue('send', { key: 'a' }, { key: 'a' });
    expect(await started).toBe(first.id);
    const same = await queue.enqueue('send', {}, { key: 'a' });
    const other = await queue.enqueue('send', {}, { key: 'b' });
    expect(await same.waitsFor()).toMatchObject([
      { why: 'concurrency', scope: 'key', handler: 'send', key: 'a', used: 1, max: 1 },
      { why: 'concurrency', scope: 'handler', used: 1, max: 1, until: undefined },
    ]);
    expect(await why(other)).toEqual(['limit total 1 of 1 (handler send)']);
    expect(await first.waitsFor()).toEqual([]);
    release();
    await Promise.all([first, same, other].map((job) => job.result({ timeout: 20 })));
    expect(await other.waitsFor()).toEqual([]);
  }, 40_000);

  it('says until when a rate, or what a handler has put off, holds', async () => {
    const run = () => {
      throw new SnoozeJob({ for: '1h', scope: 'key' });
    };
    const worker = await engine.work({
      call: { rateLimit: { max: 1, per: '1h' }, run: () => 1 },
      rest: { key: () => 'a', run },
    });
    const queue = engine.queue();
    const [, second] = await queue.enqueueMany([{ name: 'call' }, { name: 'call' }]);
    await worker.events.waitFor('jobFinished');
    const [wait, ...others] = await (second as RqJob).waitsFor();
    expect(others).toEqual([]);
    expect(wait).toMatchObject({ why: 'rate', scope: 'handler', used: 1, max: 1, per: 3600 });
    expect(wait?.sentence).toBe('rateLimit 1 of 1 in 1h (handler call)');
    expect(wait?.until?.getTime()).toBeGreaterThan(Date.now() + 30 * MINUTE);

    await queue.enqueue('rest', {}, { key: 'a' });
    await eventually(async () => (await queue.limits()).some(({ from }) => from === 'snoozed'), {
      what: 'the key to be put off',
    });
    const later = await queue.enqueue('rest', {}, { key: 'a' });
    expect(await later.waitsFor()).toMatchObject([
      { why: 'snoozed', scope: 'key', key: 'a', until: expect.any(Date) },
    ]);
  });

  it('names a pause, a missing worker, and what an operator has set', async () => {
    const queue = engine.queue();
    await queue.setLimits({ concurrency: { total: 0 } });
    const job = await queue.enqueue('send');
    await queue.pause();
    expect(await why(job)).toEqual([
      'queue jobs to be resumed: it is paused',
      'limit total 0, by which nothing starts (queue jobs)',
      'a worker: none serves queue jobs',
    ]);
    await queue.setLimits({});
    await queue.resume();
    await engine.client.set('rq:suspended', '1');
    expect(await job.waitsFor()).toMatchObject([{ why: 'suspended' }, { why: 'worker' }]);
  });

  it('names its time, its parents, its group', async () => {
    await engine.work({ other: () => 1 });
    const queue = engine.queue();
    const later = await queue.enqueueIn('1h', 'send');
    const [time, ...others] = await later.waitsFor();
    expect(others).toEqual([]);
    expect(time).toMatchObject({ why: 'time', sentence: 'its time' });
    expect(time?.until?.getTime()).toBeGreaterThan(Date.now() + 30 * MINUTE);

    const done = await queue.enqueue('other', {}, { id: 'done' });
    await done.result({ timeout: 20 });
    const parent = await queue.enqueueIn('1h', 'send', {}, { id: 'parent', group: 'g' });
    const child = await queue.enqueue('other', {}, { dependsOn: [done, parent] });
    const last = await queue.enqueue('other', {}, { dependsOn: { group: 'g' } });
    expect(await child.waitsFor()).toMatchObject([
      { why: 'jobs', sentence: 'job parent (scheduled)', jobs: ['parent'] },
    ]);
    expect(await why(last)).toEqual(['group g: 1 job of it is not over']);
  });

  it('names the job for whose retry the others of its key wait', async () => {
    const worker = await engine.work({
      step: {
        key: () => 'a',
        strictOrder: true,
        retry: { max: 1, interval: '1h' },
        run: () => Promise.reject(new Error('not yet')),
      },
    });
    const queue = engine.queue();
    const first = await queue.enqueue('step', {}, { key: 'a' });
    await worker.events.waitFor('jobRetrying');
    const second = await queue.enqueue('step', {}, { key: 'a' });
    await eventually(async () => (await first.status()) === 'scheduled', { what: 'the retry' });
    expect(await second.waitsFor()).toMatchObject([
      { why: 'retry', scope: 'key', jobs: [first.id], until: expect.any(Date) },
    ]);
  });

  it('knows no job that is gone', async () => {
    await expect(engine.queue().job('nobody').waitsFor()).rejects.toThrow('"nobody"');
  });
});

describe('the overview', () => {
  it('tells for how long a limit has held up the oldest job, also in lanes', async () => {
    await engine.work({ send: { key: () => 'x', run: () => 1 }, plain: () => 1 });
    const queue = engine.queue();
    await queue.setLimits({ handler: 'send', key: 'a', concurrency: { perKey: 0 } });
    expect(await stateOf()).toMatchObject({ queued: 0, heldMs: undefined });
    const job = await queue.enqueue('send', {}, { key: 'a' });
    await age(job, 20 * MINUTE);
    const state = await stateOf();
    expect(state).toMatchObject({ queued: 1, mayStart: false, oldestMs: undefined });
    expect(state?.heldMs).toBeGreaterThanOrEqual(19 * MINUTE);
    await queue.setLimits({ handler: 'send', key: 'a' });
    await job.result({ timeout: 20 });
    expect(await stateOf()).toMatchObject({ queued: 0, heldMs: undefined });
  });

  it('tells so of a queue whose own limit is used up, and not of one that is just busy', async () => {
    const queue = engine.queue();
    const job = await queue.enqueue('send');
    await age(job, 20 * MINUTE);
    expect((await stateOf())?.heldMs).toBeUndefined();
    await queue.setLimits({ concurrency: { total: 0 } });
    expect((await stateOf())?.heldMs).toBeGreaterThanOrEqual(19 * MINUTE);
    expect(await stateOf()).toMatchObject({ mayStart: false });
  });
});

describe('findings', () => {
  it('name a limit that holds up jobs for longer than ten minutes, and how to raise it', async () => {
    const { run, started, release } = gate();
    await engine.work({ send: { concurrency: { total: 1 }, run } });
    const queue = engine.queue();
    const first = await queue.enqueue('send');
    await started;
    const jobs = await queue.enqueueMany([{ name: 'send' }, { name: 'send' }]);
    await age(jobs[0] as RqJob, 9 * MINUTE);
    expect(await heldUp()).toEqual([]);
    await age(jobs[0] as RqJob, 12 * MINUTE + 1000);
    expect(await heldUp()).toEqual([
      {
        severity: 'warning',
        code: 'held-up',
        queue: 'jobs',
        sentence: '2 jobs wait for limit total 1 of 1 (handler send), the oldest for 12 minutes',
        fix:
          'raise it: queue.setLimits({"handler":"send","concurrency":{"total":2}}), or on the dashboard; ' +
          'what runs: nestjs-rq jobs jobs --in started',
      },
    ]);
    release();
    await Promise.all([first, ...jobs].map((job) => job.result({ timeout: 20 })));
    expect(await heldUp()).toEqual([]);
  }, 40_000);

  it('put the keys of a handler together, and leave a rate its span', async () => {
    const worker = await engine.work({
      call: { rateLimit: { max: 1, per: '1h' }, run: () => 1 },
      send: { key: () => 'x', run: () => 1 },
    });
    const queue = engine.queue();
    await queue.setLimits({ handler: 'send', key: 'a', concurrency: { perKey: 0 } });
    await queue.setLimits({ handler: 'send', key: 'b', concurrency: { perKey: 0 } });
    const [, call] = await queue.enqueueMany([{ name: 'call' }, { name: 'call' }]);
    await worker.events.waitFor('jobFinished');
    await age(call as RqJob, 50 * MINUTE);
    for (const [key, minutes] of [
      ['a', 15],
      ['b', 20],
    ] as const) {
      await age(await queue.enqueue('send', {}, { key }), minutes * MINUTE + 1000);
    }
    expect(await heldUp()).toMatchObject([
      {
        sentence:
          '2 jobs wait for limit perKey 0, by which nothing starts (key b of handler send) and 1 more keys, the oldest for 20 minutes',
        fix: 'let it start as declared again: queue.setLimits({"handler":"send","key":"b"}), or on the dashboard',
      },
    ]);
    await age(call as RqJob, 70 * MINUTE + 1000);
    expect((await heldUp())[0]?.sentence).toBe(
      '1 job waits for rateLimit 1 of 1 in 1h (handler call), the oldest for 70 minutes',
    );
    expect((await heldUp())[0]?.fix).toContain('"rateLimit":{"max":2,"per":3600}');
  });
});

describe('inspector.limits()', () => {
  it('shows what is used of what, of queue, handlers and keys, and what is set', async () => {
    const { run, started, release } = gate();
    const send = { key: () => 'a', concurrency: { total: 5, perKey: 1 }, run };
    await engine.work({ send, plain: () => 1 });
    const queue = engine.queue();
    await queue.setLimits({ concurrency: { total: 100 } }, { for: '1h' });
    const first = await queue.enqueue('send', {}, { key: 'a' });
    await started;
    const second = await queue.enqueue('send', {}, { key: 'a' });
    const each = { handler: 'send', key: undefined };
    const waits = { waiting: 1, since: expect.any(Date) };
    expect(await inspector().limits()).toMatchObject([
      {
        queue: 'jobs',
        handler: undefined,
        limit: 'total',
        used: 1,
        max: 100,
        from: 'set',
        until: expect.any(Date),
      },
      { ...each, limit: 'total', used: 1, max: 5, isUsedUp: false, from: 'declared', ...waits },
      { ...each, limit: 'perKey', used: undefined, max: 1, isUsedUp: false },
      { handler: 'send', key: 'a', limit: 'perKey', used: 1, max: 1, isUsedUp: true, ...waits },
    ]);
    await queue.setLimits({ handler: 'send', concurrency: { perKey: 1 } });
    const perKey = (await inspector().limits()).filter(({ limit }) => limit === 'perKey');
    expect(perKey).toMatchObject([{ from: 'set' }, { key: 'a', from: 'set', until: undefined }]);
    release();
    await Promise.all([first, second].map((job) => job.result({ timeout: 20 })));
  }, 40_000);

  it('is empty where nothing limits', async () => {
    await engine.work({ send: () => 1 });
    await engine.queue().enqueue('send');
    expect(await inspector().limits()).toEqual([]);
  });
});

describe('queue.lanes()', () => {
  it('are read a part at a time, whatever comes before it', async () => {
    const queue = engine.queue();
    const jobs = Array.from({ length: 600 }, (_, n) => ({
      name: n < 300 ? 'one' : 'two',
      options: { key: String(n) },
    }));
    await queue.enqueueMany(jobs);
    const all = await queue.lanes({ limit: 1000 });
    expect(all).toHaveLength(600);
    expect(await queue.lanes({ offset: 298, limit: 4 })).toEqual(all.slice(298, 302));
    expect(await queue.lanes({ offset: 600 })).toEqual([]);
  });
});
