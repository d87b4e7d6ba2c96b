// Lists that a person reads: what is in a registry, in one call, whatever stands there.
import { deflateSync } from 'node:zlib';
import type { JobSummary } from '../../lib/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { EXC_STRING, enqueueAsPython, jobFields } from './support/python-fixture.js';

const engine = Engine.forThisFile();

const ids = (jobs: readonly JobSummary[]) => jobs.map(({ id }) => id);

/** How many script calls `act` sends. */
async function callsOf(act: () => Promise<unknown>): Promise<number> {
  // Once before: Redis knows the script then.
  await act();
  await engine.client.config('RESETSTAT');
  await act();
  const info = await engine.client.info('commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? 0);
}

describe('queue.jobs()', () => {
  it('tells of waiting and scheduled jobs what a person looks for', async () => {
    const queue = engine.queue();
    const before = Date.now();
    const waiting = await queue.enqueue('scan', { secret: 1 }, { retry: { max: 3, interval: 5 } });
    const later = await queue.enqueueIn(60, 'remind', undefined, { description: 'a reminder' });

    expect(await queue.jobs()).toEqual([
      {
        id: waiting.id,
        queue: 'jobs',
        name: 'scan',
        status: 'queued',
        dueAt: undefined,
        attempts: 0,
        retriesLeft: 3,
        createdAt: expect.any(Date) as Date,
        enqueuedAt: expect.any(Date) as Date,
        startedAt: undefined,
        endedAt: undefined,
        worker: undefined,
        description: undefined,
        failure: undefined,
        reason: undefined,
      },
    ]);
    const [scheduled] = await queue.jobs('scheduled');
    expect(scheduled).toMatchObject({
      id: later.id,
      name: 'remind',
      status: 'scheduled',
      enqueuedAt: undefined,
      description: 'a reminder',
    });
    const due = scheduled?.dueAt?.getTime() ?? 0;
    expect(due - before).toBeGreaterThanOrEqual(59_900);
    expect(due - before).toBeLessThan(70_000);
  });

  it('tells of running, finished, failed, retried and canceled jobs how it went', async () => {
    const gate = deferred();
    const worker = await engine.work({
      slow: () => gate.promise,
      ok: () => 1,
      boom: () => Promise.reject(new TypeError('no\nsecond line')),
    });
    const queue = engine.queue();
    const slow = await queue.enqueue('slow');
    const ok = await queue.enqueue('ok');
    const boom = await queue.enqueue('boom');
    const again = await queue.enqueue('boom', undefined, { retry: { max: 1, interval: 60 } });
    const canceled = await queue.enqueueIn(60, 'ok');
    await canceled.cancel();
    await worker.events.waitFor('jobFinished');
    await worker.events.waitFor('jobFailed');
    await worker.events.waitFor('jobRetrying');

    const failure = 'TypeError: no second line';
    expect(await queue.jobs('started')).toMatchObject([
      { id: slow.id, name: 'slow', status: 'started', attempts: 1, worker: worker.name },
    ]);
    expect(await queue.jobs('finished')).toMatchObject([
      { id: ok.id, attempts: 1, failure: undefined, endedAt: expect.any(Date) as Date },
    ]);
    expect(await queue.jobs('failed')).toMatchObject([
      { id: boom.id, status: 'failed', attempts: 1, failure },
    ]);
    expect(await queue.jobs('scheduled')).toMatchObject([
      { id: again.id, status: 'scheduled', attempts: 1, retriesLeft: 0, failure },
    ]);
    expect(await queue.jobs('canceled')).toMatchObject([{ id: canceled.id, status: 'canceled' }]);
    // The ids are those that getJob knows.
    for (const registry of ['started', 'finished', 'failed', 'scheduled', 'canceled'] as const) {
      for (const { id } of await queue.jobs(registry)) {
        expect((await queue.getJob(id))?.id).toBe(id);
        expect(await queue.job(id).status()).toBe(registry);
      }
    }
    gate.resolve();
  });

  it("tells of Python's jobs, too: deflated calls, pickles, tracebacks", async () => {
    await enqueueAsPython(engine.client, 'json', 'add');
    await enqueueAsPython(engine.client, 'pickle', 'add', {
      data: deflateSync(Buffer.from([0x80, 4, 0x95, 1, 2, 3])),
    });
    const large = `["tasks.large", null, ["${Math.random().toString(36).repeat(50_000)}"], {}]`;
    await enqueueAsPython(engine.client, 'large', 'add', { data: deflateSync(large) });
    await engine.client.zadd('rq:failed:tasks', Math.floor(Date.now() / 1000) + 1000, 'failed');
    await engine.client.hset('rq:job:failed', jobFields('greet', { status: 'failed' }));
    await engine.client.xadd('rq:results:failed', '*', 'type', '2', 'exc_string', EXC_STRING);
    const queue = engine.queue('tasks');

    expect(await queue.jobs()).toMatchObject([
      { id: 'json', name: 'tasks.add', description: 'tasks.add(1, 2)', startedAt: undefined },
      { id: 'pickle', name: undefined, description: 'tasks.add(1, 2)' },
      { id: 'large', name: 'tasks.large' },
    ]);
    expect(await queue.jobs('failed')).toMatchObject([
      { id: 'failed', name: 'tasks.greet', failure: 'ValueError: no such file' },
    ]);
  });

  it('is one call for a page of 100, and no payload travels', async () => {
    const queue = engine.queue();
    const data = 'x'.repeat(50_000);
    await queue.enqueueMany(Array.from({ length: 100 }, () => ({ name: 'f', data })));
    expect(await callsOf(() => queue.jobs())).toBe(1);

    const before = await bytesSent();
    expect(await queue.jobs()).toHaveLength(100);
    expect((await bytesSent()) - before).toBeLessThan(200_000);
  });

  it('goes through long lists and huge jobs in slices, in order and without a gap', async () => {
    const queue = engine.queue();
    const many = await queue.enqueueMany(Array.from({ length: 450 }, () => ({ name: 'f' })));
    expect(ids(await queue.jobs('queued', { limit: 1000 }))).toEqual(many.map(({ id }) => id));
    expect(ids(await queue.jobs('queued', { offset: 195, limit: 10 }))).toEqual(
      many.slice(195, 205).map(({ id }) => id),
    );
    await queue.empty();
    const data = 'x'.repeat(5_000_000);
    const huge = await queue.enqueueMany(Array.from({ length: 7 }, () => ({ name: 'f', data })));
    expect(ids(await queue.jobs())).toEqual(huge.map(({ id }) => id));
  });

  it('passes over any number of failed jobs whose time is over, in every page', async () => {
    const client = engine.client;
    const now = Math.floor(Date.now() / 1000);
    const over = Array.from({ length: 500 }, (_, index) => [now - 10 - index, `over-${index}`]);
    await client.zadd('rq:failed:jobs', ...over.flat());
    const kept = ['for-ever-1', 'for-ever-2', 'a', 'b', 'c'];
    for (const [index, id] of kept.entries()) {
      await client.hset(`rq:job:${id}`, 'data', '["f",null,[],{}]', 'status', 'failed');
      await client.zadd('rq:failed:jobs', index < 2 ? -1 : now + 1000 + index, id);
    }
    const queue = engine.queue();

    expect(ids(await queue.jobs('failed'))).toEqual(kept);
    for (let offset = 0; offset <= kept.length; offset += 1) {
      for (let limit = 0; limit <= kept.length; limit += 1) {
        expect(ids(await queue.jobs('failed', { offset, limit }))).toEqual(
          kept.slice(offset, offset + limit),
        );
      }
    }
  });

  it('leaves out what is no job, and survives what others have written', async () => {
    const client = engine.client;
    const queue = engine.queue();
    const job = await queue.enqueue('f');
    await client.rpush('rq:queue:jobs', 'gone', 'text', 'no-data', 'odd');
    await client.set('rq:job:text', 'of another type');
    await client.hset('rq:job:no-data', 'status', 'queued');
    await client.hset('rq:job:odd', {
      data: Buffer.from([0x78, 0x9c, 0xff, 0xff]),
      status: 'confused',
      created_at: 'yesterday',
      retries_left: 'some',
      nrq_attempts: '7',
      'nrq_attempt:7': '['.repeat(100_000),
      description: 'ä'.repeat(100_000),
    });

    const jobs = await queue.jobs();
    expect(ids(jobs)).toEqual([job.id, 'odd']);
    expect(jobs[1]).toMatchObject({
      name: undefined,
      status: 'queued',
      createdAt: undefined,
      retriesLeft: undefined,
      failure: undefined,
      description: 'ä'.repeat(256),
    });
    await client.set('rq:failed:jobs', 'of another type');
    await expect(queue.jobs('failed')).rejects.toThrow('WRONGTYPE');
  });

  it('refuses a registry that there is not, naming those that there are', async () => {
    const jobs = engine.queue().jobs('waiting' as 'queued');
    await expect(jobs).rejects.toThrow(/registry must be one of queued, started, /);
    await expect(jobs).rejects.toMatchObject({ code: 'RQ_INVALID_OPTION' });
  });
});

describe('requeue()', () => {
  const fail = async (count: number, queue = engine.queue()) => {
    let fails = true;
    const worker = await engine.work({
      boom: () => {
        if (fails) throw new Error('boom');
      },
    });
    const jobs = await queue.enqueueMany(Array.from({ length: count }, () => ({ name: 'boom' })));
    await worker.events.waitFor('jobFailed', count);
    fails = false;
    await worker.stop();
    return jobs;
  };

  it('passes over ids without a job, however many come first, and removes them', async () => {
    const jobs = await fail(3);
    const ghosts = Array.from({ length: 1200 }, (_, index) => [index + 1, `ghost-${index}`]);
    await engine.client.zadd('rq:failed:jobs', ...ghosts.flat());

    expect(await engine.queue().requeue({ in: 'failed' })).toMatchObject({ done: 3 });

    expect(await engine.client.zcard('rq:failed:jobs')).toBe(0);
    expect((await engine.client.lrange('rq:queue:jobs', 0, -1)).toSorted()).toEqual(
      jobs.map(({ id }) => id).toSorted(),
    );
  });

  it('passes over entries that are not to be requeued, and leaves them', async () => {
    const jobs = await fail(2);
    const running = Array.from({ length: 700 }, (_, index) => `running-${index}`);
    const batch = engine.client.pipeline();
    for (const id of running) {
      batch.hset(`rq:job:${id}`, 'data', '["f",null,[],{}]', 'status', 'started');
      batch.zadd('rq:failed:jobs', 1, id);
    }
    await batch.exec();

    expect(await engine.queue().requeue({ in: 'failed' })).toMatchObject({ done: 2 });
    expect(await engine.client.zcard('rq:failed:jobs')).toBe(700);
    expect(await engine.queue().count()).toBe(jobs.length);
  });

  it('takes as many as it is told, the earliest first, and those of some ids', async () => {
    const jobs = await fail(6);
    const queue = engine.queue();
    const [first, second, third] = ids(await queue.jobs('failed'));
    expect(await queue.requeue({ in: 'failed', limit: 2 })).toMatchObject({ done: 2 });
    expect(ids(await queue.jobs())).toEqual([first, second]);
    expect(await queue.requeue({ in: 'failed', limit: 0 })).toMatchObject({ done: 0 });
    // Some more than once, one that waits already, one that never was.
    expect(await queue.requeue([third ?? '', third ?? '', first ?? '', 'nosuchjob'])).toMatchObject(
      { done: 1 },
    );
    expect(await queue.counts()).toMatchObject({ queued: 3, failed: jobs.length - 3 });
    expect(await queue.requeue([])).toMatchObject({ done: 0 });
  });

  it('brings canceled jobs back', async () => {
    const queue = engine.queue();
    const jobs = await queue.enqueueMany([{ name: 'f' }, { name: 'f' }]);
    for (const job of jobs) await job.cancel();
    expect(await queue.requeue({ in: 'failed' })).toMatchObject({ done: 0 });
    expect(await queue.requeue({ in: 'canceled' })).toMatchObject({ done: 2 });
    expect(await queue.counts()).toMatchObject({ queued: 2, canceled: 0 });
    for (const job of jobs) expect(await engine.places(job.id)).toEqual(['queue']);
  });

  it('does not take jobs again that fail meanwhile', async () => {
    const jobs = await fail(700);
    const failing = await engine.work(
      { boom: () => Promise.reject(new Error('again')) },
      { concurrency: 100 },
    );
    const { done } = await engine.queue().requeue({ in: 'failed' });
    expect(done).toBeLessThanOrEqual(jobs.length);
    await failing.events.waitFor('jobFailed', 1);
    await eventually(async () => (await engine.queue().counts()).failed === jobs.length, {
      what: 'all to have failed again',
    });
  });

  it.each([
    ['all', 'selection must be a list of ids'],
    [{ in: 'queued' }, "in must be one of 'failed', 'canceled', 'finished'"],
    [{ in: 'failed', limit: -1 }, 'limit must be a whole number'],
    [{ in: 'failed', limits: 1 }, 'limits is not an option here'],
    [{}, "in must be one of 'failed', 'canceled', 'finished'"],
    [['a', 7], 'ids[1] must be text'],
  ])('refuses %j, naming what is wrong', async (selection, message) => {
    const requeued = engine.queue().requeue(selection as string[]);
    await expect(requeued).rejects.toThrow(message);
    await expect(requeued).rejects.toMatchObject({ code: 'RQ_INVALID_OPTION' });
  });
});

async function bytesSent(): Promise<number> {
  const info = await engine.client.info('stats');
  return Number(/total_net_output_bytes:(\d+)/.exec(info)?.[1]);
}
