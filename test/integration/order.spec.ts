import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('one worker with concurrency 1', () => {
  it.each<[string, { prefetch?: 'auto' | number; run?: () => unknown }]>([
    ['with prefetch', {}],
    ['without prefetch', { prefetch: 0 }],
    ['with handlers that take turns of the event loop', { run: () => new Promise(setImmediate) }],
  ])(
    'runs 1000 waiting jobs in the order in which they were enqueued %s',
    async (_, parts) => {
      const { prefetch = 'auto', run } = parts;
      const seen: unknown[] = [];
      const queue = engine.queue();
      await queue.enqueueMany(upTo(1000).map((data) => ({ name: 'note', data })));

      await engine.work(
        {
          note: (data) => {
            seen.push(data);
            return run?.();
          },
        },
        { concurrency: 1, prefetch },
      );

      await eventually(() => seen.length === 1000, { what: '1000 jobs', timeout: 60_000 });
      expect(seen).toEqual(upTo(1000));
    },
    90_000,
  );

  it('keeps the order while jobs arrive, one by one and in bunches, from a sleeping start on', async () => {
    const seen: unknown[] = [];
    await engine.work({ note: (data) => void seen.push(data) }, { concurrency: 1 });
    const queue = engine.queue();

    let next = 0;
    for (let round = 0; next < 1000; round += 1) {
      const bunch = upTo(1 + (round % 17)).map((data) => next + data);
      next += bunch.length;
      const enqueued = Promise.all(bunch.map((data) => queue.enqueue('note', data)));
      // Now and then the queue runs empty, so that the worker falls asleep and is woken.
      if (round % 3 !== 0) await enqueued;
      if (round % 20 === 0) {
        await enqueued;
        await eventually(() => seen.length === next, { what: `${next} jobs`, every: 1 });
      }
    }

    await eventually(() => seen.length === next, { what: `${next} jobs` });
    expect(seen).toEqual(upTo(next));
  });

  it('puts a job that was prefetched back in its place when the one before it takes long', async () => {
    const seen: unknown[] = [];
    const gate = deferred();
    const worker = await engine.work(
      {
        note: (data) => {
          seen.push(data);
          return data === 3 ? gate.promise : undefined;
        },
      },
      { concurrency: 1, prefetch: 5 },
    );
    await engine.queue().enqueueMany(upTo(20).map((data) => ({ name: 'note', data })));

    const returned = await worker.events.waitFor('jobReleased');
    expect(returned.every(({ reason }) => reason === 'prefetched')).toBe(true);
    gate.resolve();

    await eventually(() => seen.length === 20, { what: '20 jobs' });
    expect(seen).toEqual(upTo(20));
  });

  it('runs jobs at the front first, the last of them at the very front', async () => {
    const seen: unknown[] = [];
    const queue = engine.queue();
    for (const data of ['a', 'b']) await queue.enqueue('note', data);
    for (const data of ['c', 'd']) await queue.enqueue('note', data, { atFront: true });

    await engine.work({ note: (data) => void seen.push(data) }, { concurrency: 1 });

    await eventually(() => seen.length === 4, { what: '4 jobs' });
    expect(seen).toEqual(['d', 'c', 'a', 'b']);
  });
});

describe('a second worker that is idle', () => {
  it('gets the jobs that a busy one could not start: long jobs are not hoarded', async () => {
    const gate = deferred();
    const ran: string[] = [];
    const handlers = (worker: string) => ({
      job: (data: unknown) => {
        ran.push(`${worker} ${String(data)}`);
        return data === 'long' ? gate.promise : undefined;
      },
    });
    await engine.work(handlers('first'), { concurrency: 1 });
    const queue = engine.queue();
    await queue.enqueueMany(upTo(200).map(() => ({ name: 'job', data: 'short' })));
    await eventually(() => ran.length === 200, { what: 'short jobs, which make it prefetch' });
    ran.length = 0;

    await queue.enqueueMany(['long', 'a', 'b', 'c'].map((data) => ({ name: 'job', data })));
    await engine.work(handlers('second'), { concurrency: 1 });

    await eventually(() => ran.length === 4, { what: 'the jobs behind the long one' });
    gate.resolve();
    // In which order is open with two workers; none of them waits for the long one.
    expect(new Set(ran)).toEqual(new Set(['first long', 'second a', 'second b', 'second c']));
  });
});
