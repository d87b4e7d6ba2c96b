import { JobFailedError, ResultTimeoutError } from '../../lib/job/index.js';
import { EARLINESS, LATENESS, least } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { itInSharedLayout } from './support/layout.js';

const engine = Engine.forThisFile();

describe('a result', () => {
  it('is awaited from any connection, by any number of waiters', async () => {
    await engine.work({ add: (data) => (data as number[]).reduce((sum, one) => sum + one, 0) });
    const job = await engine.queue().enqueue('add', [1, 2, 3]);

    const elsewhere = engine.queue('jobs', {}, await engine.openStore());
    const handle = await elsewhere.getJob(job.id);
    if (!handle) throw new Error('the other connection does not see the job');
    const waiters = [job, job, handle, handle].map((one) => one.result({ timeout: 5 }));

    expect(await Promise.all(waiters)).toEqual([6, 6, 6, 6]);
    // And afterwards, as long as it is kept.
    expect(await handle.result()).toBe(6);
  });

  it('comes at once, not at the next look', async () => {
    let gate = deferred<string>();
    await engine.work({ slow: () => gate.promise });
    const looks = async () => {
      const info = await engine.client.info('commandstats');
      return Number(/cmdstat_hgetall:calls=(\d+)/.exec(info)?.[1] ?? 0);
    };
    const took = await least(
      async () => {
        gate = deferred<string>();
        const job = await engine.queue().enqueue('slow');
        await engine.client.config('RESETSTAT');
        const waiting = job.result({ timeout: 10 });
        // The first looks follow quickly; after the fourth the next one is 800 ms away.
        await eventually(async () => (await looks()) >= 4, { what: 'four looks in vain' });
        const endedAt = performance.now();
        gate.resolve('done');
        expect(await waiting).toBe('done');
        return performance.now() - endedAt;
      },
      { enough: 400 },
    );
    expect(took).toBeLessThan(400);
  });

  it('is there for who waits even when the job is deleted at once', async () => {
    const gates = [deferred(), deferred()];
    await engine.work({
      fleeting: async (data) => {
        await gates[data as number]?.promise;
        if (data === 1) throw new Error('boom');
        return { kept: 'nowhere' };
      },
    });
    const options = { resultTtl: 0, failureTtl: 0 };
    const jobs = await Promise.all(
      [0, 1].map((data) => engine.queue().enqueue('fleeting', data, options)),
    );
    const outcomes = Promise.allSettled(jobs.map((job) => job.result({ timeout: 5 })));
    await eventually(async () => (await engine.client.scard('rq:nrq:waiting:jobs')) === 2, {
      what: 'both waiters',
    });
    for (const gate of gates) gate.resolve();

    expect(await outcomes).toMatchObject([
      { value: { kept: 'nowhere' } },
      {
        reason: { code: 'RQ_JOB_FAILED', reason: expect.stringMatching(/^Error: boom/) as string },
      },
    ]);
    expect(await engine.client.keys('rq:job:*')).toEqual([]);
    expect(await engine.client.keys('rq:nrq:waiting:*')).toEqual([]);
  });

  it('is not waited for longer than asked; the job goes on', async () => {
    const gate = deferred<string>();
    await engine.work({ slow: () => gate.promise });
    const job = await engine.queue().enqueue('slow');

    const startedAt = performance.now();
    const error = await job.result({ timeout: '200ms' }).catch((reason: unknown) => reason);
    const waited = performance.now() - startedAt;

    expect(error).toBeInstanceOf(ResultTimeoutError);
    expect(error).toMatchObject({
      jobId: job.id,
      message: expect.stringMatching(/did not end within 0\.2 s \(it is started\)/) as string,
    });
    expect(waited).toBeGreaterThanOrEqual(200 - EARLINESS);
    expect(waited).toBeLessThan(200 + LATENESS);
    gate.resolve('done');
    expect(await job.result({ timeout: 5 })).toBe('done');
  });

  it('of a failed job is an error with the reason and the stack', async () => {
    await engine.work({
      boom: function failing() {
        throw new RangeError('out of paper');
      },
    });
    const job = await engine.queue().enqueue('boom');

    const error = await job.result({ timeout: 5 }).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(JobFailedError);
    expect(error).toMatchObject({
      jobId: job.id,
      message: `Job "${job.id}" failed: RangeError: out of paper`,
      reason: expect.stringMatching(/^RangeError: out of paper\n +at .*failing/) as string,
    });
    // The same when it is read later.
    await expect(job.result()).rejects.toMatchObject({ message: (error as Error).message });
  });

  it('of a job that does not exist (any more) is JobNotFoundError', async () => {
    const job = await engine.queue().enqueue('f');
    await engine.queue().empty();
    for (const ask of [
      () => job.result({ timeout: 10 }),
      () => job.status(),
      () => job.refresh(),
      () => job.results(),
      () => job.cancel(),
      () => job.saveMeta({}),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'RQ_JOB_NOT_FOUND', jobId: job.id });
    }
    expect(await engine.queue().getJob(job.id)).toBeUndefined();
    await job.delete();
  });

  it('refuses a timeout that is none', async () => {
    const job = await engine.queue().enqueue('f');
    await expect(job.result({ timeout: -1 })).rejects.toMatchObject({ code: 'RQ_INVALID_OPTION' });
  });

  it('is found again when the announcement was lost', async () => {
    const gate = deferred<string>();
    await engine.work({ slow: () => gate.promise });
    const job = await engine.queue().enqueue('slow');
    const waiting = job.result({ timeout: 5 });
    await eventually(
      async () => (await engine.client.sismember('rq:nrq:waiting:jobs', job.id)) === 1,
      { what: 'the mark of the waiter' },
    );
    // As after a restart of Redis: nobody knows of the waiter.
    await engine.client.del('rq:nrq:waiting:jobs');
    gate.resolve('done');

    expect(await waiting).toBe('done');
  });

  it('is not disturbed by what others publish', async () => {
    const gate = deferred<string>();
    await engine.work({ slow: () => gate.promise });
    const job = await engine.queue().enqueue('slow');
    const waiting = job.result({ timeout: 5 });
    await eventually(
      async () => (await engine.client.pubsub('NUMSUB', 'rq:nrq:settled:jobs'))[1] === 1,
      { what: 'the subscription' },
    );
    for (const message of [
      '',
      'nonsense',
      `${job.id} finished`,
      `${job.id} finished json {broken`,
      `${job.id} dancing json 1`,
      'other finished json 1',
      `${job.id} finished xml 1`,
    ]) {
      await engine.client.publish('rq:nrq:settled:jobs', message);
    }
    gate.resolve('done');

    expect(await waiting).toBe('done');
  });
});

