// Jobs of a queue with a priority: what runs before what, and that a job keeps its level on whatever way it goes.
import type { RqJob } from '../../lib/queue/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine, type Run } from './support/engine.js';

const engine = Engine.forThisFile();

type Level = 'high' | 'normal' | 'low';

const queue = () => engine.queue();
const ids = (list: string) => engine.client.lrange(`rq:queue:jobs${list}`, 0, -1);
const enqueue = (id: string, priority: Level, options = {}) =>
  queue().enqueue('job', id, { id, priority, ...options });

/** Something that waits in front of all others, so that a job of a level is not alone. */
const filler = () => queue().enqueue('job', 'filler', { id: 'filler' });

/** Runs jobs one by one, and notes in which order. */
async function worked(count: number, run: Run = () => undefined): Promise<string[]> {
  const order: string[] = [];
  const job: Run = (data, one) => {
    order.push(String(data));
    return run(data, one);
  };
  const worker = await engine.work({ job }, { concurrency: 1, prefetch: 0 });
  await eventually(() => order.length === count, { what: `${count} runs` });
  await worker.stop();
  return order;
}

/** In which list a job waits; the bell may stand in RQ's list for its level. */
async function lineOf(id: string): Promise<string> {
  const bell = await engine.client.hget('rq:nrq:flags:jobs', 'bell');
  if (bell?.endsWith(` ${id}`)) return `bell of ${bell.split(' ')[0]}`;
  for (const [name, list] of Object.entries({ high: '!high', normal: '', low: '!low' })) {
    if ((await ids(list)).includes(id)) return name;
  }
  return 'none';
}

describe('priority', () => {
  it('high runs before normal and that before low, each in its order', async () => {
    await filler();
    for (const id of ['low1', 'normal1', 'high1', 'low2', 'high2', 'normal2']) {
      await enqueue(id, id.replace(/\d/, '') as Level);
    }
    expect(await worked(7)).toEqual([
      'high1',
      'high2',
      'filler',
      'normal1',
      'normal2',
      'low1',
      'low2',
    ]);
    expect(await engine.client.keys('rq:nrq:flags:*')).toEqual([]);
    expect((await queue().counts()).finished).toBe(7);
  });

  it('the first jobs in an empty queue keep their order, too', async () => {
    for (const id of ['low1', 'low2', 'normal1', 'high1', 'high2']) {
      await enqueue(id, id.replace(/\d/, '') as Level);
    }
    expect(await worked(5)).toEqual(['high1', 'high2', 'normal1', 'low1', 'low2']);
  });

  it('atFront is the head of its level', async () => {
    await filler();
    await enqueue('high1', 'high');
    await enqueue('high2', 'high', { atFront: true });
    await enqueue('normal', 'normal', { atFront: true });
    expect(await worked(4)).toEqual(['high2', 'high1', 'normal', 'filler']);
  });

  it('wakes workers that wait, one for each job', async () => {
    const gate = deferred();
    let running = 0;
    const job = async () => {
      running += 1;
      await gate.promise;
    };
    const workers = await Promise.all(
      Array.from({ length: 3 }, () => engine.work({ job }, { concurrency: 1 })),
    );
    await eventually(
      async () => {
        const list = (await engine.client.client('LIST')) as string;
        return list.split('\n').filter((line) => line.includes('cmd=blmove')).length === 3;
      },
      { what: 'all workers to wait' },
    );
    await queue().enqueueMany(
      (['low', 'high', 'low'] as const).map((priority) => ({ name: 'job', options: { priority } })),
    );
    await eventually(() => running === 3, { what: 'all three to run', timeout: 9000 });
    gate.resolve();
    await eventually(async () => (await queue().counts()).finished === 3, { what: 'their ends' });
    await Promise.all(workers.map((worker) => worker.stop()));
  });

  it('must be one of three, and queues may not be called as levels are', async () => {
    const options = { priority: 'urgent' } as unknown as { priority: Level };
    await expect(queue().enqueue('job', 1, options)).rejects.toThrow(
      /priority must be 'high', 'normal' or 'low', got "urgent"/,
    );
    for (const name of ['jobs!high', 'jobs!low']) {
      expect(() => engine.queue(name)).toThrow(/queue must not end in '!high' or '!low'/);
    }
  });
});

