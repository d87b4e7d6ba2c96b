import { type JobOptions, resolveDefaults, type RetryOptions } from '../../lib/job/index.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

/** Where a policy may stand, and how many retries it allows there: the number of runs tells which one counted. */
const MAX = { enqueue: 1, handler: 2, queue: 3, root: 4 };

type Place = keyof typeof MAX;

/** Runs a job that always fails, with policies in some places, one of them `false`. Gives the number of runs. */
async function runsWith(places: readonly Place[], off?: Place): Promise<number> {
  const retry = (place: Place): RetryOptions | false | undefined => {
    if (place === off) return false;
    return places.includes(place) ? { max: MAX[place], interval: 0 } : undefined;
  };
  let runs = 0;
  await engine.work({
    boom: {
      retry: retry('handler'),
      run: () => {
        runs += 1;
        throw new Error('boom');
      },
    },
  });
  const queue = engine.queue('jobs', {
    rootDefaults: resolveDefaults({ retry: retry('root') }),
    defaultJobOptions: { retry: retry('queue') },
  });
  const job = await queue.enqueue('boom', undefined, { retry: retry('enqueue') });
  await expect(job.result({ timeout: 5 })).rejects.toThrow('boom');
  return runs;
}

describe('of several retry policies', () => {
  it.each<[Place[], Place | 'none']>([
    [['enqueue', 'handler', 'queue', 'root'], 'enqueue'],
    [['handler', 'queue', 'root'], 'handler'],
    [['queue', 'root'], 'queue'],
    [['root'], 'root'],
    [['enqueue', 'root'], 'enqueue'],
    [['handler', 'root'], 'handler'],
    [['enqueue', 'queue'], 'enqueue'],
    [[], 'none'],
  ])('%j: that of %s counts', async (places, winner) => {
    expect(await runsWith(places)).toBe(1 + (winner === 'none' ? 0 : MAX[winner]));
  });

  it.each<[Place, readonly Place[]]>([
    ['enqueue', ['handler', 'queue', 'root']],
    ['handler', ['queue', 'root']],
    ['queue', ['root']],
  ])('`retry: false` of %s keeps all below it from counting', async (place, below) => {
    expect(await runsWith([place, ...below], place)).toBe(1);
  });

  it("`retry: false` of a queue does not keep the handler's from counting", async () => {
    expect(await runsWith(['handler', 'queue'], 'queue')).toBe(1 + MAX.handler);
  });

  it("one is taken as a whole: nothing of the handler's is mixed into the caller's", async () => {
    const delays: number[] = [];
    const worker = await engine.work({
      boom: {
        retry: { max: 5, interval: 60, front: true },
        run: () => {
          throw new Error('boom');
        },
      },
    });
    const job = await engine.queue().enqueue('boom', undefined, { retry: { max: 2, interval: 0 } });
    await expect(job.result({ timeout: 5 })).rejects.toThrow('boom');

    for (const { delay } of worker.events.of('jobRetrying')) delays.push(delay);
    expect(delays).toEqual([0, 0]);
  });
});

describe('of jobs that are claimed together', () => {
  it('each has its own policy, whatever those before and behind it have', async () => {
    const retry: RetryOptions = { max: 2, interval: 0 };
    const options: JobOptions[] = [{}, { retry }, { retry: false }, { timeout: 30 }];
    const list = Array.from({ length: 20 }, (_, data) => ({
      name: 'boom',
      data,
      options: options[data % options.length],
    }));
    const jobs = await engine.queue().enqueueMany(list);
    const runs = new Map<unknown, number>();
    await engine.work({
      boom: {
        retry: { max: 1, interval: 0 },
        run: (data) => {
          runs.set(data, (runs.get(data) ?? 0) + 1);
          throw new Error('boom');
        },
      },
    });
    await Promise.allSettled(jobs.map((job) => job.result({ timeout: 5 })));

    expect(list.map(({ data }) => runs.get(data))).toEqual(
      list.map(({ data }) => [2, 3, 1, 2][data % options.length]),
    );
  });
});

