import type { GivenSchedule } from '../../lib/queue/index.js';
import type { Queue } from '../../lib/queue/index.js';
import type { RedisJobStore } from '../../lib/store/index.js';
import { type OwnDefinition, Scheduler } from '../../lib/worker/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const open = new Set<Scheduler>();

afterEach(async () => {
  await Promise.all([...open].map((scheduler) => scheduler.stop()));
  open.clear();
});

/** A process that fires schedules, with connections of its own. */
async function fire(
  own: readonly OwnDefinition[] = [],
  problems: string[] = [],
): Promise<{ scheduler: Scheduler; store: RedisJobStore; stop: () => Promise<void> }> {
  const store = await engine.openStore();
  const scheduler = new Scheduler(store, own, { problem: ({ message }) => problems.push(message) });
  open.add(scheduler);
  await scheduler.start();
  return { scheduler, store, stop: () => scheduler.stop() };
}

/** A schedule as `@Schedule` makes it. */
function inCode(given: Partial<GivenSchedule> = {}, queue = engine.queue()): OwnDefinition {
  const all = { id: 'tidy', when: { every: 1 }, name: 'note', data: 'a', options: undefined };
  return queue.scheduleInCode({ ...all, ...given }, '@Schedule on Tests.note in TestsModule');
}

const setDue = (id: string, due: number, set = 'schedules') =>
  engine.client.zadd(`rq:nrq:${set}`, due, id);
const ids = (queue: Queue = engine.queue()) =>
  engine.client.lrange(`rq:queue:${queue.name}`, '0', '-1');
const redisNow = async () => {
  const [seconds, microseconds] = await engine.client.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
};

/** Ticks are compared with the hour at which a test began: none begins right before a new one. */
beforeEach(async () => {
  const isFarFromTick = async () => 1_800_000 - ((await redisNow()) % 1_800_000) > 5000;
  await eventually(isFarFromTick, { what: 'the next half hour', every: 100 });
});