describe('a job keeps its level', () => {
  const levels = ['high', 'low'] as const;

  /** The job waits in its level, behind a filler. */
  async function waitsIn(level: Level, job: RqJob): Promise<void> {
    await eventually(async () => (await lineOf(job.id)) === level, {
      what: `${job.id} in ${level}`,
    });
  }

  it.each(levels)('%s: when it is delayed, promoted, requeued or retried later', async (level) => {
    await filler();
    const later = await enqueue('later', level, { delay: '1h' });
    await later.promote();
    await waitsIn(level, later);
    await later.cancel();
    expect(await ids(`!${level}`)).toEqual([]);
    await later.requeue();
    await waitsIn(level, later);
    await later.delete();

    // Of a paused queue, what is due comes into it, and nothing is claimed.
    await queue().empty();
    const retried = await enqueue('retried', level, { retry: { max: 1, interval: 0.05 } });
    // With one slot, no read is under way that could take the filler out of the queue.
    const worker = await engine.work(
      {
        job: async () => {
          await queue().pause();
          await filler();
          throw new Error('boom');
        },
      },
      { concurrency: 1, prefetch: 0 },
    );
    await waitsIn(level, retried);
    await worker.stop();
    await queue().resume();
  });

  it.each(levels)('%s: when it is retried at once, snoozed or given back', async (level) => {
    await enqueue('first', level, { retry: { max: 1, interval: 0 } });
    const gate = deferred();
    const seen: string[] = [];
    const worker = await engine.work(
      {
        job: async (data, job) => {
          seen.push(`${String(data)} ${job.attempt}`);
          if (data === 'first' && job.attempt === 1) {
            await filler();
            await enqueue('rival', 'normal');
            throw new Error('boom');
          }
          await gate.promise;
        },
      },
      { concurrency: 1, prefetch: 0, shutdownTimeout: 0.05 },
    );
    await eventually(() => seen.length === 2, { what: 'the second run' });
    expect(seen).toEqual(['first 1', level === 'high' ? 'first 2' : 'filler 1']);
    // Interrupted, it goes back to the head of where it came from.
    await worker.stop();
    expect(await ids(`!${level}`)).toEqual(['first']);
    gate.resolve();
  });

  it.each(levels)('%s: when it waited for another job, or its worker died', async (level) => {
    await filler();
    const parent = await engine.queue('other').enqueue('parent');
    const child = await enqueue('child', level, { dependsOn: parent });
    const other = await engine.work([{ queue: 'other', name: 'parent', run: () => 'done' }]);
    await waitsIn(level, child);
    await other.stop();

    // As a worker that was killed leaves it.
    await engine.client.lrem(`rq:queue:jobs!${level}`, 0, child.id);
    await engine.client.hset(`rq:job:${child.id}`, 'status', 'started');
    await engine.client.zadd('rq:wip:jobs', '1', `${child.id}:execution`);
    const settings = { maxCrashes: 3, leaseMs: 300 };
    await eventually(
      async () => {
        await engine.store.recover('jobs', settings);
        return (await lineOf(child.id)) === level;
      },
      { what: 'the recovery', timeout: 15_000, every: 100 },
    );
  });
});

