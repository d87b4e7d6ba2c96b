// What is done to many jobs at once: by ids or by a registry, in slices, and what each call says of it.
import { deflateSync } from 'node:zlib';
import { resolveDefaults, resolveJobOptions } from '../../lib/job/index.js';
import { Queue, type RqJob } from '../../lib/queue/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const LIST = 'rq:queue:jobs';

const enqueue = (count: number, options = {}, name = 'ok') =>
  engine.queue().enqueueMany(Array.from({ length: count }, () => ({ name, data: 1, options })));
const idsOf = (jobs: readonly RqJob[]) => jobs.map(({ id }) => id);
const waiting = () => engine.client.lrange(LIST, 0, -1);

/** Jobs as the worker leaves them: each ends now, one after the other. */
async function end(jobs: readonly RqJob[], how: 'finished' | 'failed' | 'canceled'): Promise<void> {
  if (how === 'canceled') {
    await engine.queue().cancel(idsOf(jobs));
    return;
  }
  const worker = await engine.work({
    ok: () => (how === 'failed' ? Promise.reject(new Error('boom')) : 1),
  });
  await worker.events.waitFor(how === 'failed' ? 'jobFailed' : 'jobFinished', jobs.length);
  await worker.stop();
}

describe('a selection of a registry', () => {
  it.each(['failed', 'canceled', 'finished'] as const)(
    'requeues all jobs that are %s, in slices',
    async (place) => {
      const jobs = await enqueue(700);
      await end(jobs, place);
      expect(await engine.queue().requeue({ in: place })).toEqual({
        done: 700,
        skipped: { running: 0, state: 0, duplicate: 0 },
        missing: 0,
        looked: 700,
      });
      expect(await engine.queue().counts()).toMatchObject({ queued: 700, [place]: 0 });
      for (const id of idsOf(jobs).slice(0, 3)) expect(await engine.places(id)).toEqual(['queue']);
      await engine.work({ ok: () => 'again' });
      expect(await jobs[699]?.result({ timeout: 20 })).toBe('again');
    },
  );

  it.each(['queued', 'scheduled'] as const)(
    'cancels and deletes jobs that are %s',
    async (place) => {
      const queue = engine.queue();
      await enqueue(600, place === 'scheduled' ? { delay: 60 } : {});
      expect(await queue.cancel({ in: place, limit: 550 })).toMatchObject({
        done: 550,
        looked: 550,
      });
      expect(await queue.counts()).toMatchObject({ [place]: 50, canceled: 550 });
      expect(await queue.delete({ in: place })).toMatchObject({ done: 50 });
      expect(await queue.delete({ in: 'canceled' })).toMatchObject({ done: 550 });
      expect(await engine.client.keys('rq:job:*')).toEqual([]);
    },
  );

  it('cancels those that run: they are told', async () => {
    const began = deferred();
    const aborted = deferred();
    const worker = await engine.work({
      slow: (_, job) => {
        job.signal.addEventListener('abort', () => aborted.resolve());
        began.resolve();
        return new Promise(() => undefined);
      },
    });
    const job = await engine.queue().enqueue('slow');
    await began.promise;
    expect(await engine.queue().requeue([job.id])).toMatchObject({
      done: 0,
      skipped: { running: 1, state: 0 },
    });
    expect(await engine.queue().cancel({ in: 'started' })).toMatchObject({ done: 1 });
    await aborted.promise;
    await worker.events.waitFor('jobCanceled');
    expect(await engine.places(job.id)).toEqual(['canceled']);
  });

  it('takes the jobs of a name, wherever they stand between others', async () => {
    const queue = engine.queue();
    const jobs: RqJob[] = [];
    for (let round = 0; round < 3; round++) {
      jobs.push(...(await enqueue(400, {}, 'scan')), ...(await enqueue(400, {}, 'scan "all"')));
    }
    const others = jobs.filter((_, index) => Math.floor(index / 400) % 2 === 0);
    expect(await queue.cancel({ in: 'queued', name: 'scan "all"' })).toEqual({
      done: 1200,
      skipped: { running: 0, state: 0, duplicate: 0 },
      missing: 0,
      looked: 2400,
    });
    expect(await waiting()).toEqual(idsOf(others));
    expect(await queue.requeue({ in: 'canceled', name: 'scan' })).toMatchObject({ done: 0 });
    const some = await queue.requeue({ in: 'canceled', name: 'scan "all"', limit: 700 });
    expect(some).toMatchObject({ done: 700 });
  });

  it("knows the names of Python's jobs, whose data are deflated", async () => {
    for (const [index, name] of ['a.b', 'a.c', 'a.b'].entries()) {
      const data = deflateSync(JSON.stringify([name, null, [], {}]));
      await engine.client.hset(`rq:job:p${index}`, 'data', data, 'status', 'failed');
      await engine.client.zadd('rq:failed:jobs', index + 1, `p${index}`);
    }
    const selection = { in: 'failed', name: 'a.b' } as const;
    expect(await engine.queue().requeue(selection)).toMatchObject({ done: 2, looked: 3 });
    expect(await waiting()).toEqual(['p0', 'p2']);
    expect(await engine.client.zrange('rq:failed:jobs', '0', '-1')).toEqual(['p1']);
  });

  it('takes those of a time: of the end, of the wait, or when they are due', async () => {
    const queue = engine.queue();
    const dates = [
      '2026-01-01T00:00:00Z',
      '2026-01-02T00:00:00.500Z',
      '2026-01-02T00:00:00.600123Z',
    ];
    for (const [index, date] of dates.entries()) {
      const fields = { data: '["f",null,[],{}]', status: 'failed', ended_at: date };
      await engine.client.hset(`rq:job:t${index}`, fields);
      await engine.client.zadd('rq:failed:jobs', index + 1, `t${index}`);
    }
    await engine.client.hset('rq:job:t3', { data: '["f",null,[],{}]', status: 'failed' });
    await engine.client.zadd('rq:failed:jobs', 9, 't3');
    const second = new Date('2026-01-02T00:00:00.500Z');
    const taken = async (range: { before?: Date; after?: Date }) => {
      await queue.requeue({ in: 'failed', ...range });
      const ids = await waiting();
      for (const id of ids) {
        const date = dates[Number(id.slice(1))] ?? '';
        await engine.client.hset(`rq:job:${id}`, 'status', 'failed', 'ended_at', date);
        await engine.client.zadd('rq:failed:jobs', 1, id);
      }
      await engine.client.del(LIST);
      return ids.toSorted();
    };
    expect(await taken({ before: second })).toEqual(['t0']);
    expect(await taken({ after: second })).toEqual(['t1', 't2']);
    expect(await taken({ after: second, before: new Date(second.getTime() + 100) })).toEqual([
      't1',
    ]);
    expect(await taken({ after: new Date(second.getTime() + 100) })).toEqual(['t2']);
    expect(await taken({})).toEqual(['t0', 't1', 't2', 't3']);

    await enqueue(2, { delay: 60 });
    await enqueue(3, { delay: 3600 });
    const soon = new Date(Date.now() + 600_000);
    expect(await queue.promote({ in: 'scheduled', before: soon })).toMatchObject({
      done: 2,
      looked: 5,
    });
    expect(
      await queue.cancel({ in: 'queued', after: new Date(Date.now() + 60_000) }),
    ).toMatchObject({ done: 0 });
    expect(await queue.cancel({ in: 'scheduled', after: soon })).toMatchObject({ done: 3 });
    expect(
      await queue.cancel({ in: 'queued', after: new Date(Date.now() - 60_000) }),
    ).toMatchObject({ done: 2 });
  });

  it('leaves an entry that does not say where its job stands', async () => {
    const [job] = await enqueue(1);
    for (const place of ['failed', 'scheduled'])
      await engine.client.zadd(`rq:${place}:jobs`, 1, job!.id);
    const skipped = { running: 0, state: 1, duplicate: 0 };
    expect(await engine.queue().delete({ in: 'failed' })).toMatchObject({ done: 0, skipped });
    expect(await engine.queue().cancel({ in: 'scheduled' })).toMatchObject({ done: 0, skipped });
    expect(await job!.status()).toBe('queued');
  });

  it('passes over ids without a job, which leave the registries of ended jobs', async () => {
    for (const place of ['finished', 'failed', 'canceled', 'scheduled', 'deferred'] as const) {
      const ghosts = Array.from({ length: 600 }, (_, index) => [index + 1e10, `ghost-${index}`]);
      await engine.client.zadd(`rq:${place}:jobs`, ...ghosts.flat());
      await engine.client.set('rq:job:ghost-7', 'no job');
      expect(await engine.queue().delete({ in: place })).toMatchObject({ done: 0, missing: 600 });
      // Python writes the schedule and the deferred registry before the job.
      const left = place === 'scheduled' || place === 'deferred' ? 600 : 0;
      expect(await engine.client.zcard(`rq:${place}:jobs`)).toBe(left);
    }
  });

  it.each([
    ['requeue', { in: 'queued' }, "in must be one of 'failed', 'canceled', 'finished'"],
    ['cancel', { in: 'failed' }, "in must be one of 'queued', 'scheduled', 'deferred', 'started'"],
    ['promote', { in: 'queued' }, "in must be one of 'scheduled', 'deferred'"],
    ['delete', { in: 'waiting' }, 'in must be one of'],
    ['delete', { in: 'failed', before: '2026-01-01' }, 'before must be a Date'],
    ['delete', { in: 'failed', after: new Date(NaN) }, 'after must be a Date'],
    ['delete', { in: 'failed', name: '' }, 'name'],
    ['cancel', 'all', 'selection must be a list of ids'],
  ] as const)('%s refuses %j, naming what is wrong', async (action, selection, message) => {
    const acted = engine.queue()[action](selection as never);
    await expect(acted).rejects.toThrow(message);
    await expect(acted).rejects.toMatchObject({ code: 'RQ_INVALID_OPTION' });
  });
});

