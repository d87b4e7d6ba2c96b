// What waits for a time or for other jobs can be let run now; and new retries at a requeue.
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

/** As Python enqueues a job that waits for others. */
async function deferJob(id: string, parents: readonly string[], fields = {}): Promise<void> {
  const { client } = engine;
  await engine.queue().enqueue('ok', 1, { id });
  await client.lrem('rq:queue:jobs', 0, id);
  await client.hset(`rq:job:${id}`, {
    status: 'deferred',
    dependency_ids: JSON.stringify(parents),
    ...fields,
  });
  await client.zadd('rq:deferred:jobs', '+inf', id);
  for (const parent of parents) {
    await client.sadd(`rq:job:${parent}:dependents`, id);
    await client.sadd(`rq:job::${id}:dependencies`, parent);
  }
}

describe('promote()', () => {
  it('runs a scheduled job now, and wakes whoever waits', async () => {
    await engine.work({ ok: () => 'early' });
    const job = await engine.queue().enqueueIn(3600, 'ok');
    await job.promote();
    expect(await job.result({ timeout: 10 })).toBe('early');
  });

  it('goes to the head when the job says so, and its time to wait begins', async () => {
    const queue = engine.queue();
    const waits = await queue.enqueue('ok');
    const first = await queue.enqueueIn(3600, 'ok', 1, { atFront: true, ttl: 60 });
    const last = await queue.enqueueIn(3600, 'ok');
    expect(await engine.client.ttl(`rq:job:${first.id}`)).toBeGreaterThan(3600);
    await last.promote();
    await first.promote();
    expect((await queue.jobs()).map(({ id }) => id)).toEqual([first.id, waits.id, last.id]);
    expect(await engine.client.ttl(`rq:job:${first.id}`)).toBeLessThanOrEqual(60);
    expect(await engine.places(first.id)).toEqual(['queue']);
  });

  it('lets a deferred job run, which its parents forget', async () => {
    await deferJob('child', ['p1', 'p2']);
    const child = engine.queue().job('child');
    await child.promote();
    expect(await engine.places('child')).toEqual(['queue']);
    expect(await engine.client.keys('rq:job:*depend*')).toEqual([]);
    await engine.work({ ok: () => 'alone' });
    expect(await child.result({ timeout: 10 })).toBe('alone');
  });

  it('takes many, of the schedule or by ids', async () => {
    const queue = engine.queue();
    const later = Array.from({ length: 600 }, () => ({ name: 'ok', options: { delay: 60 } }));
    const jobs = await queue.enqueueMany(later);
    await deferJob('child', ['p']);
    expect(await queue.promote({ in: 'scheduled', limit: 10 })).toMatchObject({ done: 10 });
    const ids = [...jobs.map(({ id }) => id), 'child'];
    expect(await queue.promote(ids)).toMatchObject({ done: 591, skipped: { state: 10 } });
    expect(await queue.promote(ids)).toMatchObject({ done: 0, skipped: { state: 601 } });
    expect(await queue.counts()).toMatchObject({ queued: 601, scheduled: 0, deferred: 0 });
  });

  it('is refused where nothing waits for anything', async () => {
    const gate = deferred();
    const worker = await engine.work({ ok: () => gate.promise });
    const job = await engine.queue().enqueue('ok');
    await worker.events.waitFor('jobStarted');
    await expect(job.promote()).rejects.toThrow(
      /Cannot promote job .*: it is started\. Possible only when it is scheduled or deferred/,
    );
    gate.resolve();
    await job.result({ timeout: 10 });
    await expect(job.promote()).rejects.toMatchObject({ code: 'RQ_INVALID_JOB_STATE' });
    await expect(engine.queue().job('nobody').promote()).rejects.toMatchObject({
      code: 'RQ_JOB_NOT_FOUND',
    });
  });
});