describe('the queue with its levels', () => {
  beforeEach(async () => {
    await filler();
    await queue().enqueueMany(
      ['h1', 'h2', 'n1', 'l1', 'l2'].map((id) => ({
        name: 'job',
        data: id,
        options: {
          id,
          priority: ({ h: 'high', n: 'normal', l: 'low' } as const)[id.charAt(0) as 'h'],
        },
      })),
    );
  });

  it('is one: counts, lists, positions, names', async () => {
    expect(await queue().count()).toBe(6);
    const listed = async (offset: number, limit: number) =>
      (await queue().jobs('queued', { offset, limit })).map(({ id }) => id);
    expect(await listed(0, 10)).toEqual(['h1', 'h2', 'filler', 'n1', 'l1', 'l2']);
    expect(await listed(1, 3)).toEqual(['h2', 'filler', 'n1']);
    expect(await listed(4, 5)).toEqual(['l1', 'l2']);
    expect(await queue().job('h2').position()).toBe(1);
    expect(await queue().job('l1').position()).toBe(0);
    expect(await engine.store.queues()).toEqual(['jobs']);
    expect((await engine.client.smembers('rq:queues')).toSorted()).toEqual([
      'rq:queue:jobs',
      'rq:queue:jobs!high',
      'rq:queue:jobs!low',
    ]);
  });

  it('one job is canceled or deleted wherever it waits', async () => {
    await queue().job('h1').cancel();
    await queue().job('l2').delete();
    expect([await ids('!high'), await ids(''), await ids('!low')]).toEqual([
      ['h2'],
      ['filler', 'n1'],
      ['l1'],
    ]);
    expect(await queue().cancel(['h2', 'n1', 'l1'])).toMatchObject({ done: 3 });
    expect(await queue().count()).toBe(1);
  });

  it('many are, in the order in which they would run, up to a limit', async () => {
    expect(await queue().cancel({ in: 'queued', limit: 4 })).toMatchObject({ done: 4, looked: 4 });
    expect([await ids('!high'), await ids(''), await ids('!low')]).toEqual([[], [], ['l1', 'l2']]);
    expect(await queue().delete({ in: 'queued' })).toMatchObject({ done: 2 });
    expect(await queue().count()).toBe(0);
  });

  it('is emptied, and a full one counts them all', async () => {
    const full = engine.queue('jobs', { maxLength: { total: 6 } });
    await expect(full.enqueue('job')).rejects.toThrow(/6 jobs wait there/);
    expect(await queue().empty()).toBe(6);
    expect(await engine.client.keys('rq:job:*')).toEqual([]);
    expect(await queue().count()).toBe(0);
  });

  it('a worker with burst ends when all levels are empty', async () => {
    const worker = await engine.work({ job: () => undefined }, { burst: true });
    expect(await worker.done).toBe('drained');
    expect((await queue().counts()).finished).toBe(6);
  });
});

it('what others put into a level is found by the sweep', async () => {
  // The queue is plain: nobody has told that there is a level.
  const job = await queue().enqueue('job', 'from outside');
  await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs!high', 'LEFT', 'RIGHT');
  await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 15_000 });
  expect(await lineOf(job.id)).toBe('bell of high');
  expect(await worked(1)).toEqual(['from outside']);
  expect(await engine.fields(job.id)).toMatchObject({ nrq_level: 'high', origin: 'jobs' });
});

it('all of many jobs run, also by a worker that claims ahead', async () => {
  const priorities = ['high', 'normal', 'low'] as const;
  const jobs = Array.from({ length: 300 }, (_, index) => ({
    name: 'job',
    data: index,
    options: { priority: priorities[index % 3] as Level },
  }));
  await queue().enqueueMany(jobs);
  const ran = new Set<unknown>();
  await engine.work({ job: (data) => void ran.add(data) }, { concurrency: 10, prefetch: 10 });
  await eventually(() => ran.size === 300, { what: 'all jobs' });
  await eventually(async () => (await queue().counts()).finished === 300, { what: 'their ends' });
});

