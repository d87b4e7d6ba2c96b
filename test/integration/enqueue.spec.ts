import { DuplicateJobError, EnqueueManyError } from '../../lib/job/index.js';
import { LATENESS } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { expectGaps, Runs } from './support/gaps.js';

const engine = Engine.forThisFile();

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

async function calls(command: string): Promise<number> {
  const info = await engine.client.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

describe('jobs enqueued in one turn of the event loop', () => {
  it('are a few calls to Redis: four for 100 of them, with options and without', async () => {
    const queue = engine.queue();
    await queue.enqueue('warm-up');
    await engine.client.config('RESETSTAT');

    const enqueued = upTo(100).map((data) =>
      data % 10 === 0
        ? queue.enqueue('f', data, { id: `mine${data}`, retry: { max: data + 1, interval: 0 } })
        : queue.enqueue('f', data),
    );
    const jobs = await Promise.all(enqueued);

    expect(await calls('evalsha')).toBe(4);
    expect(await calls('eval')).toBe(0);
    const waiting = (await queue.jobs('queued', { limit: 200 })).map(({ id }) => id).slice(1);
    expect(waiting).toEqual(jobs.map(({ id }) => id));
    expect(jobs[50]?.id).toBe('mine50');
  });

  it('are each refused for themselves', async () => {
    const queue = engine.queue();
    await queue.enqueue('f', 0, { id: 'taken' });

    const outcomes = await Promise.allSettled([
      queue.enqueue('f', 1),
      queue.enqueue('f', 2, { id: 'taken', unique: true }),
      queue.enqueue('f', 3, { timeout: -1.5 }),
      queue.enqueue('f', 4),
    ]);

    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'RQ_DUPLICATE_JOB', jobId: 'taken' } },
      { reason: { code: 'RQ_INVALID_OPTION' } },
      { status: 'fulfilled' },
    ]);
    expect(await queue.count()).toBe(3);
  });
});

describe('an id of the caller’s own', () => {
  it('makes repeating harmless: the job is there once, as it was enqueued first', async () => {
    const queue = engine.queue();
    const first = await queue.enqueue('f', 'first', { id: 'order-17' });
    const again = await queue.enqueue('f', 'second', { id: 'order-17', atFront: true, delay: 60 });
    // Also several times at once, and from elsewhere.
    const elsewhere = engine.queue('jobs', {}, await engine.openStore());
    await Promise.all(
      [queue, elsewhere, queue].map((one) => one.enqueue('f', 'third', { id: 'order-17' })),
    );

    expect([first.id, again.id]).toEqual(['order-17', 'order-17']);
    expect(await engine.places('order-17')).toEqual(['queue']);
    expect(await queue.count()).toBe(1);
    expect((await again.refresh()).data).toBe('first');
  });

  it('is the same job while it runs and after it has ended', async () => {
    const gate = deferred<string>();
    const worker = await engine.work({ f: () => gate.promise });
    const queue = engine.queue();
    await queue.enqueue('f', undefined, { id: 'once' });
    await worker.events.waitFor('jobStarted');

    const running = await queue.enqueue('f', undefined, { id: 'once' });
    expect(await running.status()).toBe('started');
    gate.resolve('done');
    await running.result({ timeout: 5 });
    const ended = await queue.enqueue('f', undefined, { id: 'once' });

    expect(await ended.result()).toBe('done');
    expect(worker.events.of('jobStarted')).toHaveLength(1);
    expect(await engine.places('once')).toEqual(['finished']);
  });

  it('may be unique: a second one is an error, in whatever state the first one is', async () => {
    const queue = engine.queue();
    const options = { id: 'only', unique: true };
    const job = await queue.enqueue('f', 1, options);

    await expect(queue.enqueue('f', 2, options)).rejects.toBeInstanceOf(DuplicateJobError);
    await job.cancel();
    await expect(queue.enqueue('f', 2, options)).rejects.toThrow(/"only" exists already.*"jobs"/);
    expect((await job.refresh()).data).toBe(1);

    await job.delete();
    await queue.enqueue('f', 3, options);
    expect((await job.refresh()).data).toBe(3);
  });

  it('is given to one of many callers that ask for it at once', async () => {
    const stores = await Promise.all([engine.openStore(), engine.openStore()]);
    const queues = [engine.queue(), ...stores.map((store) => engine.queue('jobs', {}, store))];
    const asked = [...queues, ...queues, ...queues].map((queue, data) =>
      queue.enqueue('f', data, { id: 'race', unique: true }),
    );

    const outcomes = await Promise.allSettled(asked);

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await engine.queue().count()).toBe(1);
  });
});

