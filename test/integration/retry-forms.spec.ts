import type { RetryOptions } from '../../lib/job/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { expectGaps, Runs } from './support/gaps.js';

const engine = Engine.forThisFile();

const boom = () => {
  throw new Error('boom');
};

describe('a retry is never early and late by milliseconds', () => {
  // One after the other they would take long: all are under way at once, each with a handler of its own.
  const forms: [RetryOptions, number[]][] = [
    [{ max: 3, interval: 0.2 }, [200, 200, 200]],
    [{ max: 2, interval: '150ms' }, [150, 150]],
    [{ max: 3, interval: [0.05, 0.25, 0.1] }, [50, 250, 100]],
    [{ max: 4, interval: [0.2, '60ms'] }, [200, 60, 60, 60]],
    [{ max: 2, interval: [0.3, 0.05, 60] }, [300, 50]],
    [{ max: 3, interval: [0, 0.1, 0] }, [0, 100, 0]],
    [{ max: 3, interval: { type: 'exponential', delay: 0.05 } }, [50, 100, 200]],
    [
      { max: 4, interval: { type: 'exponential', delay: 0.04, factor: 3, max: '150ms' } },
      [40, 120, 150, 150],
    ],
    [{ max: 3, interval: 0 }, [0, 0, 0]],
    // A second retry would start after the window, by a second and all that the first run took; the first has more than a
    // second to run.
    [{ within: 4, interval: 2.5 }, [2500]],
    [{ max: 9, within: '4s', interval: 2.5 }, [2500]],
  ];

  it('in each of its forms', async () => {
    const measured = forms.map(([retry, waits], index) => {
      return { name: `form${index}`, retry, waits, runs: new Runs() };
    });
    await engine.work(measured.map(({ name, runs }) => ({ name, run: runs.of(boom) })));

    const jobs = await Promise.all(
      measured.map(({ name, retry }) => engine.queue().enqueue(name, undefined, { retry })),
    );
    for (const job of jobs) await expect(job.result({ timeout: 10 })).rejects.toThrow('boom');

    for (const { runs, waits, retry } of measured) {
      expectGaps(runs.gaps, waits, JSON.stringify(retry));
    }
    for (const job of jobs) expect(await engine.places(job.id)).toEqual(['failed']);
  });

  it('with jitter, each within its share', async () => {
    const interval = { type: 'exponential', delay: 0.1, factor: 1, jitter: 0.5 } as const;
    const runs = new Runs();
    await engine.work({ boom: runs.of(boom) });

    const job = await engine.queue().enqueue('boom', undefined, { retry: { max: 6, interval } });
    await expect(job.result({ timeout: 10 })).rejects.toThrow('boom');

    expect(runs.gaps).toHaveLength(6);
    expect(Math.min(...runs.gaps)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...runs.gaps)).toBeLessThan(150 + LATENESS);
    expect(new Set(runs.gaps).size).toBeGreaterThan(1);
  });

  it('also while the queue is busy', async () => {
    const runs = new Runs();
    let others = 0;
    await engine.work({
      boom: runs.of(boom),
      other: () => new Promise((resolve) => setTimeout(() => resolve((others += 1)), 1)),
    });
    const retry = { max: 3, interval: 0.1 };
    const job = await engine.queue().enqueue('boom', undefined, { retry });
    const many = Array.from({ length: 1000 }, () => ({ name: 'other' }));
    await engine.queue().enqueueMany(many);

    await expect(job.result({ timeout: 20 })).rejects.toThrow('boom');

    expect(runs.gaps).toHaveLength(3);
    expect(Math.min(...runs.gaps)).toBeGreaterThanOrEqual(100);
    expect(others).toBeGreaterThan(0);
  });
});

