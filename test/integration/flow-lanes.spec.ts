// Lanes: jobs with keys wait in a lane each, lanes take turns, and a lane is in order, whatever happens to its jobs.
import type { HandlerParts } from './support/engine.js';
import { Engine } from './support/engine.js';
import { deferred, eventually } from '../support/wait.js';
import { RetryJob } from '../../lib/job/index.js';

const engine = Engine.forThisFile();

interface Data {
  readonly tenant: string;
  readonly n: number;
}

const tenant = (data: unknown) => (data as Data).tenant;
const keyed: Pick<HandlerParts, 'key'> = { key: (data: unknown) => tenant(data) };

/** What is enqueued, by an application that has the handler. */
const jobs = (of: string, count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => ({
    name: 'sync',
    data: { tenant: of, n: first + index },
    options: { key: of },
  }));

describe('a worker with one slot that waits', () => {
  /** Its blocking read keeps the slot. */
  const waits = () =>
    eventually(async () => /cmd=blmove/.test(String(await engine.client.client('LIST'))), {
      what: 'a blocking read',
    });

  it.each(['that never had lanes', 'that had some before'])(
    'hears of jobs in lanes that come, are due, or of which the pause is over, on a queue %s',
    async (queue) => {
      const seen: number[] = [];
      const ran = (n: number) => eventually(() => seen.includes(n), { what: `job ${n}` });
      const run = (data: unknown) => void seen.push((data as Data).n);
      if (queue.includes('before')) await engine.queue().enqueueMany(jobs('a', 1));
      await engine.work({ sync: run }, { concurrency: 1 });
      if (queue.includes('before')) await ran(0);
      await waits();

      await engine.queue().enqueue('sync', { tenant: 'a', n: 1 }, { key: 'a', delay: 0.05 });
      await ran(1);
      await waits();
      await engine.queue().pause();
      await engine.queue().enqueue('sync', { tenant: 'b', n: 2 }, { key: 'b' });
      await engine.queue().resume();
      await ran(2);
      await waits();
      await engine.queue().enqueue('sync', { tenant: 'c', n: 3 }, { key: 'c' });
      await ran(3);
      expect(seen.filter((n) => n > 0)).toEqual([1, 2, 3]);
    },
  );
});

let execution = 0;

/** One call of a worker. */
const claim = (want: number, ahead = 0) =>
  engine.store.exchange('jobs', {
    leaseMs: 60_000,
    worker: 'w',
    token: '0'.repeat(32),
    nextExecution: (execution += 200),
    want,
    ahead,
    suspects: { from: 2, takes: true, delay: 10 },
    woken: [],
    outcomes: [],
    call: undefined,
    events: [],
  });