describe('enqueueMany()', () => {
  it('keeps the order and is one call for up to 1000 jobs', async () => {
    const queue = engine.queue();
    await engine.client.config('RESETSTAT');

    const jobs = await queue.enqueueMany(upTo(1000).map((data) => ({ name: 'f', data })));

    expect((await calls('evalsha')) + (await calls('eval'))).toBeLessThanOrEqual(2);
    const waiting = await queue.jobs('queued', { limit: 1000 });
    expect(waiting.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
    expect((await jobs[999]?.refresh())?.data).toBe(999);
  });

  it('stores all or nothing', async () => {
    const queue = engine.queue();
    await queue.enqueue('f', 0, { id: 'taken' });
    const taken = { name: 'f', options: { id: 'taken', unique: true } };

    const many = queue.enqueueMany([{ name: 'f' }, { name: 'f' }, taken, { name: 'f' }]);

    await expect(many).rejects.toBeInstanceOf(DuplicateJobError);
    expect(await queue.count()).toBe(1);
    expect(await engine.client.keys('rq:job:*')).toEqual(['rq:job:taken']);
  });

  it('stores nothing when an id is unique and comes twice in the list', async () => {
    const twice = { name: 'f', options: { id: 'twice', unique: true } };
    await expect(engine.queue().enqueueMany([twice, twice])).rejects.toThrow(/"twice" exists/);
    expect(await engine.client.keys('rq:*')).toEqual([]);
  });

  it('leaves jobs alone that exist already, and enqueues the others', async () => {
    const queue = engine.queue();
    await queue.enqueue('f', 'old', { id: 'b' });

    const jobs = await queue.enqueueMany(
      ['a', 'b', 'c', 'a'].map((id) => ({ name: 'f', data: 'new', options: { id } })),
    );

    expect(jobs.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'a']);
    expect((await queue.jobs()).map(({ id }) => id)).toEqual(['b', 'a', 'c']);
    expect((await jobs[1]?.refresh())?.data).toBe('old');
  });

  it('goes in slices of 1000 and tells how many are stored when one fails', async () => {
    const queue = engine.queue();
    await queue.enqueue('f', 0, { id: 'taken' });
    const list = upTo(2500).map((data) => {
      const options = data === 2100 ? { id: 'taken', unique: true } : undefined;
      return { name: 'f', data, options };
    });

    const error = await queue.enqueueMany(list).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(EnqueueManyError);
    expect(error).toMatchObject({
      stored: 2000,
      cause: expect.any(DuplicateJobError) as unknown,
      message: expect.stringMatching(/first 2000 of 2500 jobs.*from index 2000/) as string,
    });
    expect(await queue.count()).toBe(2001);
    const [last] = await queue.jobs('queued', { offset: 2000 });
    expect((await queue.job(last?.id ?? '').refresh()).data).toBe(1999);
  });

  it('takes options for each job, and an empty list', async () => {
    const queue = engine.queue();
    expect(await queue.enqueueMany([])).toEqual([]);
    expect(await engine.client.keys('rq:*')).toEqual([]);

    const [front, delayed, plain] = await queue.enqueueMany([
      { name: 'f', options: { atFront: true, meta: { a: 1 }, description: 'first' } },
      { name: 'f', options: { delay: 60 } },
      { name: 'f' },
    ]);

    expect(await front?.refresh()).toMatchObject({ meta: { a: 1 }, description: 'first' });
    expect(await delayed?.status()).toBe('scheduled');
    expect((await queue.jobs()).map(({ id }) => id)).toEqual([front?.id, plain?.id]);
  });
});

