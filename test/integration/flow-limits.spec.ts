// Rates, what handlers put off, and limits that are set at run time.
import { Engine } from './support/engine.js';
import { EARLINESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { SnoozeJob } from '../../lib/job/index.js';
import type { Queue } from '../../lib/queue/index.js';
import { HandlerRegistry, Worker } from '../../lib/worker/index.js';

const engine = Engine.forThisFile();

const many = (name: string, count: number, key?: string) =>
  Array.from({ length: count }, (_, n) => ({
    name,
    data: { n },
    options: key === undefined ? {} : { key },
  }));

/** The most of these moments that lie within a span. */
function mostWithin(span: number, moments: readonly number[]): number {
  const sorted = moments.toSorted((one, other) => one - other);
  return Math.max(
    0,
    ...sorted.map((from) => sorted.filter((at) => at >= from && at < from + span).length),
  );
}

/** When each of the queue's jobs was claimed, by Redis's clock. */
async function starts(queue: Queue): Promise<number[]> {
  const jobs = await queue.jobs('finished', { limit: 1000 });
  return jobs.map(({ startedAt }) => startedAt?.getTime() ?? 0);
}

describe('a rate', () => {
  it('is never exceeded in any span of time, whatever the number of workers', async () => {
    const handler = { rateLimit: { max: 5, per: 0.2 }, run: () => undefined };
    for (let worker = 0; worker < 2; worker += 1) await engine.work({ call: handler });
    const queue = engine.queue();
    await queue.enqueueMany(many('call', 20));

    await eventually(async () => (await queue.counts()).finished === 20, { what: '20 jobs' });
    // Dates have whole milliseconds.
    expect(mostWithin(199, await starts(queue))).toBeLessThanOrEqual(5);
  });

  it('of a key does not hold up the other keys', async () => {
    const order: string[] = [];
    const run = (_: unknown, job: { id: string }) => void order.push(job.id);
    await engine.work({ call: { rateLimit: { perKey: { max: 1, per: '1h' } }, run } });
    const queue = engine.queue();
    await queue.enqueueMany([...many('call', 3, 'a'), ...many('call', 1, 'b')]);

    await eventually(async () => (await queue.counts()).finished === 2, {
      what: 'one job of each key',
    });
    const [lane, ...others] = await queue.lanes();
    expect(others).toEqual([]);
    expect(lane).toMatchObject({ handler: 'call', key: 'a', waiting: 2, running: 0, why: 'rate' });
    expect(lane?.opensAt?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
  });

  it('of a queue holds for all its jobs together, and nobody asks in vain meanwhile', async () => {
    const registry = new HandlerRegistry();
    for (const name of ['one', 'two']) {
      registry.register({ queue: 'jobs', name, owner: `Tests.${name}`, run: () => undefined });
    }
    registry.limitQueue('jobs', { rateLimit: { max: 2, per: 0.3 } });
    const worker = new Worker(await engine.openStore(), registry, { shutdownTimeout: 0.2 });
    const queue = engine.queue();
    await queue.enqueueMany([...many('one', 3), ...many('two', 3)]);
    await worker.start();
    try {
      await eventually(async () => (await queue.counts()).finished === 6, { what: '6 jobs' });
    } finally {
      await worker.stop();
    }
    expect(mostWithin(299, await starts(queue))).toBeLessThanOrEqual(2);
  });
});

describe('the total of a queue', () => {
  it('is never exceeded, and a worker that waits for room is told when there is', async () => {
    let [now, most, done] = [0, 0, 0];
    const workers: Worker[] = [];
    for (let index = 0; index < 2; index += 1) {
      const registry = new HandlerRegistry();
      const run = async () => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        done += 1;
      };
      registry.register({ queue: 'jobs', name: 'job', owner: 'Tests.job', run });
      registry.limitQueue('jobs', { concurrency: { total: 3 } });
      workers.push(new Worker(await engine.openStore(), registry, { shutdownTimeout: 0.2 }));
    }
    await Promise.all(workers.map((worker) => worker.start()));
    try {
      await engine.queue().enqueueMany(many('job', 60));
      await eventually(() => done === 60, { what: '60 jobs', timeout: 9000 });
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
    expect(most).toBe(3);
  });
});

describe('SnoozeJob', () => {
  it.each(['key', 'handler', 'queue'] as const)(
    'with scope %s puts off all of it, spends nothing, and the job stays the next one',
    async (scope) => {
      const order: string[] = [];
      let snoozedAt: number | undefined;
      const run = (_: unknown, job: { id: string; attempt: number }) => {
        if (snoozedAt === undefined) {
          snoozedAt = performance.now();
          // For long enough that the test can look at it meanwhile.
          throw new SnoozeJob({ for: 1.5, scope });
        }
        order.push(`${job.id} ${job.attempt}`);
      };
      const worker = await engine.work(
        { call: { concurrency: { perKey: 1 }, run }, other: (_, job) => void order.push(job.id) },
        { concurrency: 1 },
      );
      const queue = engine.queue();
      await queue.enqueueMany([
        { name: 'call', data: {}, options: { id: 'first', key: 'a' } },
        { name: 'call', data: {}, options: { id: 'second', key: 'a' } },
      ]);
      const [{ delay } = { delay: 0 }] = await worker.events.waitFor('jobSnoozed');
      expect(delay).toBe(1500);
      expect(await queue.limits()).toContainEqual(
        expect.objectContaining({
          from: 'snoozed',
          handler: scope === 'queue' ? undefined : 'call',
          key: scope === 'key' ? 'a' : undefined,
        }),
      );
      await eventually(() => order.length === 2, { what: 'both jobs' });
      expect(order).toEqual(['first 1', 'second 1']);
      expect(performance.now() - (snoozedAt ?? Infinity)).toBeGreaterThan(1500 - EARLINESS);
    },
  );

  it('gives a handler without limits a gate for that time', async () => {
    const order: string[] = [];
    let isFirst = true;
    const run = (_: unknown, job: { id: string }) => {
      if (isFirst) {
        isFirst = false;
        throw new SnoozeJob({ for: 1.5, scope: 'handler' });
      }
      order.push(job.id);
    };
    await engine.work(
      { call: run, other: (_, job) => void order.push(job.id) },
      { concurrency: 1 },
    );
    const queue = engine.queue();
    await queue.enqueueMany([
      { name: 'call', data: {}, options: { id: 'first' } },
      { name: 'call', data: {}, options: { id: 'second' } },
      { name: 'other', data: {}, options: { id: 'other' } },
    ]);
    await eventually(() => order.length === 3, { what: 'all jobs' });
    expect(order).toEqual(['other', 'first', 'second']);
  });
});

describe('setLimits', () => {
  it('wins over what is declared, at once, and ends', async () => {
    let done = 0;
    const handler = { key: () => 'a', concurrency: { total: 3 }, run: () => void (done += 1) };
    await engine.work({ call: handler });
    const queue = engine.queue();
    await queue.setLimits({ handler: 'call', concurrency: { total: 0 } });
    await queue.enqueueMany(many('call', 4, 'a'));
    expect(await queue.limits()).toEqual([
      { handler: 'call', key: undefined, from: 'declared', concurrency: { total: 3 } },
      { handler: 'call', key: undefined, from: 'set', concurrency: { total: 0 }, until: undefined },
    ]);
    expect(await queue.lanes()).toMatchObject([{ waiting: 4, why: 'paused', opensAt: undefined }]);
    expect(done).toBe(0);

    await queue.setLimits({ handler: 'call' });
    await eventually(() => done === 4, { what: 'the jobs to run as declared' });
    expect(await queue.limits()).toHaveLength(1);
  });

  it('pauses one key for a time', async () => {
    const order: string[] = [];
    const run = (_: unknown, job: { id: string }) => void order.push(job.id.slice(0, 1));
    await engine.work({ call: { key: () => 'x', run } });
    const queue = engine.queue();
    await queue.setLimits({ handler: 'call', key: 'a', concurrency: { perKey: 0 } }, { for: 2 });
    await queue.enqueueMany([
      { name: 'call', data: {}, options: { id: 'a1', key: 'a' } },
      { name: 'call', data: {}, options: { id: 'b1', key: 'b' } },
    ]);
    await eventually(() => order.length === 1, { what: 'the other key' });
    expect(order).toEqual(['b']);
    await eventually(() => order.length === 2, { what: 'the key whose pause is over' });
  });

  it('of the queue: when it is taken back, what waits starts at once', async () => {
    let ran = 0;
    await engine.work({ sync: () => void (ran += 1) });
    const queue = engine.queue();
    await queue.setLimits({ concurrency: { total: 0 } });
    await queue.enqueue('sync', {});
    await eventually(async () => (await engine.client.hlen('rq:nrq:asleep:jobs')) === 1, {
      what: 'a worker that waits',
    });
    const at = performance.now();
    await queue.setLimits({});
    await eventually(() => ran === 1, { what: 'the job', timeout: 15_000 });
    // A sweep would come ten seconds later.
    expect(performance.now() - at).toBeLessThan(6000);
  });

  it('makes a gate for a handler that has none', async () => {
    let done = 0;
    await engine.work({ call: () => void (done += 1) });
    const queue = engine.queue();
    await queue.setLimits({ handler: 'call', concurrency: { total: 0 } });
    await queue.enqueueMany(many('call', 3));
    await eventually(async () => (await queue.lanes()).length === 1, { what: 'a lane' });
    expect(done).toBe(0);
    await queue.setLimits({ handler: 'call' });
    await eventually(() => done === 3, { what: 'the jobs' });
  });

  it.each([
    [{ key: 'a', concurrency: { perKey: 1 } }, 'handler'],
    [{ concurrency: { perKey: 1 } }, 'concurrency.perKey'],
    [{ handler: 'call', key: 'a', concurrency: { total: 1 } }, 'concurrency.total'],
    [{ handler: 'call', concurrency: { total: -1 } }, 'concurrency.total'],
    [{ handler: 'call', rateLimit: { max: 1 } }, 'rateLimit.per'],
  ])('refuses %j, naming %s', async (settings, option) => {
    await expect(engine.queue().setLimits(settings)).rejects.toMatchObject({ option });
  });
});
