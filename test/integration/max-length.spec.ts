// A queue that may hold only so many jobs: who is refused, who always comes in, and who waits for room.
import { EnqueueManyError, QueueFullError } from '../../lib/job/index.js';
import { HandlerRegistry, type JobFailedEvent, Worker } from '../../lib/worker/index.js';
import { deferred, eventually, within } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const jobs = (count: number, options = {}) =>
  Array.from({ length: count }, (_, data) => ({ name: 'job', data, options }));

const flags = () => engine.client.hgetall('rq:nrq:flags:jobs');

describe('a full queue', () => {
  it('refuses calls of enqueue, and says how full it is; nothing is stored', async () => {
    const queue = engine.queue('jobs', { maxLength: { total: 3 } });
    await queue.enqueueMany(jobs(3));
    const error = await queue.enqueue('job').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ code: 'RQ_QUEUE_FULL', queue: 'jobs', maxLength: 3, length: 3 });
    expect((error as Error).message).toMatch(/Queue "jobs" is full: 3 jobs wait there, and maxLen/);
    await expect(queue.enqueueIn('1h', 'job')).rejects.toThrow(QueueFullError);
    expect(await engine.client.keys('rq:job:*')).toHaveLength(3);
    // Nobody waits: the queue stays one that is plain.
    expect(await flags()).toEqual({});
  });

  it('takes of single calls as many as fit, of one step all or none', async () => {
    const queue = engine.queue('jobs', { maxLength: { total: 4 } });
    await queue.enqueue('job');
    await expect(queue.enqueueMany(jobs(4))).rejects.toThrow(QueueFullError);
    expect(await queue.count()).toBe(1);
    const calls = await Promise.allSettled(jobs(5).map(({ name }) => queue.enqueue(name)));
    expect(calls.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(await queue.count()).toBe(4);
  });

  it('a long list breaks off between two slices, and says how far it came', async () => {
    const queue = engine.queue('jobs', { maxLength: { total: 1500 } });
    const error = await queue.enqueueMany(jobs(2100)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EnqueueManyError);
    expect(error).toMatchObject({ stored: 1000, cause: { code: 'RQ_QUEUE_FULL' } });
  });

  it('does not count or refuse what is there already', async () => {
    const queue = engine.queue('jobs', { maxLength: { total: 2 } });
    await queue.enqueue('job', 1, { id: 'one' });
    const unique = { by: 'key', replace: true };
    const kept = await queue.enqueue('job', 1, { unique });
    expect((await queue.enqueue('job', 1, { id: 'one' })).isNew).toBe(false);
    expect((await queue.enqueue('job', 2, { unique })).id).toBe(kept.id);
    await expect(queue.enqueue('job', 1, { unique: { by: 'other' } })).rejects.toThrow(
      QueueFullError,
    );
    expect(await engine.client.hkeys('rq:nrq:unique:jobs')).toEqual(['by:key']);
  });

  it('a job that found no room does not answer for its double in the same turn', async () => {
    const queue = engine.queue('jobs', { maxLength: { total: 1 } });
    const unique = { by: 'key' };
    const calls = await Promise.allSettled([
      queue.enqueue('job'),
      queue.enqueue('job', 1, { id: 'same' }),
      queue.enqueue('job', 1, { id: 'same' }),
      queue.enqueue('job', 1, { unique }),
      queue.enqueue('job', 1, { unique }),
    ]);
    expect(calls.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
    expect(await engine.client.keys('rq:job:*')).toHaveLength(1);
    expect(await engine.client.exists('rq:nrq:unique:jobs')).toBe(0);
  });

  it('takes what does not come by a call: due, retried, requeued, released and scheduled jobs', async () => {
    const limited = engine.queue('jobs', { maxLength: { total: 1 } });
    const parent = await engine.queue('other').enqueue('parent');
    await limited.enqueueMany([{ name: 'child', options: { dependsOn: parent } }]);
    const failing = await limited.enqueue('job', 'fails', { retry: { max: 1, interval: 0 } });
    const worker = await engine.work({
      job: () => {
        throw new Error('boom');
      },
    });
    await worker.events.waitFor('jobFailed');
    await worker.stop();
    await limited.enqueue('filler');

    await failing.requeue();
    expect(await limited.count()).toBe(2);
    const other = await engine.work([{ queue: 'other', name: 'parent', run: () => 'done' }]);
    await parent.result({ timeout: 10 });
    await eventually(async () => (await limited.count()) === 3, { what: 'the child' });
    await other.stop();
    const schedule = await limited.schedule('tick', { every: '1h' }, 'job');
    await schedule.runNow();
    expect(await limited.count()).toBe(4);
  });
});

