import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const jobs = (name: string, count: number) => Array.from({ length: count }, () => ({ name }));

/** Up to 3 ms. */
const shortTime = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));

/** Counts how many handlers run at once. */
class Meter {
  now = 0;
  most = 0;
  done = 0;

  /** A handler that takes a few turns of the event loop, or until `gate` opens. */
  run = async (gate: Promise<unknown> = shortTime()): Promise<void> => {
    this.now += 1;
    this.most = Math.max(this.most, this.now);
    await gate;
    this.now -= 1;
    this.done += 1;
  };
}

describe("a worker's concurrency", () => {
  it.each<[number, 'auto' | number]>([
    [1, 'auto'],
    [3, 'auto'],
    [3, 20],
    [10, 0],
    [100, 'auto'],
  ])('of %d is used and never exceeded (prefetch %s)', async (concurrency, prefetch) => {
    const meter = new Meter();
    const allBusy = deferred();
    await engine.queue().enqueueMany(jobs('job', 400));

    // None ends before all slots are in use.
    const job = () => {
      const run = meter.run(allBusy.promise.then(shortTime));
      if (meter.now === concurrency) allBusy.resolve();
      return run;
    };
    await engine.work({ job }, { concurrency, prefetch });

    await eventually(() => meter.done === 400, { what: '400 jobs', timeout: 25_000 });
    expect(meter.most).toBe(concurrency);
  });

  it('holds while jobs arrive one by one, fail and are retried', async () => {
    const meter = new Meter();
    await engine.work(
      {
        job: async (data) => {
          await meter.run();
          if (data === 'fails') throw new Error('boom');
        },
      },
      { concurrency: 4 },
    );
    const queue = engine.queue();
    for (let round = 0; round < 100; round += 1) {
      await queue.enqueue('job', round % 3 === 0 ? 'fails' : 'ok', {
        retry: { max: 1, interval: 0 },
      });
    }

    await eventually(() => meter.done === 134, {
      what: '100 jobs and 34 retries',
      timeout: 25_000,
    });
    expect(meter.most).toBeLessThanOrEqual(4);
  });

  it('counts per queue in parallel order', async () => {
    const [images, mail] = [new Meter(), new Meter()];
    const allBusy = deferred();
    await engine.queue('images').enqueueMany(jobs('job', 50));
    await engine.queue('mail').enqueueMany(jobs('job', 50));

    const job = (meter: Meter) => () => {
      const run = meter.run(allBusy.promise.then(shortTime));
      if (images.now === 4 && mail.now === 2) allBusy.resolve();
      return run;
    };
    await engine.work(
      [
        { queue: 'images', name: 'job', run: job(images) },
        { queue: 'mail', name: 'job', run: job(mail) },
      ],
      { concurrency: 4, queues: ['images', { name: 'mail', concurrency: 2 }] },
    );

    await eventually(() => images.done + mail.done === 100, { what: '100 jobs' });
    expect([images.most, mail.most]).toEqual([4, 2]);
  });
});

describe("a handler's own concurrency", () => {
  it('is never exceeded, and every job runs once', async () => {
    const [limited, other] = [new Meter(), new Meter()];
    await engine.queue().enqueueMany([...jobs('limited', 30), ...jobs('other', 30)]);

    await engine.work(
      { limited: { concurrency: 2, run: () => limited.run() }, other: () => other.run() },
      { concurrency: 10 },
    );

    await eventually(() => limited.done === 30 && other.done === 30, { what: 'all jobs' });
    expect(limited.most).toBe(2);
    expect(other.most).toBeGreaterThan(2);
    const { queued, started, scheduled, finished } = await eventually(
      async () => {
        const counts = await engine.queue().counts();
        return counts.finished === 60 && counts;
      },
      { what: 'all jobs to be settled' },
    );
    expect([queued, started, scheduled, finished]).toEqual([0, 0, 0, 60]);
  });

  it('does not hold up the other handlers of the queue', async () => {
    const gate = deferred();
    const [limited, other] = [new Meter(), new Meter()];
    const worker = await engine.work(
      {
        limited: { concurrency: 1, run: () => limited.run(gate.promise) },
        other: () => other.run(),
      },
      { concurrency: 3 },
    );
    await engine.queue().enqueueMany([...jobs('limited', 20), ...jobs('other', 10)]);

    await eventually(() => other.done === 10, { what: 'the other jobs' });
    expect([limited.now, limited.done]).toEqual([1, 0]);

    // The others wait in Redis, where another worker may have them.
    const waiting = await eventually(
      async () => {
        const counts = await engine.queue().counts();
        return counts.finished === 10 && counts;
      },
      { what: 'the other jobs to be settled' },
    );
    expect(waiting).toMatchObject({ queued: 19, started: 1 });
    expect(worker.events.of('jobSnoozed')).toEqual([]);
    gate.resolve();
  });

  it('keeps the order of its jobs, and the worker as busy as one without slots for others', async () => {
    const order: number[] = [];
    const run = async (data: unknown) => {
      order.push((data as { n: number }).n);
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    await engine.work({ limited: { concurrency: 1, run } }, { concurrency: 5 });
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    await engine.queue().enqueueMany(numbers.map((n) => ({ name: 'limited', data: { n } })));

    await eventually(() => order.length === 200, { what: '200 jobs' });
    expect(order).toEqual(numbers);
  });
});