describe('a schedule made at run time', () => {
  it('makes a job at each tick, on the grid, and its handler knows for which', async () => {
    const ticks: { schedule: string; at: Date }[] = [];
    await engine.work({
      note: (_, job) => {
        if (job.tick) ticks.push(job.tick);
      },
    });
    await fire();
    // All: a busy machine may be late by more than one.
    const options = { missed: 'all' } as const;
    const schedule = await engine.queue().schedule('heartbeat', { every: 1 }, 'note', 1, options);
    expect(schedule).toMatchObject({
      id: 'heartbeat',
      name: 'note',
      when: { every: 1 },
      from: 'api',
      paused: false,
      last: undefined,
      lastJobId: undefined,
      missed: 0,
      skipped: 0,
    });
    expect((schedule.next?.getTime() ?? 0) % 1000).toBe(0);

    await eventually(() => ticks.length >= 3, { what: 'three ticks' });
    expect(ticks[0]).toEqual({ schedule: 'heartbeat', at: schedule.next });
    expect(ticks.slice(0, 3).map(({ at }) => at.getTime() - (ticks[0]?.at.getTime() ?? 0))).toEqual(
      [0, 1000, 2000],
    );
    // No tick between the looks.
    const { now, jobs } = await eventually(
      async () => {
        const [before] = await engine.queue().schedules();
        const made = (await before?.jobs()) ?? [];
        const [after] = await engine.queue().schedules();
        return after?.lastJobId === before?.lastJobId && { now: before, jobs: made };
      },
      { what: 'a moment without a tick' },
    );
    expect(now).toMatchObject({ id: 'heartbeat', lastJobId: `heartbeat-${now?.last?.getTime()}` });
    expect(jobs.map(({ id }) => id)).toEqual(
      expect.arrayContaining([`heartbeat-${schedule.next?.getTime()}`]),
    );
    expect(jobs[0]?.id).toBe(now?.lastJobId);
    expect(await jobs[0]?.refresh()).toMatchObject({ tick: { schedule: 'heartbeat' } });
  });

  it('is known to the next process that starts, with its data and options', async () => {
    const queue = engine.queue('mail', { defaultJobOptions: { timeout: '7s' } });
    const options = { retry: { max: 2, interval: 5 }, meta: { tenant: 7 }, description: 'a note' };
    await queue.schedule('tenant-7', '0 6 * * *', 'note', { tenant: 7 }, options);
    await setDue('tenant-7', (await redisNow()) - 10);
    await fire();
    const [id] = await eventually(async () => (await ids(queue)).length > 0 && ids(queue), {
      what: 'the job',
    });
    expect(await queue.job(id ?? '').refresh()).toMatchObject({
      name: 'note',
      data: { tenant: 7 },
      meta: { tenant: 7 },
      description: 'a note',
      retriesLeft: 2,
    });
    expect(await engine.client.hget(`rq:job:${id}`, 'timeout')).toBe('7');
  });

  it('is replaced by another call; with new data only, the tick that it waits for stays', async () => {
    const queue = engine.queue();
    const first = await queue.schedule('x', { every: '1h' }, 'note', 1);
    const second = await queue.schedule('x', { every: '1h' }, 'note', 2);
    expect(second.next).toEqual(first.next);
    await setDue('x', 4711);
    expect((await queue.schedule('x', { every: '1h' }, 'note', 3)).next).toEqual(new Date(4711));
    const third = await queue.schedule('x', { every: '2h' }, 'note', 3);
    expect((third.next?.getTime() ?? 0) % 7_200_000).toBe(0);
    expect(await queue.schedules()).toHaveLength(1);
  });

  it('ends with unschedule; a process that was about to fire it does not', async () => {
    const queue = engine.queue();
    await fire();
    await queue.schedule('x', { every: 1 }, 'note');
    await eventually(async () => (await ids()).length > 0, { what: 'a tick' });
    expect(await queue.unschedule('x')).toBe(true);
    const [last, before] = [await ids(), (await redisNow()) + 1500];
    await eventually(async () => (await redisNow()) > before, { what: 'another tick to pass' });
    expect(await ids()).toEqual(last);
    expect(await queue.unschedule('x')).toBe(false);
    expect(await queue.getSchedule('x')).toBeUndefined();
    expect(await engine.client.exists('rq:nrq:schedule:x', 'rq:nrq:schedules')).toBe(0);
    expect(await engine.client.exists('rq:cron_job:x:jobs', 'rq:cron_jobs')).toBe(0);
  });

  it('is one for all queues: the id of another queue is refused', async () => {
    await engine.queue('mail').schedule('x', '@daily', 'note');
    const other = engine.queue('reports');
    await expect(other.schedule('x', '@daily', 'note')).rejects.toThrow(
      'schedule("x") on queue "reports": id is a schedule of queue "mail"',
    );
    await expect(other.unschedule('x')).rejects.toThrow('another queue');
    expect(await other.schedules()).toEqual([]);
    expect(await other.getSchedule('x')).toBeUndefined();
  });

  it.each([
    [['a b', '@daily', 'note'], 'id must be 1 to 200 letters'],
    [['x'.repeat(181), '@daily', 'note'], 'id must be at most 180 characters'],
    [['x', '0 0 30 2 *', 'note'], 'when never comes'],
    [['x', '@daily', 'note', undefined, { mised: 'once' }], 'mised is not an option here'],
    [['x', '@daily', 'note', undefined, { missed: 'never' }], "missed must be one of 'once'"],
    [['x', '@daily', 'note', undefined, { overlap: 1 }], 'overlap must be true or false'],
    [['x', '@daily', 'note', undefined, { retry: { max: -1 } }], 'retry.max'],
    [['x', '@daily', 'note', 1, { call: { args: [1] } }], 'call stands beside data'],
    [['x', '@daily', 'note', undefined, { call: { args: 1 } }], 'call.args must be a list'],
  ])('is refused with what is wrong: %j', async (given, problem) => {
    const call = engine.queue().schedule(...(given as Parameters<Queue['schedule']>));
    await expect(call).rejects.toThrow(problem);
    await expect(call).rejects.toThrow('on queue "jobs"');
    expect(await engine.client.keys('rq:nrq:schedule*')).toEqual([]);
  });

  it('takes a call for a Python worker, as JSON', async () => {
    const queue = engine.queue('python');
    const call = { args: [1, 2], kwargs: { deep: true } };
    const schedule = await queue.schedule('add', '@daily', 'tasks.add', undefined, { call });
    const job = await schedule.runNow();
    expect(await engine.client.hget(`rq:job:${job.id}`, 'data')).toBe(
      '["tasks.add",null,[1,2],{"deep":true}]',
    );
  });
});

