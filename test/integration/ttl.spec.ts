import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const YEAR = 31_536_000;

async function score(registry: string, id: string): Promise<string | null> {
  return engine.client.zscore(`rq:${registry}:jobs`, id);
}

function expectAbout(seconds: number, expected: number): void {
  expect(seconds).toBeGreaterThan(expected - 5);
  expect(seconds).toBeLessThanOrEqual(expected);
}

describe('how long an ended job is kept', () => {
  const handlers = {
    ok: () => 1,
    boom: () => {
      throw new Error('boom');
    },
  };

  it.each<[object, number]>([
    [{}, 500],
    [{ resultTtl: 60 }, 60],
    [{ resultTtl: '1d' }, 86_400],
  ])('a result, with %j: %d seconds', async (options, ttl) => {
    await engine.work(handlers);
    const job = await engine.queue().enqueue('ok', undefined, options);
    await job.result({ timeout: 5 });

    expectAbout(await engine.client.ttl(`rq:job:${job.id}`), ttl);
    expectAbout(Number(await score('finished', job.id)) - Math.floor(Date.now() / 1000), ttl);
  });

  it.each<[object, number]>([
    [{}, YEAR],
    [{ failureTtl: '1h' }, 3600],
  ])('a failure, with %j: %d seconds', async (options, ttl) => {
    await engine.work(handlers);
    const job = await engine.queue().enqueue('boom', undefined, options);
    await expect(job.result({ timeout: 5 })).rejects.toThrow('boom');

    expectAbout(await engine.client.ttl(`rq:job:${job.id}`), ttl);
    expectAbout(Number(await score('failed', job.id)) - Math.floor(Date.now() / 1000), ttl);
  });

  it("for ever, by RQ's signs for it", async () => {
    await engine.work(handlers);
    const options = { resultTtl: 'forever', failureTtl: -1 };
    const ok = await engine.queue().enqueue('ok', undefined, options);
    const boom = await engine.queue().enqueue('boom', undefined, options);
    await ok.result({ timeout: 5 });
    await expect(boom.result({ timeout: 5 })).rejects.toThrow('boom');

    for (const { id } of [ok, boom]) expect(await engine.client.ttl(`rq:job:${id}`)).toBe(-1);
    expect(await score('finished', ok.id)).toBe('inf');
    expect(await score('failed', boom.id)).toBe('-1');
  });

  it('not at all with 0: nothing of the job is left', async () => {
    const worker = await engine.work(handlers);
    const options = { resultTtl: 0, failureTtl: 0 };
    await engine.queue().enqueue('ok', undefined, options);
    await engine.queue().enqueue('boom', undefined, options);
    await worker.events.waitFor('jobFinished');
    await worker.events.waitFor('jobFailed');

    expect(await engine.client.keys('rq:job:*')).toEqual([]);
    expect(await engine.client.keys('rq:results:*')).toEqual([]);
    expect(await engine.queue().counts()).toMatchObject({ finished: 0, failed: 0, started: 0 });
  });

  it('starts anew when it ends again after a requeue', async () => {
    let fails = true;
    await engine.work({
      flaky: () => {
        if (fails) throw new Error('boom');
      },
    });
    const job = await engine.queue().enqueue('flaky', undefined, { failureTtl: 20, resultTtl: 60 });
    await expect(job.result({ timeout: 5 })).rejects.toThrow('boom');
    expectAbout(await engine.client.ttl(`rq:job:${job.id}`), 20);

    await engine.queue().pause();
    await job.requeue();
    // A job that waits again must not vanish by the end of its old time.
    expect(await engine.client.ttl(`rq:job:${job.id}`)).toBe(-1);
    fails = false;
    await engine.queue().resume();
    await job.result({ timeout: 5 });
    expectAbout(await engine.client.ttl(`rq:job:${job.id}`), 60);
  });

  it('is over for registry entries, too, whose jobs have expired', async () => {
    const past = Math.floor(Date.now() / 1000) - 10;
    await engine.client.zadd('rq:finished:jobs', past, 'gone1', '+inf', 'kept1');
    await engine.client.zadd('rq:failed:jobs', past, 'gone2', '-1', 'kept2');
    for (const id of ['kept1', 'kept2']) await engine.client.hset(`rq:job:${id}`, 'data', '');

    await engine.work(handlers);

    await eventually(
      async () =>
        (await engine.client.zcard('rq:finished:jobs')) === 1 &&
        (await score('failed', 'gone2')) === null,
      { what: 'the old entries to be dropped' },
    );
    expect(await score('finished', 'kept1')).toBe('inf');
    expect(await score('failed', 'kept2')).toBe('-1');
  });
});

describe('how long a job may wait (ttl)', () => {
  it('ends in the queue: the job vanishes, and the worker goes on', async () => {
    const ran: unknown[] = [];
    const short = await engine.queue().enqueue('note', 'short', { ttl: 1 });
    const long = await engine.queue().enqueue('note', 'long', { ttl: 60 });
    expectAbout(await engine.client.ttl(`rq:job:${long.id}`), 60);
    // A second is the shortest time of RQ's; moving it forward spares the test the wait.
    await engine.client.pexpire(`rq:job:${short.id}`, 1);
    await eventually(async () => !(await engine.queue().getJob(short.id)), { what: 'the end' });

    const worker = await engine.work({ note: (data) => void ran.push(data) });
    await long.result({ timeout: 5 });

    expect(ran).toEqual(['long']);
    expect(worker.events.of('jobDropped')).toEqual([
      { queue: 'jobs', jobId: short.id, reason: 'missing' },
    ]);
    expect(await engine.places(short.id)).toEqual([]);
  });

  it('does not end while the job runs, nor afterwards', async () => {
    const gate = deferred();
    const worker = await engine.work({ note: () => gate.promise });
    const job = await engine.queue().enqueue('note', undefined, { ttl: 30, resultTtl: 60 });
    await worker.events.waitFor('jobStarted');

    expect(await engine.client.ttl(`rq:job:${job.id}`)).toBe(-1);
    gate.resolve();
    await job.result({ timeout: 5 });
    expectAbout(await engine.client.ttl(`rq:job:${job.id}`), 60);
  });

  it('of a delayed job begins when it is due', async () => {
    const job = await engine.queue().enqueueIn('1h', 'note', undefined, { ttl: 10 });
    expectAbout(await engine.client.ttl(`rq:job:${job.id}`), 3610);
    const inTime = await engine.queue().enqueueIn(0.3, 'note', 'in time', { ttl: 10 });
    await engine.work({ note: (data) => data });
    expect(await inTime.result({ timeout: 5 })).toBe('in time');
  });

  it('of a delayed job that nobody ran in time: it vanishes from the schedule as well', async () => {
    const job = await engine.queue().enqueueIn(0.05, 'note', undefined, { ttl: 1 });
    await engine.client.pexpire(`rq:job:${job.id}`, 1);
    // Long due: the registry entry is given up only after a minute, for Python writes it before the job.
    await engine.client.zadd('rq:scheduled:jobs', Math.floor(Date.now() / 1000) - 61, job.id);
    const worker = await engine.work({ note: () => 1 });

    await eventually(async () => (await engine.places(job.id)).length === 0, { what: 'the end' });
    const next = await engine.queue().enqueue('note');
    expect(await next.result({ timeout: 5 })).toBe(1);
    expect(worker.events.of('problem')).toEqual([]);
  });
});