describe('a selection by ids', () => {
  it('takes jobs out of a long queue, wherever they stand in it, and keeps the order of the others', async () => {
    const jobs = idsOf(await enqueue(6000));
    const chosen = jobs.filter((_, index) => index % 7 === 3).toReversed();
    const rest = jobs.filter((_, index) => index % 7 !== 3);

    expect(await engine.queue().cancel([...chosen, 'nobody'])).toMatchObject({
      done: chosen.length,
      missing: 1,
    });
    expect(await waiting()).toEqual(rest);
    expect(await engine.queue().delete(rest)).toMatchObject({ done: rest.length });
    expect(await waiting()).toEqual([]);
    expect(await engine.queue().counts()).toMatchObject({ canceled: chosen.length });
  });

  it('takes jobs of every state at once, and says what it left', async () => {
    const queue = engine.queue();
    const [finished] = await enqueue(1);
    await end([finished!], 'finished');
    const [canceled] = await enqueue(1);
    await canceled!.cancel();
    const [queued, scheduled] = [await queue.enqueue('ok'), await queue.enqueueIn(60, 'ok')];
    const all = idsOf([finished!, canceled!, queued, scheduled]);

    expect(await queue.requeue(all)).toMatchObject({ done: 1, skipped: { state: 3 } });
    expect(await queue.requeue(all, { finished: true })).toMatchObject({ done: 1 });
    expect(await queue.cancel(all)).toMatchObject({ done: 4, looked: 4 });
    expect(await queue.cancel([...all, ...all])).toMatchObject({ done: 0, skipped: { state: 8 } });
    expect(await queue.delete([...all, 'nobody'])).toMatchObject({ done: 4, missing: 1 });
    expect(await engine.client.keys('rq:job:*')).toEqual([]);
  });

  it('finds jobs again when others came and went while it looked', async () => {
    const jobs = idsOf(await enqueue(3000));
    const store = await engine.openStore();
    const { connections } = store;
    // Between the look at the queue and the first call, a thousand jobs are taken.
    const run = connections.run.bind(connections);
    let isFirst = true;
    connections.run = async (action, command) => {
      const reply = await run(action, command);
      if (isFirst) await engine.client.ltrim(LIST, 1000, -1);
      isFirst = false;
      return reply;
    };
    const queue = new Queue('jobs', store);
    expect(await queue.delete(jobs.slice(1500, 2500))).toMatchObject({ done: 1000 });
    expect(await waiting()).toEqual([...jobs.slice(1000, 1500), ...jobs.slice(2500)]);
  });
});