describe('what a worker claims with and ahead of its slots', () => {
  let execution = 0;

  /** The data of what it gets, with so many slots and so many jobs ahead. */
  async function claimed(slots: number, ahead: number, woken: string[] = []): Promise<string[]> {
    const { claimed: jobs } = await engine.store.exchange('jobs', {
      leaseMs: 15_000,
      worker: 'worker',
      token: '0123456789abcdef0123456789abcdef',
      nextExecution: (execution += 100),
      want: slots + ahead,
      ahead,
      suspects: { from: 2, takes: true, delay: 10 },
      woken,
      outcomes: [],
      call: undefined,
      events: [],
    });
    return jobs.map(({ id, level }) => (level === undefined ? id : `${id} ${level}`));
  }

  it('are the high jobs first: those of a busy worker run before the others, too', async () => {
    for (const id of ['n1', 'n2', 'h1', 'h2', 'h3'])
      await enqueue(id, id.startsWith('h') ? 'high' : 'normal');
    expect(await claimed(1, 1)).toEqual(['h1 high', 'h2 high']);
    expect(await claimed(0, 2)).toEqual(['h3 high', 'n1']);
  });

  it('are jobs of keys that only take turns, as those of the list; and none that is limited', async () => {
    for (const id of ['a1', 'a2', 'b1']) await queue().enqueue('keyed', id, { id, key: id[0] });
    await enqueue('n1', 'normal');
    expect(await claimed(1, 1)).toHaveLength(2);
    expect(await claimed(0, 5)).toHaveLength(2);

    await queue().setLimits({ handler: 'limited', concurrency: { perKey: 2 } });
    for (const id of ['a', 'b']) await queue().enqueue('limited', id, { id, key: id });
    expect(await claimed(1, 5)).toHaveLength(1);
  });

  it('is nothing of the list while a lane waits for its turn', async () => {
    await queue().enqueueMany(
      ['n1', 'n2', 'n3'].map((id) => ({ name: 'job', data: id, options: { id } })),
    );
    await queue().setLimits({ handler: 'limited', concurrency: { total: 1 } });
    for (const id of ['k1', 'k2']) await queue().enqueue('limited', id, { id, key: 'tenant' });
    expect(await claimed(0, 2)).toEqual([]);
    expect((await claimed(2, 0)).toSorted()).toEqual(['k1', 'n1']);
    // The gate is full: nobody waits for a turn.
    expect(await claimed(0, 2)).toEqual(['n2', 'n3']);
  });

  it('is in order where jobs come to the end and to the head of a level at the same moment', async () => {
    for (const id of ['l2', 'l3']) await enqueue(id, 'low', { delay: 0.05 });
    await enqueue('l1', 'low', { delay: 0.05, atFront: true });
    const due = () => engine.client.zcount('rq:scheduled:jobs', '-inf', Date.now() / 1000 - 0.02);
    await eventually(async () => (await due()) === 3, { what: 'all of them to be due' });
    expect(await claimed(3, 0)).toEqual(['l1 low', 'l2 low', 'l3 low']);
  });

  it('and the bell goes back to its level when there is no room for it, and keeps it when there is', async () => {
    // As Python puts one there: nothing but the bell says its level.
    await queue().enqueue('job', 'l1', { id: 'l1' });
    await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs!low', 'LEFT', 'RIGHT');
    await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 15_000 });
    expect(await lineOf('l1')).toBe('bell of low');
    const pop = () =>
      engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');

    await queue().setLimits({ concurrency: { total: 0 } });
    expect(await pop()).toBe('l1');
    expect(await claimed(1, 0, ['l1'])).toEqual([]);
    expect(await ids('!low')).toEqual(['l1']);

    await queue().setLimits({});
    await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 15_000 });
    expect(await pop()).toBe('l1');
    expect(await claimed(1, 0, ['l1'])).toEqual(['l1 low']);
    expect(await engine.fields('l1')).toMatchObject({ nrq_level: 'low', origin: 'jobs' });
  });
});

it('a queue that uses no levels has no key of them', async () => {
  await queue().enqueue('job', 'plain', { priority: 'normal' });
  expect(await worked(1)).toEqual(['plain']);
  const keys = await engine.client.keys('*');
  expect(keys.filter((key) => key.includes('!') || key.includes('flags'))).toEqual([]);
});
