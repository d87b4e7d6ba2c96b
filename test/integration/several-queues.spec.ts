import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const jobs = (count: number) => Array.from({ length: count }, () => ({ name: 'job' }));

describe('queues in parallel order', () => {
  it('have slots of their own: a busy one does not hold up another', async () => {
    const gate = deferred();
    await engine.queue('busy').enqueueMany(jobs(10));

    await engine.work(
      [
        { queue: 'busy', name: 'job', run: () => gate.promise },
        { queue: 'calm', name: 'job', run: () => 'done' },
      ],
      { concurrency: 2 },
    );

    const job = await engine.queue('calm').enqueue('job');
    expect(await job.result({ timeout: 5 })).toBe('done');
    gate.resolve();
  });
});

describe('queues in the given order', () => {
  it('are emptied one after the other', async () => {
    const ran: string[] = [];
    const names = ['first', 'second', 'third'];
    for (const name of names) await engine.queue(name).enqueueMany(jobs(20));

    await engine.work(
      names.map((queue) => ({ queue, name: 'job', run: () => void ran.push(queue) })),
      { order: 'ordered', concurrency: 1, queues: names },
    );

    await eventually(() => ran.length === 60, { what: '60 jobs' });
    expect(ran).toEqual(names.flatMap((name) => Array.from({ length: 20 }, () => name)));
  });

  it('let a job of the first queue overtake those that wait in the second', async () => {
    const ran: unknown[] = [];
    const gate = deferred();
    await engine.work(
      [
        { queue: 'urgent', name: 'job', run: () => void ran.push('urgent') },
        {
          queue: 'bulk',
          name: 'job',
          run: (data) => {
            ran.push(data);
            return data === 0 ? gate.promise : undefined;
          },
        },
      ],
      { order: 'ordered', concurrency: 1, queues: ['urgent', 'bulk'] },
    );
    const bulk = [0, 1, 2, 3].map((data) => ({ name: 'job', data }));
    await engine.queue('bulk').enqueueMany(bulk);
    await eventually(() => ran.length === 1, { what: 'the first job of the second queue' });

    const urgent = await engine.queue('urgent').enqueue('job');
    // The worker's blocking read takes it; without a free slot it is given back, and known of.
    const isBack = async () => (await engine.places(urgent.id, 'urgent'))[0] === 'queue';
    await eventually(isBack, { what: 'the worker to know of it' });
    gate.resolve();
    await urgent.result({ timeout: 5 });

    await eventually(() => ran.length === 5, { what: 'all jobs' });
    expect(ran).toEqual([0, 'urgent', 1, 2, 3]);
  });

  it('share the slots: in all of them together no more jobs run than allowed', async () => {
    let now = 0;
    let most = 0;
    let done = 0;
    const run = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now -= 1;
      done += 1;
    };
    const names = ['a', 'b', 'c'];
    const handlers = names.map((queue) => ({ queue, name: 'job', run }));
    await engine.work(handlers, { order: 'ordered', concurrency: 3 });
    for (const name of names) await engine.queue(name).enqueueMany(jobs(50));

    await eventually(() => done === 150, { what: '150 jobs' });
    expect(most).toBe(3);
  });

  it.each(['ordered', 'weighted'] as const)(
    'a paused queue does not block the others (%s)',
    async (order) => {
      await engine.queue('first').pause();
      await engine.queue('first').enqueue('job');
      await engine.work(
        ['first', 'second'].map((queue) => ({ queue, name: 'job', run: () => queue })),
        { order, concurrency: 1 },
      );

      const job = await engine.queue('second').enqueue('job');

      expect(await job.result({ timeout: 5 })).toBe('second');
    },
  );
});

describe('queues by weight', () => {
  it('get slots in proportion, and none of them starves', async () => {
    const ran: string[] = [];
    const weights = { heavy: 9, light: 1 };
    for (const name of Object.keys(weights)) await engine.queue(name).enqueueMany(jobs(1000));

    await engine.work(
      Object.keys(weights).map((queue) => ({
        queue,
        name: 'job',
        run: () => void ran.push(queue),
      })),
      {
        order: 'weighted',
        concurrency: 1,
        queues: Object.entries(weights).map(([name, weight]) => ({ name, weight })),
      },
    );

    await eventually(() => ran.length >= 1000, { what: '1000 jobs', timeout: 60_000 });
    const light = ran.slice(0, 1000).filter((queue) => queue === 'light').length;
    // 100 on average; by chance alone, outside of these bounds once in millions of runs.
    expect(light).toBeGreaterThan(50);
    expect(light).toBeLessThan(160);
  }, 90_000);

  it('use the slots that the others leave', async () => {
    const ran: string[] = [];
    await engine.queue('light').enqueueMany(jobs(100));
    await engine.work(
      ['heavy', 'light'].map((queue) => ({ queue, name: 'job', run: () => void ran.push(queue) })),
      {
        order: 'weighted',
        concurrency: 2,
        queues: [
          { name: 'heavy', weight: 1000 },
          { name: 'light', weight: 0.001 },
        ],
      },
    );
    await eventually(() => ran.length === 100, { what: 'the jobs of the light queue' });
    await engine.queue('heavy').enqueueMany(jobs(100));
    await eventually(() => ran.length === 200, { what: 'the jobs of the heavy queue' });
  });
});

describe('pipes of many queues', () => {
  it('carry a job from queue to queue, each enqueued by the handler before', async () => {
    const count = 20;
    const names = Array.from({ length: count }, (_, index) => `pipe${index}`);
    const arrived = new Map<number, string[]>();
    const handlers = names.map((queue, index) => ({
      queue,
      name: 'pass',
      run: async (data: unknown) => {
        const { id, path } = data as { id: number; path: string[] };
        const next = names[index + 1];
        if (next === undefined) arrived.set(id, [...path, queue]);
        else await engine.queue(next).enqueue('pass', { id, path: [...path, queue] });
      },
    }));
    await engine.work(handlers, { concurrency: 5 });

    await Promise.all(
      Array.from({ length: 50 }, (_, id) =>
        engine.queue('pipe0').enqueue('pass', { id, path: [] }),
      ),
    );

    await eventually(() => arrived.size === 50, {
      what: '50 jobs at the end of 20 queues',
      timeout: 25_000,
    });
    for (const path of arrived.values()) expect(path).toEqual(names);
  });
});