it('a call that is repeated changes nothing more', async () => {
  const queue = engine.queue();
  const jobs = await enqueue(20);
  const ids = idsOf(jobs);
  const state = async () => [
    await waiting(),
    await engine.client.zrange('rq:canceled:jobs', '0', '-1', 'WITHSCORES'),
    await engine.fields(ids[0]!),
  ];
  for (const act of [
    () => queue.cancel(ids),
    () => queue.requeue(ids, { retries: 3 }),
    () => queue.delete(ids),
  ]) {
    expect(await act()).toMatchObject({ done: 20 });
    const after = await state();
    expect(await act()).toMatchObject({ done: 0 });
    expect(await state()).toEqual(after);
  }
});

it('tells events, waiters and the times to live, as for each job by itself', async () => {
  const jobs = await enqueue(3, { failureTtl: 500 });
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    const events = engine.queue().events({ onListening: resolve });
    events.subscribe((event) => told.push(`${event.type} ${event.name}`));
  });
  const result = jobs[1]!.result({ timeout: 20 });
  result.catch(() => undefined);
  await eventually(async () => (await engine.client.scard('rq:nrq:waiting:jobs')) === 1, {
    what: 'the waiter',
  });
  await engine.queue().cancel({ in: 'queued' });
  await expect(result).rejects.toMatchObject({ code: 'RQ_JOB_CANCELED' });
  await eventually(() => told.length === 3, { what: 'the events' });
  expect(told).toEqual(Array(3).fill('canceled ok'));
  expect(await engine.client.ttl(`rq:job:${jobs[0]!.id}`)).toBeGreaterThan(490);
  await engine.queue().requeue({ in: 'canceled' });
  expect(await engine.client.ttl(`rq:job:${jobs[0]!.id}`)).toBe(-1);
});