describe('the policy that counts is stored with the job, for any other worker', () => {
  it("from enqueue: at once, in RQ's fields", async () => {
    const retry = { max: 3, interval: [10, 60], front: true };
    const job = await engine.queue().enqueue('boom', undefined, { retry });

    expect(await engine.fields(job.id)).toMatchObject({
      retries_left: '3',
      retry_intervals: '[10,60,60]',
      enqueue_at_front_on_retry: '1',
    });
  });

  it("of the queue's and the root's defaults: at once, too", async () => {
    const queue = engine.queue('jobs', {
      rootDefaults: resolveDefaults({ retry: { max: 9, interval: 0 } }),
      defaultJobOptions: { retry: { max: 2, interval: '5s' } },
    });
    const job = await queue.enqueue('boom');

    expect(await engine.fields(job.id)).toMatchObject({
      retries_left: '2',
      retry_intervals: '[5]',
    });
  });

  it("of the handler: at the job's first failure, what is left of it", async () => {
    const worker = await engine.work({
      boom: {
        retry: { max: 3, interval: [30, 60] },
        run: () => {
          throw new Error('boom');
        },
      },
    });
    const job = await engine.queue().enqueue('boom');
    expect(await engine.fields(job.id)).not.toHaveProperty('retries_left');

    await worker.events.waitFor('jobRetrying');

    const { retries_left, retry_intervals } = await engine.fields(job.id);
    expect([retries_left, retry_intervals]).toEqual(['2', '[30,60,60]']);
  });

  it('and stays the same when the next worker says something else', async () => {
    const boom = () => {
      throw new Error('boom');
    };
    const first = await engine.work({ boom: { retry: { max: 3, interval: 0.05 }, run: boom } });
    const job = await engine.queue().enqueue('boom');
    await first.events.waitFor('jobRetrying');
    await first.stop();

    const second = await engine.work({ boom: { retry: { max: 9, interval: 60 }, run: boom } });
    await expect(job.result({ timeout: 5 })).rejects.toThrow('boom');

    const attempts = [first, second].flatMap(({ events }) => events.of('jobRetrying'));
    expect(attempts.map(({ retriesLeft }) => retriesLeft)).toEqual([2, 1, 0]);
    expect(attempts.map(({ delay }) => delay)).toEqual([50, 50, 50]);
  });

  it('with what RQ has no field for: jitter and window', async () => {
    const interval = { type: 'exponential', delay: 10, jitter: 0.3 } as const;
    const retry = { max: 2, interval, within: '1h' };
    const given = await engine.queue().enqueue('boom', undefined, { retry });
    const worker = await engine.work({
      boom: {
        retry,
        run: () => {
          throw new Error('boom');
        },
      },
    });
    const taken = await engine.queue().enqueue('boom');
    await worker.events.waitFor('jobRetrying', 2);

    for (const { id } of [given, taken]) {
      const { nrq_retry = '' } = await engine.fields(id);
      expect(JSON.parse(nrq_retry)).toMatchObject({ jitter: 0.3, within: 3_600_000 });
    }
  });
});

describe('timeouts', () => {
  it.each([
    ['the call', { call: 0.05, handler: 60, queue: 60 }],
    ['the handler, when the call gives none', { handler: 0.05, queue: 60 }],
    ['the queue, when neither does', { queue: 0.05 }],
  ])('come from %s', async (_, { call, handler, queue }: Record<string, number | undefined>) => {
    await engine.work({ slow: { timeout: handler, run: () => new Promise(() => undefined) } });
    const slow = engine.queue('jobs', { defaultJobOptions: { timeout: queue } });

    const job = await slow.enqueue('slow', undefined, { timeout: call });

    await expect(job.result({ timeout: 5 })).rejects.toThrow(/exceeded its timeout of 0\.05 s/);
  });
});
