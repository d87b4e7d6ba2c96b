// Jobs that are unique by what they are about: one of them is enough. What holds the key, and what lets it go. What else a
// second call may do is in unique-second-call.spec.ts.
import {
  InvalidOptionError,
  type UniqueOptions,
  resolveDefaults,
  resolveJobOptions,
} from '../../lib/job/index.js';
import type { NewJob } from '../../lib/store/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { BY, uniqueJobs } from './support/unique-jobs.js';

const engine = Engine.forThisFile();
const { unique, dataOf, keys, stored, blockedWorker } = uniqueJobs(engine);

describe('while one waits or runs', () => {
  it('no second one is stored: its handle is given', async () => {
    const first = await unique(1);
    const second = await unique(2, {}, { delay: 60, atFront: true });

    expect([first.isNew, second.isNew]).toEqual([true, false]);
    expect(second.id).toBe(first.id);
    expect(await dataOf(second)).toBe(1);
    expect(await stored()).toBe(1);
  });

  it('also while it is scheduled, runs, and waits for a retry', async () => {
    const first = await unique(1, {}, { delay: '100ms', retry: { max: 1, interval: 60 } });
    expect((await unique(2)).id).toBe(first.id);

    const gate = deferred();
    const worker = await engine.work({ f: () => gate.promise });
    await worker.events.waitFor('jobStarted');
    expect((await unique(3)).id).toBe(first.id);

    gate.reject(new Error('boom'));
    await worker.events.waitFor('jobRetrying');
    expect((await unique(4)).id).toBe(first.id);
    expect(await stored()).toBe(1);
  });

  it.each(['finished', 'failed', 'canceled', 'stopped', 'deleted', 'emptied'] as const)(
    'a new one follows one that was %s',
    async (how) => {
      const first = await unique(1);
      if (how === 'canceled') await first.cancel();
      else if (how === 'deleted') await first.delete();
      else if (how === 'emptied') await engine.queue().empty();
      else {
        const gate = deferred();
        const worker = await engine.work({ f: () => gate.promise });
        await worker.events.waitFor('jobStarted');
        if (how === 'stopped') await first.stop();
        else if (how === 'failed') gate.reject(new Error('boom'));
        else gate.resolve();
        await first.result({ timeout: 5 }).catch(() => undefined);
        await worker.stop();
      }
      expect(await keys()).toEqual({});

      const second = await unique(2);
      expect(second.isNew).toBe(true);
      expect(second.id).not.toBe(first.id);
      expect(await keys()).toEqual({ [`by:${BY}`]: second.id });
    },
  );

  it('a new one follows one whose time to live is over, or that vanished otherwise', async () => {
    const first = await unique(1, {}, { ttl: 1 });
    await engine.client.del(`rq:job:${first.id}`);
    expect((await unique(2)).isNew).toBe(true);
  });

  it('the job is the truth: what the key says of a job that is not there, not unique or lost is void', async () => {
    const other = await engine.queue().enqueue('f');
    for (const id of ['nobody', other.id, 'no id']) {
      await engine.client.hset('rq:nrq:unique:jobs', `by:${BY}`, id);
      const job = await unique(id);
      expect(job.isNew).toBe(true);
      await job.delete();
    }
    const lost = await unique('lost');
    await engine.queue().empty();
    await engine.client.hset(`rq:job:${lost.id}`, { status: 'started', data: '["f",null,[],{}]' });
    await engine.client.hset(`rq:job:${lost.id}`, 'nrq_unique', `ended by:${BY}`);
    await engine.client.hset('rq:nrq:unique:jobs', `by:${BY}`, lost.id);
    expect((await unique('new')).isNew).toBe(true);
  });

  it('a job that ends does not free the key of the one that took its place', async () => {
    const worker = await blockedWorker();
    const first = await unique(1);
    await worker.events.waitFor('jobStarted');
    const second = await unique(2, { until: 'started' });
    expect(second.isNew).toBe(true);
    await worker.events.waitFor('jobStarted', 2);
    worker.gate.resolve('done');
    await first.result({ timeout: 5 });
    await second.result({ timeout: 5 });
    expect(await keys()).toEqual({});
  });

  it('is of one queue, and says nothing of jobs without it', async () => {
    const other = { unique: { by: BY } };
    const jobs = await Promise.all([
      unique(1),
      engine.queue('others').enqueue('f', 1, other),
      engine.queue().enqueue('f', 1),
      engine.queue().enqueue('f', 1, { unique: { by: 'user-18' } }),
    ]);
    expect(jobs.map(({ isNew }) => isNew)).toEqual([true, true, true, true]);
  });

  it('in one call to Redis as in several', async () => {
    const jobs = await Promise.all([unique(1), unique(2), engine.queue().enqueue('f'), unique(3)]);
    expect(jobs.map(({ isNew }) => isNew)).toEqual([true, false, true, false]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(2);

    const many = await engine
      .queue()
      .enqueueMany([
        { name: 'f', options: { unique: { by: 'a' } } },
        { name: 'f', options: { unique: { by: BY } } },
        { name: 'f' },
        { name: 'f', options: { unique: { by: 'a' } } },
      ]);
    expect(many.map(({ isNew }) => isNew)).toEqual([true, false, true, false]);
    expect(many[1]?.id).toBe(jobs[0]?.id);
    expect(many[3]?.id).toBe(many[0]?.id);
  });

  it('with an id of the caller’s own, which comes first', async () => {
    const first = await unique(1, {}, { id: 'mine' });
    expect(await unique(2, {}, { id: 'mine' })).toMatchObject({ id: 'mine', isNew: false });
    expect(await unique(3, {}, { id: 'other' })).toMatchObject({ id: 'mine', isNew: false });
    expect(first.isNew).toBe(true);
    expect(await engine.client.exists('rq:job:other')).toBe(0);
  });
});

describe('by name and data', () => {
  it('as JSON: the order of keys is of no account', async () => {
    const queue = engine.queue();
    const enqueue = (name: string, data: unknown) => queue.enqueue(name, data, { unique: {} });
    const first = await enqueue('f', { a: 1, b: [{ c: 2, d: 3 }] });

    expect((await enqueue('f', { b: [{ d: 3, c: 2 }], a: 1 })).id).toBe(first.id);
    expect((await enqueue('g', { a: 1, b: [{ c: 2, d: 3 }] })).isNew).toBe(true);
    expect((await enqueue('f', { a: 1, b: [{ c: 2, d: 4 }] })).isNew).toBe(true);
    expect((await enqueue('f', undefined)).isNew).toBe(true);
    expect((await enqueue('f', undefined)).isNew).toBe(false);
  });
});

describe('for a time', () => {
  it('at most one, even when it has finished, failed or is gone; then a new one, even while it waits', async () => {
    const start = Date.now();
    const first = await unique(1, { for: '3s' }, { resultTtl: 0 });
    const worker = await engine.work({ f: () => 'done' });
    await worker.events.waitFor('jobFinished');
    await worker.stop();
    expect(await engine.client.exists(`rq:job:${first.id}`)).toBe(0);
    expect(await unique(2, { for: '3s' })).toMatchObject({ id: first.id, isNew: false });

    const second = await eventually(
      async () => {
        const job = await unique(3, { for: '300ms' });
        return job.isNew && job;
      },
      { what: 'the time to be over' },
    );
    expect(Date.now() - start).toBeGreaterThan(2900);
    const third = await eventually(
      async () => {
        const job = await unique(4, { for: '300ms' });
        return job.isNew && job;
      },
      { what: 'the time to be over again' },
    );
    expect(await second.status()).toBe('queued');
    expect(await third.status()).toBe('queued');
  });

  it.each(['cancel', 'delete', 'empty'] as const)('%s of the job ends it', async (action) => {
    const first = await unique(1, { for: '1h' });
    await (action === 'empty' ? engine.queue().empty() : first[action]());
    expect((await unique(2, { for: '1h' })).isNew).toBe(true);
  });
});

describe('requeue', () => {
  it('takes the key again', async () => {
    const first = await unique(1);
    await first.cancel();
    await first.requeue();
    expect(await unique(2)).toMatchObject({ id: first.id, isNew: false });
  });

  it('is refused while another job has the key; of several, that one is passed over', async () => {
    const first = await unique(1);
    await first.cancel();
    const plain = await engine.queue().enqueue('f');
    await plain.cancel();
    const second = await unique(2);

    await expect(first.requeue()).rejects.toMatchObject({
      code: 'RQ_DUPLICATE_JOB',
      jobId: second.id,
    });
    expect(await engine.queue().requeue({ in: 'canceled' })).toMatchObject({
      done: 1,
      skipped: { duplicate: 1 },
    });
    expect(await engine.places(first.id)).toEqual(['canceled']);

    await second.delete();
    expect(await engine.queue().requeue([first.id])).toMatchObject({ done: 1 });
    expect(await engine.places(first.id)).toEqual(['queue']);
  });
});

describe('what was left behind', () => {
  it('is swept: keys of jobs that are over or gone, not those that are held', async () => {
    const held = await unique(1);
    const kept = await engine.queue().enqueue('f', 2, { unique: { by: 'kept', for: '1h' } });
    await engine.client.del(`rq:job:${kept.id}`);
    const now = Date.now();
    await engine.client.hset('rq:nrq:unique:jobs', {
      'by:gone': 'nobody',
      'by:over': `nobody ${now - 1}`,
      'by:kept': `${kept.id} ${now + 60_000}`,
      'by:odd': '',
    });
    await engine.work([{ name: 'g', queue: 'jobs', run: () => 1 }], { unknownJobs: 'release' });
    const left = await eventually(
      async () => {
        const found = await keys();
        return !('by:gone' in found) && found;
      },
      { what: 'the sweep' },
    );
    expect(Object.keys(left).toSorted()).toEqual(['by:kept', `by:${BY}`]);
    expect(left[`by:${BY}`]).toBe(held.id);
  });
});

describe('a job that others of the call wait for', () => {
  const job = (id: string, parts: Partial<NewJob>): NewJob => ({
    queue: 'jobs',
    id,
    check: 'new',
    data: '["f",null,[1],{}]',
    options: resolveJobOptions({ unique: { by: BY } }, resolveDefaults({})),
    meta: undefined,
    ...parts,
  });
  const child = job('child', {
    options: resolveJobOptions({}, resolveDefaults({})),
    waitsFor: { jobs: ['parent'], ifFailed: 'cancel' },
  });

  it('is an error for the whole call when another one is the same', async () => {
    const first = await unique(1, { replace: true });
    const options = resolveJobOptions({ unique: { by: BY, replace: true } }, resolveDefaults({}));
    for (const parent of [job('parent', {}), job('parent', { options })]) {
      expect(await engine.store.enqueue([parent, child], 'all')).toEqual([
        { index: 0, reason: 'duplicate', holder: first.id },
      ]);
    }
    expect(await stored()).toBe(1);
    expect(await dataOf(first)).toBe(1);
  });

  it('is stored otherwise; and the call may be repeated', async () => {
    const parent = job('parent', { check: 'once' });
    expect(await engine.store.enqueue([parent, child], 'all')).toEqual([]);
    const again = await engine.store.enqueue([parent, { ...child, check: 'once' }], 'all');
    expect(again.map(({ reason }) => reason)).toEqual(['exists', 'exists']);
  });

  it('a child that is canceled because of its parent frees its key', async () => {
    const plain = resolveJobOptions({}, resolveDefaults({}));
    await engine.store.enqueue([job('parent', { options: plain })], 'all');
    await engine.store.enqueue([job('kid', { waitsFor: child.waitsFor })], 'all');
    expect(await unique(2)).toMatchObject({ id: 'kid', isNew: false });
    await engine.queue().job('parent').cancel();
    expect(await keys()).toEqual({});
    expect((await unique(3)).isNew).toBe(true);
  });
});

describe('what Redis refuses', () => {
  it('leaves nothing of the call: neither jobs nor keys', async () => {
    await engine.client.set('rq:queue:jobs', 'something else');
    await expect(unique(1, { for: '1h' })).rejects.toThrow('WRONGTYPE');
    await engine.client.del('rq:queue:jobs');
    expect(await keys()).toEqual({});
    expect((await unique(2, { for: '1h' })).isNew).toBe(true);
  });

  it('a place of keys that holds something else is said, and keeps no job from ending', async () => {
    const job = await unique(1);
    await engine.client.set('rq:nrq:unique:jobs', 'something else');
    await expect(unique(2)).rejects.toThrow('WRONGTYPE');
    await engine.work({ f: () => 'done' });
    expect(await job.result({ timeout: 5 })).toBe('done');
  });
});

describe('a plain job', () => {
  it('asks Redis for nothing of this', async () => {
    const worker = await engine.work({ f: () => 'done' });
    const isSwept = () => engine.client.exists('rq:nrq:swept:jobs');
    await eventually(isSwept, { what: 'the first look of the worker' });
    await engine.queue().enqueue('f');
    await worker.events.waitFor('jobFinished');
    await engine.client.config('RESETSTAT');
    await engine.queue().enqueueMany([{ name: 'f' }, { name: 'f' }]);
    await worker.events.waitFor('jobFinished', 3);
    const stats = await engine.client.info('commandstats');
    expect(stats).not.toMatch(/cmdstat_(hget|hdel):/);
  });
});

describe('impossible options', () => {
  const cases: [unknown, string][] = [
    [{ key: 'a' }, 'unique.key'],
    [{ by: '' }, 'unique.by'],
    [{ by: 17 }, 'unique.by'],
    [{ by: 'x'.repeat(501) }, 'unique.by'],
    [{ for: 0 }, 'unique.for'],
    [{ for: '1 minute' }, 'unique.for'],
    [{ for: 1, replace: true }, 'unique.for'],
    [{ for: 1, until: 'started' }, 'unique.for'],
    [{ until: 'never' }, 'unique.until'],
    [{ replace: 1 }, 'unique.replace'],
    [{ else: 'ignore' }, 'unique.else'],
    ['user', 'unique'],
    [true, 'unique'],
  ];

  it.each(cases)('%j', async (unique, option) => {
    const enqueued = engine.queue().enqueue('f', 1, { unique: unique as UniqueOptions });
    const error: unknown = await enqueued.catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option });
  });
});