describe("whenFull: 'wait'", () => {
  it('waits until jobs have left, then all that wait come in', async () => {
    const queue = engine.queue('jobs', { maxLength: { total: 10 }, whenFull: 'wait' });
    await queue.enqueueMany(jobs(10));
    const waiting = Array.from({ length: 4 }, () => queue.enqueue('job', 'later'));
    const together = queue.enqueueMany(jobs(3));
    await eventually(async () => (await flags())['full'] === '10', { what: 'the mark' });
    expect(await queue.count()).toBe(10);

    const worker = await engine.work({ job: () => undefined }, { concurrency: 2 });
    const all = await within(Promise.all([...waiting, together]), { what: 'all calls' });
    expect(all.flat()).toHaveLength(7);
    await eventually(async () => (await queue.counts()).finished === 17, { what: 'all jobs' });
    await worker.stop();
    expect(await flags()).toEqual({});
  });

  it.each<[string, () => Promise<unknown>]>([
    ['emptied', () => engine.queue().empty()],
    ['canceled', () => engine.queue().cancel({ in: 'queued' })],
    ['deleted', () => engine.queue().delete({ in: 'queued' })],
  ])('hears of jobs that were %s', async (_, free) => {
    const queue = engine.queue('jobs', { maxLength: { total: 2 }, whenFull: 'wait' });
    await queue.enqueueMany(jobs(2));
    const waiting = queue.enqueue('job');
    await eventually(async () => (await flags())['full'] === '2', { what: 'the mark' });
    await free();
    await within(waiting, { what: 'the call' });
    expect(await queue.count()).toBe(1);
  });

  it('gives up after commandTimeout, and at once where there can never be room', async () => {
    const store = await engine.openStore({}, { commandTimeout: 1500 });
    const room = { maxLength: { total: 2 }, whenFull: 'wait' } as const;
    const queue = engine.queue('jobs', room, store);
    await queue.enqueueMany(jobs(2));
    await expect(queue.enqueue('job')).rejects.toThrow(/is full for 1\.5s: 2 jobs wait there/);
    await expect(queue.enqueueMany(jobs(3))).rejects.toThrow(/is full: 2 jobs wait there/);
  });

  it("comes in after Python's workers have taken jobs, at the latest when the time is over", async () => {
    const store = await engine.openStore({}, { commandTimeout: 2000 });
    const room = { maxLength: { total: 1 }, whenFull: 'wait' } as const;
    const queue = engine.queue('jobs', room, store);
    await queue.enqueue('job');
    const waiting = queue.enqueue('job');
    await eventually(async () => (await flags())['full'] === '1', { what: 'the mark' });
    await engine.client.lpop('rq:queue:jobs');
    await within(waiting, { what: 'the call' });
    expect(await queue.count()).toBe(1);
  });
});

it('a worker is not slowed down by a queue that was full: it stays plain when nobody waits', async () => {
  const gate = deferred();
  const queue = engine.queue('jobs', { maxLength: { total: 1 } });
  await engine.work({ job: () => gate.promise }, { concurrency: 1 });
  await queue.enqueue('job');
  await eventually(async () => (await queue.count()) === 0, { what: 'the first to start' });
  await queue.enqueue('job');
  await expect(queue.enqueue('job')).rejects.toThrow(QueueFullError);
  expect(await flags()).toEqual({});
  gate.resolve();
});

describe('a key that is full', () => {
  const limited = (whenFull: 'reject' | 'wait' = 'reject') =>
    engine.queue('jobs', { maxLength: { perKey: 2 }, whenFull });

  it('refuses calls of enqueue for it; other keys have room', async () => {
    const queue = limited();
    await queue.enqueueMany(jobs(2, { key: 'a' }));
    const error = await queue.enqueue('job', 3, { key: 'a' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ maxLength: 2, length: 2, key: 'a' });
    expect((error as Error).message).toMatch(
      /is full for this key: 2 jobs wait there, and maxLength\.perKey/,
    );
    await queue.enqueue('job', 3, { key: 'b' });
    await queue.enqueue('job', 3);
    const both = [...jobs(1, { key: 'c' }), ...jobs(3, { key: 'd' })];
    await expect(queue.enqueueMany(both)).rejects.toMatchObject({ key: 'd', length: 2 });
    expect(await queue.count()).toBe(4);
  });

  it("with whenFull: 'wait' waits until jobs of the key have left", async () => {
    const queue = limited('wait');
    await queue.enqueueMany(jobs(2, { key: 'a' }));
    const waiting = queue.enqueue('job', 3, { key: 'a' });
    await eventually(async () => (await engine.client.exists('rq:nrq:full:jobs')) === 1, {
      what: 'the mark',
    });
    const worker = await engine.work({ job: () => undefined });
    await within(waiting, { what: 'the call' });
    await eventually(async () => (await queue.counts()).finished === 3, { what: 'all jobs' });
    await worker.stop();
    expect(await engine.client.exists('rq:nrq:full:jobs')).toBe(0);
    expect(await flags()).not.toHaveProperty('full_keys');
  });
});

it('of jobs that wait for a retry there are never more than `retrying`: others fail, and say why', async () => {
  const registry = new HandlerRegistry();
  const run = () => {
    throw new Error('down');
  };
  registry.register({ queue: 'jobs', name: 'job', owner: 'Tests.job', run });
  registry.limitQueue('jobs', { maxLength: { retrying: 3 } });
  const failures: JobFailedEvent[] = [];
  const worker = new Worker(
    await engine.openStore(),
    registry,
    { shutdownTimeout: 0.2 },
    {
      jobFailed: (failed) => void failures.push(failed),
    },
  );
  await worker.start();
  const queue = engine.queue();
  await queue.enqueueMany(jobs(5, { retry: { max: 5, interval: '1h' } }));
  await eventually(() => failures.length === 2, { what: 'two failures' });
  expect(await queue.counts()).toMatchObject({ scheduled: 3, started: 0, queued: 0 });
  expect(failures.map(({ why }) => why)).toEqual(
    Array(2).fill('as many jobs wait for a retry as maxLength.retrying allows (3)'),
  );
  // At once is no wait.
  await queue.enqueue('job', 0, { retry: { max: 1, interval: 0 } });
  await eventually(() => failures.length === 3, { what: 'the third failure' });
  expect(failures[2]?.why).not.toMatch(/retrying/);
  await worker.stop();
});
