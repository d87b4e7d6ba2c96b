import { LATENESS, least } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const jobs = (...list: unknown[]) => list.map((data) => ({ name: 'note', data }));

describe('pause() and resume()', () => {
  it('keep jobs waiting in their order, for every worker, also one that was waiting', async () => {
    const ran: unknown[] = [];
    await engine.work({ note: (data) => void ran.push(data) }, { concurrency: 1 });
    const queue = engine.queue();
    const first = await queue.enqueue('note', 'before');
    await first.result({ timeout: 5 });

    await queue.pause();
    expect(await queue.isPaused()).toBe(true);
    await queue.enqueue('note', 1);
    await queue.enqueueMany(jobs(2, 3));
    await engine.work({ note: (data) => void ran.push(data) }, { concurrency: 1 });
    // The worker's blocking read had taken the first one: it gives it back.
    const areAllThere = async () => {
      const { queued, started } = await queue.counts();
      return queued === 3 && started === 0;
    };
    await eventually(areAllThere, { what: 'all to wait again' });
    expect(ran).toEqual(['before']);

    await queue.resume();
    expect(await queue.isPaused()).toBe(false);
    await eventually(() => ran.length === 4, { what: 'all jobs' });
    expect(new Set(ran)).toEqual(new Set(['before', 1, 2, 3]));
  });

  it('are noticed at once: the first job runs within milliseconds of resume()', async () => {
    let began = deferred<number>();
    const worker = await engine.work({ note: () => began.resolve(performance.now()) });
    const queue = engine.queue();
    const took = await least(
      async () => {
        began = deferred<number>();
        await queue.pause();
        await queue.enqueue('note');
        await eventually(async () => (await queue.count()) === 1, { what: 'the job to wait' });
        const resumedAt = performance.now();
        await queue.resume();
        return (await began.promise) - resumedAt;
      },
      { enough: 300 },
    );
    // It looks by itself once in a second.
    expect(took).toBeLessThan(300);
    expect(worker.events.of('problem')).toEqual([]);
  });

  it('let running jobs go on, and other queues too', async () => {
    const gate = deferred<string>();
    await engine.work([
      { name: 'slow', run: () => gate.promise },
      { queue: 'other', name: 'note', run: () => 'other' },
    ]);
    const running = await engine.queue().enqueue('slow');
    await eventually(async () => (await running.status()) === 'started', { what: 'the start' });
    await engine.queue().pause();

    const other = await engine.queue('other').enqueue('note');
    expect(await other.result({ timeout: 5 })).toBe('other');
    gate.resolve('finished all the same');
    expect(await running.result({ timeout: 5 })).toBe('finished all the same');
  });

  it('hold back due jobs and retries, too', async () => {
    const ran: unknown[] = [];
    await engine.work({ note: (data) => void ran.push(data) });
    const queue = engine.queue();
    await queue.pause();
    await queue.enqueueIn(0.05, 'note', 'delayed');

    await eventually(async () => (await queue.counts()).queued === 1, { what: 'the due job' });
    expect(ran).toEqual([]);
    await queue.resume();
    await eventually(() => ran.length === 1, { what: 'the job' });
  });
});

describe("RQ's suspension (`rq suspend`)", () => {
  it('holds back all queues while its key exists, and ends within about a second', async () => {
    await engine.client.set('rq:suspended', '1');
    const ran: unknown[] = [];
    await engine.work(
      ['a', 'b'].map((queue) => ({ queue, name: 'note', run: () => void ran.push(queue) })),
    );
    const [a, b] = [engine.queue('a'), engine.queue('b')];
    await a.enqueue('note');
    await b.enqueueIn(0.05, 'note');
    await eventually(async () => (await a.count()) === 1 && (await b.count()) === 1, {
      what: 'both to wait',
    });
    expect(ran).toEqual([]);

    await engine.client.del('rq:suspended');

    await eventually(() => ran.length === 2, {
      what: 'both jobs',
      timeout: 1000 + LATENESS,
    });
  });
});