describe('a job waits for its retry', () => {
  it('in `scheduled`, and in no other place', async () => {
    const worker = await engine.work({ boom });
    const job = await engine
      .queue()
      .enqueue('boom', undefined, { retry: { max: 1, interval: 60 } });

    const [event] = await worker.events.waitFor('jobRetrying');

    expect(event).toMatchObject({ jobId: job.id, attempt: 1, delay: 60_000, retriesLeft: 0 });
    expect(await job.status()).toBe('scheduled');
    expect(await engine.places(job.id)).toEqual(['scheduled']);
    expect(await engine.queue().counts()).toMatchObject({ scheduled: 1, queued: 0, started: 0 });
    expect(await engine.fields(job.id)).toMatchObject({ retries_left: '0', status: 'scheduled' });
    expect(await job.results()).toMatchObject([
      { attempt: 1, outcome: 'retrying', error: 'Error: boom', delay: 60_000 },
    ]);
  });

  it('behind what waits already, or before it with `front`', async () => {
    const order: string[] = [];
    await engine.work(
      {
        polite: (_, job) => {
          order.push(`polite ${job.attempt}`);
          if (job.attempt === 1) boom();
        },
        pushy: (_, job) => {
          order.push(`pushy ${job.attempt}`);
          if (job.attempt === 1) boom();
        },
        other: () => void order.push('other'),
      },
      { concurrency: 1, prefetch: 0 },
    );
    const jobs = await engine
      .queue()
      .enqueueMany([
        { name: 'polite', options: { retry: { max: 1, interval: 0 } } },
        { name: 'pushy', options: { retry: { max: 1, interval: 0, front: true } } },
        { name: 'other' },
      ]);

    await Promise.all(jobs.map((job) => job.result({ timeout: 5 })));

    expect(order).toEqual(['polite 1', 'pushy 1', 'pushy 2', 'other', 'polite 2']);
  });

  it('and is run by another worker when the first one is gone', async () => {
    const runs = new Runs();
    const first = await engine.work({ flaky: runs.of(boom) });
    // By then the first one has stopped.
    const retry = { max: 1, interval: 2 };
    const job = await engine.queue().enqueue('flaky', undefined, { retry });
    await first.events.waitFor('jobRetrying');
    await first.stop();

    await engine.work({ flaky: runs.of(() => 'done') });

    expect(await job.result({ timeout: 7 })).toBe('done');
    expectGaps(runs.gaps, [2000]);
  });
});

describe('attempts', () => {
  it('are counted for the handler and recorded one by one', async () => {
    const seen: unknown[] = [];
    await engine.work({
      flaky: (data, job) => {
        seen.push([data, job.attempt, job.retriesLeft]);
        if (job.attempt < 3) throw new TypeError(`not yet ${job.attempt}`);
        return 'fine';
      },
    });
    const job = await engine.queue().enqueue('flaky', { a: 1 }, { retry: { max: 5, interval: 0 } });

    expect(await job.result({ timeout: 5 })).toBe('fine');

    expect(seen).toEqual([
      [{ a: 1 }, 1, 5],
      [{ a: 1 }, 2, 4],
      [{ a: 1 }, 3, 3],
    ]);
    expect(await job.results()).toMatchObject([
      { attempt: 1, outcome: 'retrying', error: 'TypeError: not yet 1', delay: 0 },
      { attempt: 2, outcome: 'retrying', error: 'TypeError: not yet 2' },
      { attempt: 3, outcome: 'finished', value: 'fine' },
    ]);
    const [, second] = await job.results();
    expect(second?.stack).toMatch(/TypeError: not yet 2\n +at /);
  });

  it('are never more than the policy allows; the last ten failures are kept', async () => {
    const runs = new Runs();
    await engine.work({ boom: runs.of(boom) });
    const job = await engine
      .queue()
      .enqueue('boom', undefined, { retry: { max: 14, interval: 0 } });

    await expect(job.result({ timeout: 5 })).rejects.toThrow('boom');

    expect(runs.count).toBe(15);
    const results = await job.results();
    expect(results.map(({ attempt }) => attempt)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(results.at(-1)).toMatchObject({ outcome: 'failed' });
  });
});

it('a failed attempt is written to its job in one step', async () => {
  const count = 200;
  const jobs = Array.from({ length: count }, () => ({
    name: 'fails once',
    options: { retry: { max: 1, interval: 0 }, resultTtl: 0 },
  }));
  await engine.queue().enqueueMany(jobs);
  await engine.client.config('RESETSTAT');
  const runs = new Set<string>();
  await engine.work({
    'fails once': (_data, { id }) => {
      if (runs.has(id)) return;
      runs.add(id);
      boom();
    },
  });
  await eventually(async () => (await engine.client.exists('rq:queue:jobs', 'rq:wip:jobs')) === 0, {
    what: 'the jobs to end',
  });
  const stats = await engine.client.info('commandstats');
  const calls = (name: string) =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1]);
  // Of a job, two claims and the failure. Of a call, what it notes of itself.
  expect(calls('hset')).toBeLessThanOrEqual(3 * count + 2 * calls('evalsha'));
  expect(runs.size).toBe(count);
});