describe('a delayed job', () => {
  it('starts when it is due: never early, late by milliseconds', async () => {
    const waits = [50, 120, 200, 350];
    const runs = waits.map(() => new Runs());
    await engine.work(runs.map((one, index) => ({ name: `f${index}`, run: one.of(() => 1) })));
    const queue = engine.queue();

    // The later ones first: a worker's timer has to be set back.
    const moments: number[] = [];
    for (const [index, wait] of [...waits.entries()].toReversed()) {
      moments[index] = Date.now();
      await queue.enqueueIn(`${wait}ms`, `f${index}`);
    }
    await eventually(() => runs.every(({ count }) => count === 1), { what: 'all jobs' });

    expectGaps(
      runs.map((one, index) => one.since(moments[index] ?? 0)),
      waits,
    );
  });

  it('may be told a date; one in the past is at once', async () => {
    const runs = new Runs();
    await engine.work({ f: runs.of(() => 1), past: () => 'at once' });
    const due = new Date(Date.now() + 150);

    await engine.queue().enqueueAt(due, 'f');
    const past = await engine.queue().enqueueAt(new Date(0), 'past');

    expect(await past.result({ timeout: 5 })).toBe('at once');
    await eventually(() => runs.count === 1, { what: 'the job' });
    expect(runs.since(due.getTime())).toBeGreaterThanOrEqual(0);
    expect(runs.since(due.getTime())).toBeLessThan(LATENESS);
  });

  it('starts in time also when a job before it in the schedule has lost its data', async () => {
    const runs = new Runs();
    await engine.work({ f: runs.of(() => 1) });
    await engine.client.zadd('rq:scheduled:jobs', Math.floor(Date.now() / 1000), 'nosuchjob');
    const enqueuedAt = Date.now();

    await engine.queue().enqueueIn(0.3, 'f');

    await eventually(() => runs.count === 1, { what: 'the job' });
    expectGaps([runs.since(enqueuedAt)], [300]);
  });

  it('goes behind what waits when it is due, or to the head', async () => {
    const queue = engine.queue();
    const [back, front] = [
      await queue.enqueueIn(0.02, 'f'),
      await queue.enqueueIn(0.02, 'f', undefined, { atFront: true }),
    ];
    const past = new Date(Date.now() - 1000);
    const waiting = await queue.enqueue('f');
    const pastFront = await queue.enqueueAt(past, 'f', undefined, { atFront: true });
    await queue.pause();
    await engine.work({ f: () => 1 });

    let order: string[] = [];
    // A worker that does not know yet that the queue is paused may have one of them in its hands, and puts it back.
    const areAllThere = async () => {
      order = (await queue.jobs()).map(({ id }) => id);
      return order.length === 4;
    };
    await eventually(areAllThere, { what: 'both to be due' });
    expect(order).toEqual([front.id, pastFront.id, waiting.id, back.id]);
  });
});

describe('sizes', () => {
  it('of data, meta and results are limited by maxPayloadBytes', async () => {
    const store = await engine.openStore({ maxPayloadBytes: 1000 });
    const queue = engine.queue('jobs', {}, store);
    await engine.work({ long: (length) => 'x'.repeat(length as number) }, { store });
    const tooLarge = { code: 'RQ_PAYLOAD_TOO_LARGE' };

    await expect(queue.enqueue('long', 'x'.repeat(1000))).rejects.toMatchObject(tooLarge);
    // Bytes, not characters.
    await expect(queue.enqueue('long', 'ü'.repeat(500))).rejects.toMatchObject(tooLarge);
    const meta = { a: 'x'.repeat(1000) };
    await expect(queue.enqueue('long', 1, { meta })).rejects.toMatchObject(tooLarge);
    expect(await engine.client.keys('rq:job:*')).toEqual([]);

    const job = await queue.enqueue('long', 998);
    expect(await job.result({ timeout: 5 })).toHaveLength(998);
    await expect(job.saveMeta(meta)).rejects.toMatchObject(tooLarge);
    const failed = await queue.enqueue('long', 999);
    await expect(failed.result({ timeout: 5 })).rejects.toThrow(/PayloadTooLargeError/);
  });

  it('are generous without being told: a megabyte each way', async () => {
    await engine.work({ echo: (data) => data });
    const data = { text: 'ü'.repeat(500_000) };
    const job = await engine.queue().enqueue('echo', data);
    expect(await job.result({ timeout: 5 })).toEqual(data);
  });

  it('of a failure are limited: a long message does not fill Redis', async () => {
    await engine.work({
      boom: () => {
        throw new Error('x'.repeat(1_000_000));
      },
    });
    const job = await engine
      .queue()
      .enqueue('boom', undefined, { retry: { max: 20, interval: 0 } });
    await expect(job.result({ timeout: 5 })).rejects.toThrow('xxx');
    expect(await engine.client.memory('USAGE', `rq:job:${job.id}`)).toBeLessThan(200_000);
  });
});