describe('immediately', () => {
  it('makes a job also when it is first stored, and never again', async () => {
    await fire();
    const queue = engine.queue();
    await queue.schedule('x', '@yearly', 'note', undefined, { immediately: true });
    await eventually(async () => (await ids()).length === 1, { what: 'the first job' });
    const [now] = await queue.schedules();
    expect(now?.next?.getTime()).toBeGreaterThan(await redisNow());
    await queue.schedule('x', '@yearly', 'note', 'new data', { immediately: true });
    expect(await engine.client.zscore('rq:nrq:schedules', 'x')).toBe(String(now?.next?.getTime()));
    const code = inCode({ id: 'y', when: '@yearly', options: { immediately: true } });
    await fire([code]);
    await fire([code]);
    await eventually(async () => (await ids()).length === 2, { what: 'the job of the code' });
  });
});

describe('ticks at whose time nobody was there', () => {
  const HOUR = 3_600_000;

  async function away(missed: 'once' | 'skip' | 'all', lateMs: number) {
    const queue = engine.queue();
    await queue.schedule('x', { every: '1h' }, 'note', undefined, { missed });
    const due = Math.floor(((await redisNow()) - lateMs) / HOUR) * HOUR;
    await setDue('x', due);
    await fire();
    await eventually(
      async () => Number(await engine.client.zscore('rq:nrq:schedules', 'x')) > due,
      {
        what: 'the schedule to go on',
      },
    );
    const [schedule] = await queue.schedules();
    expect(schedule?.next?.getTime()).toBe(Math.floor((await redisNow()) / HOUR) * HOUR + HOUR);
    return { due, schedule };
  }

  it('once: one job, for the latest', async () => {
    const { due, schedule } = await away('once', 3 * HOUR);
    expect(await ids()).toEqual([`x-${due + 3 * HOUR}`]);
    expect(schedule).toMatchObject({ missed: 3, last: new Date(due + 3 * HOUR) });
  });

  it('skip: none when they are more than a minute late', async () => {
    const queue = engine.queue();
    await queue.schedule('x', { every: '100d' }, 'note', undefined, { missed: 'skip' });
    await setDue('x', (await redisNow()) - 120_000);
    await fire();
    await eventually(async () => (await queue.getSchedule('x'))?.missed === 1, {
      what: 'the step',
    });
    expect(await ids()).toEqual([]);
    await setDue('x', (await redisNow()) - 30_000);
    await fire();
    await eventually(async () => (await ids()).length === 1, { what: 'a job half a minute late' });
  });

  it('all: a job for each, in order', async () => {
    const { due, schedule } = await away('all', 3 * HOUR);
    expect(await ids()).toEqual([0, 1, 2, 3].map((n) => `x-${due + n * HOUR}`));
    expect(schedule?.missed).toBe(0);
  });

  it('all: more than one call takes, still each once', async () => {
    await away('all', 700 * HOUR);
    const made = await ids();
    expect(made).toHaveLength(701);
    expect(new Set(made).size).toBe(701);
  });
});