describe('keys', () => {
  it('take turns: a flood of one does not hold up the others', async () => {
    const order: string[] = [];
    await engine.queue().enqueueMany([...jobs('a', 50), ...jobs('b', 3), ...jobs('c', 3)]);
    await engine.work(
      { sync: { ...keyed, run: (data) => void order.push(tenant(data)) } },
      { concurrency: 1 },
    );

    await eventually(() => order.length === 56, { what: '56 jobs' });
    const turns = order.slice(0, 9);
    expect(['a', 'b', 'c'].map((key) => turns.filter((one) => one === key).length)).toEqual([
      3, 3, 3,
    ]);
  });

  it('take turns in calls of any size, one after the other', async () => {
    await engine.queue().enqueueMany([...jobs('a', 9), ...jobs('b', 9), ...jobs('c', 9)]);
    const keys: string[] = [];
    for (const want of [5, 1, 4, 2, 7]) {
      // For one of them there is a slot.
      const { claimed } = await claim(want, want - 1);
      keys.push(...claimed.map(({ lane = '' }) => lane.slice(-1)));
    }
    expect(keys).toHaveLength(19);
    const served = { a: 0, b: 0, c: 0 };
    for (const key of keys) {
      served[key as 'a'] += 1;
      const counts = Object.values(served);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it('with one job at a time each run in order, over retries, crashes of none, and workers', async () => {
    const seen = new Map<string, number[]>();
    const failed = new Set<string>();
    const run = (data: unknown) => {
      const { tenant: key, n } = data as Data;
      const id = `${key} ${n}`;
      if (n % 5 === 3 && !failed.has(id)) {
        failed.add(id);
        throw new RetryJob({ in: 0 });
      }
      seen.set(key, [...(seen.get(key) ?? []), n]);
    };
    const handler = { ...keyed, concurrency: { perKey: 1 }, retry: { max: 3 }, run };
    await engine.work({ sync: handler }, { concurrency: 5 });
    await engine.work({ sync: handler }, { concurrency: 5 });
    for (let first = 0; first < 40; first += 10) {
      await engine.queue().enqueueMany(['a', 'b', 'c'].flatMap((key) => jobs(key, 10, first)));
    }

    await eventually(() => [...seen.values()].flat().length === 120, {
      what: '120 jobs',
      timeout: 25_000,
    });
    const inOrder = Array.from({ length: 40 }, (_, n) => n);
    expect([...seen.values()]).toEqual([inOrder, inOrder, inOrder]);
  });

  it('are limited in all workers together, and so is the handler', async () => {
    const running = new Map<string, number>();
    let [now, most, mostOfKey, done] = [0, 0, 0, 0];
    const run = async (data: unknown) => {
      const key = tenant(data);
      running.set(key, (running.get(key) ?? 0) + 1);
      most = Math.max(most, (now += 1));
      mostOfKey = Math.max(mostOfKey, running.get(key) ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 3));
      running.set(key, (running.get(key) ?? 0) - 1);
      now -= 1;
      done += 1;
    };
    const handler = { ...keyed, concurrency: { total: 5, perKey: 2 }, run };
    for (let worker = 0; worker < 3; worker += 1)
      await engine.work({ sync: handler }, { concurrency: 10 });
    await engine.queue().enqueueMany(['a', 'b', 'c', 'd'].flatMap((key) => jobs(key, 30)));

    await eventually(() => done === 120, { what: '120 jobs' });
    expect([most, mostOfKey]).toEqual([5, 2]);
  });

  it('that nobody declares are made by the jobs that bring them, and leave nothing behind', async () => {
    await engine.queue().enqueueMany([...jobs('a', 3), ...jobs('b', 3)]);
    expect(await engine.client.hget('rq:nrq:flags:jobs', 'g:sync')).toMatch(/ t$/);
    let done = 0;
    await engine.work({ sync: () => void (done += 1) }, { lease: 1 });

    await eventually(
      async () => {
        // The sweep takes its turn each ten seconds.
        await engine.client.del('rq:nrq:swept:jobs');
        return done === 6 && (await engine.client.exists('rq:nrq:flags:jobs')) === 0;
      },
      {
        what: 'the flags to be gone',
        timeout: 15_000,
      },
    );
    const left = await engine.client.keys('rq:nrq:*');
    expect(left.filter((key) => /lane|gates|held/.test(key))).toEqual([]);
  });

  it('are known to the worker alone where the producer does not know them: it sorts the jobs', async () => {
    const order: string[] = [];
    const handler = {
      ...keyed,
      concurrency: { perKey: 1 },
      run: (data: unknown) => void order.push(tenant(data)),
    };
    const worker = await engine.work({ sync: handler }, { concurrency: 1 });
    const unsorted = [...jobs('a', 5), ...jobs('b', 2)].map(({ name, data }) => ({ name, data }));
    await engine.queue().enqueueMany(unsorted);

    await eventually(() => order.length === 7, { what: '7 jobs' });
    expect(order.filter((key) => key === 'a')).toHaveLength(5);
    // Nobody hears of it, and no attempt is spent.
    expect(worker.events.of('jobStarted')).toHaveLength(7);
    expect(worker.events.of('jobSnoozed')).toEqual([]);
  });

  it('whose function throws fail the job, and say so', async () => {
    const broken = () => {
      throw new TypeError('no such tenant');
    };
    const worker = await engine.work({ sync: { key: broken, run: () => undefined } });
    await engine.queue().enqueue('sync', {}, { retry: { max: 3 } });
    const [failed] = await worker.events.waitFor('jobFailed');
    expect(failed?.failure).toMatchObject({
      name: 'KeyFunctionError',
      message: expect.stringMatching(/`key` of handler "sync" threw .* \(no such tenant\)/),
    });
  });
});

it.each([
  [10, [10, 0]],
  // While the jobs of one half run, those of the other travel.
  [100, [50, 50, 0]],
])('of a total of %i one call takes its share, and all of them no more', async (total, counts) => {
  await engine.queue().setLimits({ handler: 'sync', concurrency: { total } });
  await engine.queue().enqueueMany(jobs('a', 150));
  for (const count of counts) expect((await claim(150)).claimed).toHaveLength(count);
});

describe('a job in a lane', () => {
  /** A lane of `a` with five jobs, of which nothing runs. */
  async function waiting() {
    const queue = engine.queue();
    const handles = await queue.enqueueMany(jobs('a', 5));
    return { queue, handles };
  }

  it('is counted, listed, and knows its place', async () => {
    const { queue, handles } = await waiting();
    await queue.enqueue('plain', {});
    expect(await queue.counts()).toMatchObject({ queued: 6 });
    const listed = await queue.jobs();
    expect(listed.map(({ name }) => name)).toEqual(['plain', ...Array(5).fill('sync')]);
    expect(await queue.jobs('queued', { offset: 4, limit: 10 })).toHaveLength(2);
    expect(await handles[3]?.position()).toBe(3);
    expect(await queue.lanes()).toEqual([
      { handler: 'sync', key: 'a', waiting: 5, running: 0, since: expect.any(Date) },
    ]);
  });

  it('can be canceled, deleted and requeued', async () => {
    const { queue, handles } = await waiting();
    await handles[0]?.cancel();
    await handles[1]?.delete();
    expect(await queue.counts()).toMatchObject({ queued: 3, canceled: 1 });
    expect(await handles[2]?.position()).toBe(0);
    await handles[0]?.requeue();
    expect(await handles[0]?.position()).toBe(3);
    expect(await queue.counts()).toMatchObject({ queued: 4, canceled: 0 });
  });

  it('is among those that a bulk action finds in the queue', async () => {
    const { queue } = await waiting();
    await queue.enqueue('plain', {});
    expect(await queue.cancel({ in: 'queued' })).toMatchObject({ done: 6 });
    expect(await queue.counts()).toMatchObject({ queued: 0, canceled: 6 });
    expect(await engine.client.keys('rq:nrq:lane*')).toEqual([]);
  });

  it('goes when the queue is emptied', async () => {
    const { queue } = await waiting();
    await queue.enqueue('plain', {});
    expect(await queue.empty()).toBe(6);
    expect(await queue.counts()).toMatchObject({ queued: 0 });
    expect(await engine.client.keys('rq:nrq:lane*')).toEqual([]);
  });

  it('that was delayed goes to the end of its lane when it is due', async () => {
    const queue = engine.queue();
    const order: number[] = [];
    const hold = deferred();
    const run = async (data: unknown) => {
      const { n } = data as Data;
      if (n === 0) await hold.promise;
      order.push(n);
    };
    const sync = { ...keyed, concurrency: { perKey: 1 }, run };
    await engine.work({ sync, other: () => undefined });
    const [first] = jobs('a', 1);
    await queue.enqueueMany([first as never]);
    const late = await queue.enqueue('sync', { tenant: 'a', n: 9 }, { key: 'a', delay: '1h' });
    await queue.enqueueMany(jobs('a', 2, 1));
    // It is due once the others are there. Nobody tells the worker: another one that is due does.
    await engine.client.zadd('rq:scheduled:jobs', Date.now() / 1000, late.id);
    await queue.enqueueIn(0.05, 'other');
    await eventually(async () => (await late.status()) === 'queued', {
      what: 'the delayed job to be due',
    });
    hold.resolve();
    await eventually(() => order.length === 4, { what: '4 jobs' });
    expect(order).toEqual([0, 1, 2, 9]);
  });

  it('of a paused queue waits; those that come meanwhile, too', async () => {
    const { queue } = await waiting();
    await queue.pause();
    let done = 0;
    await engine.work({ sync: { ...keyed, run: () => void (done += 1) } });
    await queue.enqueueMany(jobs('b', 2));
    expect(done).toBe(0);
    await queue.resume();
    await eventually(() => done === 7, { what: '7 jobs' });
  });
});