describe("a job's record", () => {
  it('tells all that is known', async () => {
    const gate = deferred();
    const worker = await engine.work({
      flaky: async (_, job) => {
        if (job.attempt === 1) throw new Error('boom');
        await gate.promise;
      },
    });
    const before = new Date();
    const options = {
      description: 'for Ada',
      meta: { user: 7 },
      retry: { max: 3, interval: 0 },
    };
    const job = await engine.queue().enqueue('flaky', { a: 1 }, options);
    await eventually(async () => (await job.refresh()).attempts === 2, { what: 'the second run' });

    const seen = await job.refresh();
    expect(seen).toMatchObject({
      id: job.id,
      queue: 'jobs',
      name: 'flaky',
      data: { a: 1 },
      args: [{ a: 1 }],
      kwargs: {},
      status: 'started',
      attempts: 2,
      retriesLeft: 2,
      worker: worker.name,
      description: 'for Ada',
      meta: { user: 7 },
      endedAt: undefined,
    });
    const times = [before, seen.createdAt, seen.enqueuedAt, seen.startedAt, new Date()];
    expect(times.map(Number)).toEqual(times.map(Number).toSorted((a, b) => a - b));
    gate.resolve();
    await job.result({ timeout: 5 });
    expect((await job.refresh()).endedAt?.getTime()).toBeGreaterThanOrEqual(before.getTime() - 1);
  });

  it('has the meta that a handler saved, and the handler has what was given', async () => {
    await engine.work({
      progress: async (_, job) => {
        await job.saveMeta({ ...job.meta, percent: 50 });
        return job.meta;
      },
    });
    const job = await engine.queue().enqueue('progress', undefined, { meta: { user: 7 } });

    expect(await job.result({ timeout: 5 })).toEqual({ user: 7 });
    expect((await job.refresh()).meta).toEqual({ user: 7, percent: 50 });
  });

  itInSharedLayout('holds results in RQ’s stream when the worker is told so', async () => {
    const store = await engine.openStore({ sharedWithPython: true });
    await engine.work(
      {
        ok: () => ({ a: 1 }),
        boom: () => {
          throw new Error('boom');
        },
      },
      { store },
    );
    const ok = await engine.queue().enqueue('ok');
    const boom = await engine.queue().enqueue('boom');

    expect(await ok.result({ timeout: 5 })).toEqual({ a: 1 });
    await expect(boom.result({ timeout: 5 })).rejects.toThrow('boom');

    // Again, from the stream.
    expect(await ok.result()).toEqual({ a: 1 });
    await expect(boom.result()).rejects.toThrow('Error: boom');
    expect(await engine.fields(ok.id)).not.toHaveProperty('result');
    expect(await engine.client.xlen(`rq:results:${ok.id}`)).toBe(1);
    expect(await ok.results()).toMatchObject([{ outcome: 'finished', value: { a: 1 } }]);
  });
});