describe('overlap: false', () => {
  it('makes no job while the last one waits, runs or is to be retried, and counts what it skips', async () => {
    const queue = engine.queue();
    const options = { overlap: false };
    await queue.schedule('x', { every: '1h' }, 'note', undefined, options);
    const { scheduler } = await fire();
    const tick = async () => {
      await setDue('x', (await redisNow()) - 1);
      await scheduler.catchUp();
    };
    await tick();
    const [first = ''] = await ids();
    await tick();
    expect(await ids()).toEqual([first]);
    for (const status of ['started', 'scheduled', 'deferred']) {
      await engine.client.hset(`rq:job:${first}`, 'status', status);
      await tick();
    }
    expect(await ids()).toEqual([first]);
    expect(await queue.getSchedule('x')).toMatchObject({ skipped: 4, lastJobId: first });
    await engine.client.hset(`rq:job:${first}`, 'status', 'finished');
    await tick();
    expect(await ids()).toHaveLength(2);
    // A job that is gone keeps nobody away either.
    const [, second = ''] = await ids();
    await engine.client.del(`rq:job:${second}`);
    await tick();
    expect(await ids()).toHaveLength(3);
  });

  it('holds for ticks that are made up for together', async () => {
    const queue = engine.queue();
    await queue.schedule('x', { every: '1h' }, 'note', undefined, {
      overlap: false,
      missed: 'all',
    });
    await setDue('x', (await redisNow()) - 4 * 3_600_000);
    await fire();
    await eventually(async () => ((await queue.getSchedule('x'))?.skipped ?? 0) >= 3, {
      what: 'the steps',
    });
    expect(await ids()).toHaveLength(1);
  });
});

describe('a schedule that is paused', () => {
  it('makes no job; resumed, it goes on with the next tick of the grid', async () => {
    const queue = engine.queue();
    const schedule = await queue.schedule('x', { every: '1h' }, 'note');
    await schedule.pause();
    expect(await queue.getSchedule('x')).toMatchObject({ paused: true, next: undefined });
    const { stop } = await fire();
    await queue.schedule('x', { every: '2h' }, 'note');
    expect(await queue.getSchedule('x')).toMatchObject({ paused: true, next: undefined });
    await schedule.resume();
    const now = await queue.getSchedule('x');
    expect(now?.paused).toBe(false);
    expect(now?.next?.getTime()).toBeGreaterThan(await redisNow());
    expect(await ids()).toEqual([]);
    // What is not paused has nothing to go on with.
    await stop();
    await setDue('x', 4711);
    await schedule.resume();
    expect((await queue.getSchedule('x'))?.next).toEqual(new Date(4711));
  });

  it('stays so when the code changes', async () => {
    await fire([inCode({ when: '@yearly' })]);
    const [schedule] = await engine.queue().schedules();
    await schedule?.pause();
    await fire([inCode({ when: { every: 1 } })]);
    expect(await engine.queue().schedules()).toMatchObject([{ paused: true, when: { every: 1 } }]);
  });

  it('cannot be paused, resumed or run when it is gone', async () => {
    const schedule = await engine.queue().schedule('x', '@daily', 'note');
    await engine.queue().unschedule('x');
    for (const act of ['pause', 'resume', 'runNow'] as const) {
      await expect(schedule[act]()).rejects.toThrow(`${act}(): id is no schedule any more`);
    }
  });
});

describe('runNow', () => {
  it('makes a job beside the ticks', async () => {
    const queue = engine.queue();
    const schedule = await queue.schedule('x', '@yearly', 'note', 'a');
    const job = await schedule.runNow();
    expect(await job.refresh()).toMatchObject({ name: 'note', data: 'a', tick: { schedule: 'x' } });
    const now = await queue.getSchedule('x');
    expect(now).toMatchObject({ next: schedule.next, last: undefined, lastJobId: job.id });
    expect((await now?.jobs())?.map(({ id }) => id)).toEqual([job.id]);
  });
});