describe('what one call of the script does', () => {
  /** Commands that Redis has run so far in scripts and outside, but for the looks of this test. */
  const commands = async () => {
    const stats = await engine.client.info('commandstats');
    const calls = (name: string) =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    const all = [...stats.matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)];
    const total = all.reduce(
      (sum, [, name, count]) => sum + (name === 'info' ? 0 : Number(count)),
      0,
    );
    return { scripts: calls('evalsha') + calls('eval'), total };
  };

  it.each([
    ['cancel', (queue: Queue) => queue.cancel({ in: 'queued' })],
    ['delete', (queue: Queue) => queue.delete({ in: 'queued' })],
    ['requeue', (queue: Queue) => queue.requeue({ in: 'canceled' }, { retries: 'fresh' })],
    ['cancel by ids', async (queue: Queue) => queue.cancel((await waiting()).toReversed())],
  ] as const)('is bounded, and so is what it does per job: %s', async (name, act) => {
    const jobs = await enqueue(5000);
    if (name === 'requeue') await engine.queue().cancel(idsOf(jobs));
    await engine.client.config('RESETSTAT');
    expect(await act(engine.queue())).toMatchObject({ done: 5000 });
    const { scripts, total } = await commands();
    // At most 300 jobs in one call, and at least ten, however slow Redis is: the clock ends a call. Some commands for each of
    // them, whatever the queue's length.
    expect(scripts).toBeGreaterThanOrEqual(17);
    expect(scripts).toBeLessThanOrEqual(500);
    expect(total / 5000).toBeLessThan(10);
  });

  it('searches the long queue for each of few ids only', async () => {
    const jobs = idsOf(await enqueue(5000));
    await engine.client.config('RESETSTAT');
    await engine.queue().cancel(jobs.filter((_, index) => index % 100 === 99));
    const stats = await engine.client.info('commandstats');
    expect(Number(/cmdstat_lrem:calls=(\d+)/.exec(stats)?.[1] ?? 0)).toBeLessThan(10);
  });
});

describe('jobs that wait for others', () => {
  it('are told of what is done to many, and wait again with a requeue of many', async () => {
    const parents = idsOf(await enqueue(3));
    const child = (id: string, parent: string) => ({
      queue: 'jobs',
      id,
      check: 'new' as const,
      data: '["ok",null,[1],{}]',
      options: resolveJobOptions(undefined, resolveDefaults(undefined)),
      meta: undefined,
      waitsFor: { jobs: [parent], ifFailed: 'cancel' as const },
    });
    const children = parents.map((parent, index) => child(`child-${index}`, parent));
    await engine.store.enqueue([...children, child('grandchild', 'child-0')], 'all');
    const queue = engine.queue();

    expect(await queue.cancel({ in: 'queued' })).toMatchObject({ done: 3 });
    expect(await queue.counts()).toMatchObject({ canceled: 7, deferred: 0 });
    const report = await queue.requeue({ in: 'canceled' });
    expect(report.done).toBe(3);
    expect(await queue.counts()).toMatchObject({ canceled: 0, deferred: 4, queued: 3 });
    expect(await queue.promote(['child-0'])).toMatchObject({ done: 1 });
    expect(await queue.delete(parents)).toMatchObject({ done: 3 });
    expect(await queue.counts()).toMatchObject({ canceled: 2, deferred: 1, queued: 1 });
    const worker = await engine.work({ ok: () => 1 });
    await worker.events.waitFor('jobFinished', 2);
  });
});

describe('unique jobs', () => {
  it('of two that are the same, a requeue of many takes one, and counts the other', async () => {
    const queue = engine.queue();
    const unique = () => queue.enqueue('ok', 1, { unique: { by: 'same' } });
    const first = await unique();
    await first.cancel();
    const second = await unique();
    await second.cancel();
    await enqueue(2);
    await queue.cancel({ in: 'queued' });

    const report = await queue.requeue({ in: 'canceled' });
    expect(report).toMatchObject({ done: 3, skipped: { duplicate: 1, state: 0 } });
    expect(await queue.counts()).toMatchObject({ queued: 3, canceled: 1 });
    const [left] = await queue.jobs('canceled');
    expect([first.id, second.id]).toContain(left?.id);
    await expect(queue.job(left?.id ?? '').requeue()).rejects.toMatchObject({
      code: 'RQ_DUPLICATE_JOB',
    });
    expect(await queue.delete({ in: 'queued' })).toMatchObject({ done: 3 });
    expect(await queue.requeue({ in: 'canceled' })).toMatchObject({ done: 1 });
  });
});