describe('empty()', () => {
  it('deletes what waits, and nothing else', async () => {
    const gate = deferred<string>();
    // Its one slot is in use: no read is under way that could have a job in its hands.
    await engine.work({ slow: () => gate.promise }, { concurrency: 1, prefetch: 0 });
    const queue = engine.queue();
    const running = await queue.enqueue('slow');
    await eventually(async () => (await running.status()) === 'started', { what: 'the start' });
    await queue.pause();
    const waiting = await queue.enqueueMany(jobs(...Array.from({ length: 2500 }, (_, n) => n)));
    const scheduled = await queue.enqueueIn(60, 'note');
    await eventually(async () => (await queue.count()) === 2500, { what: 'all to wait' });

    expect(await queue.empty()).toBe(2500);

    expect(await queue.empty()).toBe(0);
    expect(await queue.counts()).toMatchObject({ queued: 0, started: 1, scheduled: 1 });
    const keys = await engine.client.keys('rq:job:*');
    expect(keys.toSorted()).toEqual([`rq:job:${running.id}`, `rq:job:${scheduled.id}`].toSorted());
    expect(await queue.getJob(waiting[0]?.id ?? '')).toBeUndefined();
    gate.resolve('done');
    expect(await running.result({ timeout: 5 })).toBe('done');
  });
});

describe('looking at a queue', () => {
  it('counts and lists what is in each registry, in its order', async () => {
    const gate = deferred();
    // One slot, which the slow job has in the end: no read is under way that could have a job in its hands.
    const worker = await engine.work(
      {
        ok: () => 1,
        boom: () => {
          throw new Error('boom');
        },
        slow: () => gate.promise,
      },
      { concurrency: 1, prefetch: 0 },
    );
    const queue = engine.queue();
    const finished = await queue.enqueue('ok');
    const failed = await queue.enqueue('boom');
    const started = await queue.enqueue('slow');
    const later = await queue.enqueueIn(120, 'ok');
    const sooner = await queue.enqueueIn(60, 'ok');
    const canceled = await queue.enqueueIn(60, 'ok');
    await canceled.cancel();
    await worker.events.waitFor('jobFinished');
    await worker.events.waitFor('jobFailed');
    await worker.events.waitFor('jobStarted', 3);
    await queue.pause();
    const waiting = await queue.enqueueMany([{ name: 'ok' }, { name: 'ok' }, { name: 'ok' }]);
    await eventually(async () => (await queue.count()) === 3, { what: 'all to wait' });

    expect(await queue.counts()).toEqual({
      queued: 3,
      started: 1,
      scheduled: 2,
      deferred: 0,
      finished: 1,
      failed: 1,
      canceled: 1,
    });
    const ids = async (...parameters: Parameters<typeof queue.jobs>) =>
      (await queue.jobs(...parameters)).map(({ id }) => id);
    expect(await ids()).toEqual(waiting.map(({ id }) => id));
    expect(await ids('queued', { offset: 1, limit: 1 })).toEqual([waiting[1]?.id]);
    expect(await ids('queued', { limit: 0 })).toEqual([]);
    for (const range of [{ limit: -1 }, { offset: -1 }, { limit: NaN }, { offset: 0.5 }]) {
      await expect(ids('queued', range)).rejects.toMatchObject({ code: 'RQ_INVALID_OPTION' });
    }
    expect(await ids('scheduled')).toEqual([sooner.id, later.id]);
    expect(await ids('started')).toEqual([started.id]);
    expect(await ids('finished')).toEqual([finished.id]);
    expect(await ids('failed')).toEqual([failed.id]);
    expect(await ids('canceled')).toEqual([canceled.id]);
    gate.resolve();
  });

  it('finds its own jobs only', async () => {
    const job = await engine.queue('images').enqueue('f');
    expect((await engine.queue('images').getJob(job.id))?.id).toBe(job.id);
    expect(await engine.queue('mail').getJob(job.id)).toBeUndefined();
    expect(await engine.queue('images').getJob('nosuchjob')).toBeUndefined();
  });
});