describe('of any number of processes', () => {
  it('one makes the job of a tick', async () => {
    const queue = engine.queue();
    const processes = await Promise.all(Array.from({ length: 8 }, () => fire()));
    for (let index = 0; index < 20; index += 1) {
      await queue.schedule(`s${index}`, { every: '1h' }, 'note');
    }
    for (let round = 0; round < 3; round += 1) {
      const due = (await redisNow()) - 1;
      for (let index = 0; index < 20; index += 1) await setDue(`s${index}`, due + round);
      await Promise.all(processes.map(({ scheduler }) => scheduler.catchUp()));
    }
    const made = await ids();
    expect(made).toHaveLength(60);
    expect(new Set(made).size).toBe(60);
  });

  it('a wrong clock makes no job early, and the timer is put right', async () => {
    const queue = engine.queue();
    await queue.schedule('x', { every: '1h' }, 'note');
    const { scheduler } = await fire();
    const due = (await redisNow()) + 400;
    await setDue('x', due);
    await scheduler.look();
    // As if this process had heard that it is later than it is.
    (scheduler.due[0] as { due: number }).due = due;
    const clock = (scheduler as unknown as { clock: { offset: number } }).clock;
    clock.offset += 60_000;
    (scheduler as unknown as { lookSoon(ms: number): void }).lookSoon(10_000);
    await eventually(async () => (await ids()).length > 0, { what: 'the job' });
    const [job] = await ids();
    expect(job).toBe(`x-${due}`);
    const at = Date.parse((await engine.client.hget(`rq:job:${job}`, 'created_at')) ?? '');
    expect(at).toBeGreaterThanOrEqual(due);
    expect(at).toBeLessThan(due + LATENESS);
  });

  it('a call that is repeated since its answer was lost changes nothing', async () => {
    const queue = engine.queue();
    await queue.schedule('x', { every: '1h' }, 'note');
    const due = (await redisNow()) - 1;
    await setDue('x', due);
    const { record: stored } = await engine.store.schedules.read('x');
    const { rev = '', options, data } = stored?.definition ?? {};
    if (!options || data === undefined) throw new Error('no definition');
    const tick = {
      schedule: 'x',
      rev,
      mode: 'fire',
      due,
      at: due,
      missed: 0,
      overlap: true,
    } as const;
    const job = {
      queue: 'jobs',
      id: `x-${due}`,
      data,
      options,
      meta: undefined,
      check: 'once',
      tick: { ...tick, next: due + 3_600_000 },
    } as const;
    expect(await engine.store.schedules.fire([job])).toEqual([{ state: 'fired' }]);
    const again = { state: 'moved', rev, due: due + 3_600_000 };
    expect(await engine.store.schedules.fire([job])).toEqual([again]);
    expect(await ids()).toEqual([`x-${due}`]);
    const early = { ...job, tick: { ...job.tick, due: due + 3_600_000, next: due + 7_200_000 } };
    expect(await engine.store.schedules.fire([early])).toEqual([
      { state: 'early', inMs: expect.any(Number) },
    ]);
    const foreign = { ...job, tick: { ...job.tick, rev: 'abcdef' } };
    expect(await engine.store.schedules.fire([foreign])).toEqual([again]);
    await queue.unschedule('x');
    expect(await engine.store.schedules.fire([early])).toEqual([{ state: 'gone' }]);
  });

  it('what Redis refuses on the way leaves the tick to be fired', async () => {
    const queue = engine.queue();
    const problems: string[] = [];
    await queue.schedule('x', { every: '1h' }, 'note');
    const due = (await redisNow()) - 1;
    await setDue('x', due);
    await engine.client.set('rq:queue:jobs', 'no list');
    const { scheduler } = await fire([], problems);
    await eventually(() => problems.length > 0, { what: 'the problem' });
    expect(problems).toEqual(['schedule "x" cannot be fired']);
    expect(await engine.client.zscore('rq:nrq:schedules', 'x')).toBe(String(due));
    expect(await engine.client.keys('rq:job:*')).toEqual([]);
    await engine.client.del('rq:queue:jobs');
    await scheduler.catchUp();
    expect(await ids()).toEqual([`x-${due}`]);
  });

  it('a record that cannot be read is left alone and named; others are fired', async () => {
    const queue = engine.queue();
    const problems: string[] = [];
    await queue.schedule('bad', { every: '1h' }, 'note');
    await queue.schedule('good', { every: '1h' }, 'note');
    await engine.client.hset('rq:nrq:schedule:bad', 'when', '{"moon":"full"}', 'rev', 'ffff');
    for (const id of ['bad', 'good', 'ghost']) await setDue(id, (await redisNow()) - 1);
    await fire([], problems);
    await eventually(async () => (await ids()).length === 1, { what: 'the good one' });
    expect(problems).toEqual([expect.stringContaining('schedule "bad" is not fired here')]);
    expect(await engine.client.zscore('rq:nrq:schedules', 'ghost')).toBeNull();
    expect(await queue.schedules()).toMatchObject([{ id: 'bad', name: undefined }, { id: 'good' }]);
  });
});