describe('requeue() with retries', () => {
  /** How often the job runs until it has failed for good. */
  const runs = async (id: string, retry?: object | false) => {
    let count = 0;
    const worker = await engine.work({
      boom: {
        run: () => {
          count += 1;
          throw new Error('boom');
        },
        ...(retry === undefined ? {} : { retry }),
      },
    });
    await worker.events.waitFor('jobFailed');
    await worker.stop();
    expect(await engine.places(id)).toEqual(['failed']);
    return count;
  };
  const requeue = async (id: string, options?: { retries?: 'fresh' | number }) => {
    await engine.queue().requeue([id], options);
    return runs(id);
  };

  it("gives as many as the job's own policy said, again and again", async () => {
    const retry = { max: 2, interval: 0 };
    const { id } = await engine.queue().enqueue('boom', 1, { retry });
    expect(await runs(id)).toBe(3);
    expect(await requeue(id)).toBe(1);
    expect(await requeue(id, { retries: 'fresh' })).toBe(3);
    expect(await requeue(id, { retries: 4 })).toBe(5);
    expect(await requeue(id, { retries: 'fresh' })).toBe(3);
    expect(await requeue(id, { retries: 0 })).toBe(1);
  });

  it("gives the handler's, when the handler's counted", async () => {
    const { id } = await engine.queue().enqueue('boom');
    expect(await runs(id, { max: 1, interval: 0 })).toBe(2);
    await engine.queue().job(id).requeue({ retries: 'fresh' });
    expect(await runs(id, { max: 3, interval: 0 })).toBe(4);
  });

  it('gives a number to a job that had none, and that number counts', async () => {
    const job = await engine.queue().enqueue('boom');
    await job.cancel();
    await job.requeue({ retries: 2 });
    const fields = await engine.fields(job.id);
    expect(fields).toMatchObject({ retries_left: '2', retry_intervals: '[3,9]', nrq_given: 'rx' });
    await engine.client.hset(`rq:job:${job.id}`, 'retry_intervals', '[0]');
    expect(await runs(job.id, { max: 9, interval: 0 })).toBe(3);
  });

  it('begins the time of `within` anew', async () => {
    const retry = { max: 2, interval: 0.001, within: '1h' };
    const { id } = await engine.queue().enqueue('boom', 1, { retry });
    await engine.client.hset(`rq:job:${id}`, 'created_at', '2020-01-01T00:00:00Z');
    expect(await runs(id)).toBe(1);
    expect(await requeue(id, { retries: 'fresh' })).toBe(3);
  });

  it('keeps the policy of a job that Python enqueued', async () => {
    const fields = {
      data: '["boom",null,[1],{}]',
      status: 'queued',
      success_callback_name: '',
      retries_left: '2',
      retry_intervals: '[0]',
    };
    await engine.client.hset('rq:job:py', fields);
    await engine.client.rpush('rq:queue:jobs', 'py');
    expect(await runs('py')).toBe(3);
    expect(await requeue('py', { retries: 'fresh' })).toBe(3);
    expect(await requeue('py', { retries: 1 })).toBe(2);
    expect(await engine.fields('py')).not.toHaveProperty('nrq_given');
  });

  it.each([['many'], [-1], [1.5], [1001]])('refuses %p', async (retries) => {
    const requeued = engine
      .queue()
      .job('j')
      .requeue({ retries: retries as number });
    await expect(requeued).rejects.toThrow(/retries must be 'fresh' or a whole number/);
  });
});

describe('requeue() of a finished job', () => {
  it('is refused unless it is asked for, so that a repeated call runs nothing twice', async () => {
    const worker = await engine.work({ ok: (data) => data });
    const job = await engine.queue().enqueue('ok', 7);
    expect(await job.result({ timeout: 10 })).toBe(7);
    await expect(job.requeue()).rejects.toMatchObject({ code: 'RQ_INVALID_JOB_STATE' });
    await worker.stop();
    await job.requeue({ finished: true });
    expect(await engine.places(job.id)).toEqual(['queue']);
    expect(await engine.client.ttl(`rq:job:${job.id}`)).toBe(-1);
    expect(await engine.fields(job.id)).not.toHaveProperty('result');
    const waiting = job.result({ timeout: 10 });
    await eventually(async () => (await engine.client.scard('rq:nrq:waiting:jobs')) === 1, {
      what: 'the waiter',
    });
    await engine.work({ ok: () => 'again' });
    expect(await waiting).toBe('again');
  });
});
