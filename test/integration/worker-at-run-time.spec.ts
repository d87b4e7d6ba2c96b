// A worker that is changed, paused and ends by itself while it runs.
import type { WorkerOptions } from '../../lib/worker/index.js';
import { EARLINESS } from '../support/timing.js';
import { deferred, eventually, within } from '../support/wait.js';
import { Engine, type Run } from './support/engine.js';

const engine = Engine.forThisFile();

const jobs = (count: number, name = 'job') => Array.from({ length: count }, () => ({ name }));

/** Jobs that run until the test opens them. */
class Gate {
  running = 0;
  ended = 0;
  private readonly doors: (() => void)[] = [];

  readonly run: Run = async () => {
    const door = deferred();
    this.running += 1;
    this.doors.push(door.resolve);
    await door.promise;
    this.running -= 1;
    this.ended += 1;
  };

  open(count = this.doors.length): void {
    for (const door of this.doors.splice(0, count)) door();
  }

  runs(count: number): Promise<unknown> {
    return eventually(() => this.running === count, { what: `${count} jobs to run` });
  }
}

const done = (worker: { readonly done: Promise<string> }) =>
  within(worker.done, { what: 'the end of the worker' });

describe('setConcurrency', () => {
  it('up: more jobs start at once; down: running jobs end, and no more start than that', async () => {
    const gate = new Gate();
    await engine.queue().enqueueMany(jobs(40));
    const worker = await engine.work({ job: gate.run }, { concurrency: 2 });
    await gate.runs(2);

    worker.setConcurrency(12);
    await gate.runs(12);

    worker.setConcurrency(3);
    let most = 0;
    for (let left = 12; left > 3; left -= 1) {
      gate.open(1);
      await gate.runs(left - 1);
    }
    for (let round = 0; round < 6; round += 1) {
      const ended = gate.ended;
      gate.open(1);
      await eventually(() => gate.ended > ended && gate.running === 3, { what: 'the next job' });
      most = Math.max(most, gate.running);
    }
    expect(most).toBe(3);
  });

  it.each(['ordered', 'weighted'] as const)(
    'is for all queues together in %s order',
    async (order) => {
      const gate = new Gate();
      await engine.queue('a').enqueueMany(jobs(5));
      await engine.queue('b').enqueueMany(jobs(5));
      const list = ['a', 'b'].map((queue) => ({ queue, name: 'job', run: gate.run }));
      const worker = await engine.work(list, { concurrency: 1, order });
      await gate.runs(1);
      worker.setConcurrency(7);
      await gate.runs(7);
      expect(() => worker.setConcurrency(3, 'a')).toThrow(/queue cannot be given in .* order/);
    },
  );

  it('leaves a queue its own number, which can be changed by its name', async () => {
    const [own, other] = [new Gate(), new Gate()];
    await engine.queue('own').enqueueMany(jobs(9));
    await engine.queue('other').enqueueMany(jobs(9));
    const worker = await engine.work(
      [
        { queue: 'own', name: 'job', run: own.run },
        { queue: 'other', name: 'job', run: other.run },
      ],
      { concurrency: 1, queues: [{ name: 'own', concurrency: 2 }, 'other'] },
    );
    worker.setConcurrency(4);
    await Promise.all([own.runs(2), other.runs(4)]);
    worker.setConcurrency(5, 'own');
    await Promise.all([own.runs(5), other.runs(4)]);
    expect(() => worker.setConcurrency(0)).toThrow(/setConcurrency: concurrency must be a whole/);
    expect(() => worker.setConcurrency(5, 'nobody')).toThrow(/"nobody" is not served/);
  });
});

describe('pause and resume', () => {
  const blocked = async () => {
    const list = (await engine.client.client('LIST')) as string;
    return list
      .split('\n')
      .filter((line) => line.includes('cmd=blmove') && / flags=\S*b/.test(line));
  };

  it('an idle worker that is paused waits at no queue: another one gets the jobs', async () => {
    const ran: string[] = [];
    const paused = await engine.work({ job: () => ran.push('paused') });
    await eventually(async () => (await blocked()).length === 1, { what: 'the blocking read' });
    await within(paused.pause(), { what: 'the pause' });
    expect(await blocked()).toEqual([]);

    const [job] = await engine.queue().enqueueMany(jobs(1));
    const other = await engine.work({ job: () => ran.push('other') });
    await job!.result({ timeout: 10 });
    await other.stop();
    expect(ran).toEqual(['other']);

    const [next] = await engine.queue().enqueueMany(jobs(1));
    paused.resume();
    await next!.result({ timeout: 10 });
    expect(ran).toEqual(['other', 'paused']);
    await eventually(async () => (await blocked()).length === 1, {
      what: 'the next blocking read',
    });
  });

  it('running jobs go on, what was claimed ahead goes back in its order', async () => {
    const gate = new Gate();
    const ids = (await engine.queue().enqueueMany(jobs(5))).map(({ id }) => id);
    const worker = await engine.work({ job: gate.run }, { concurrency: 1, prefetch: 3 });
    await gate.runs(1);
    await within(worker.pause(), { what: 'the pause' });
    expect(await engine.client.lrange('rq:queue:jobs', 0, -1)).toEqual(ids.slice(1));
    expect(await engine.places(ids[0]!)).toEqual(['started']);

    gate.open();
    await eventually(async () => (await engine.queue().counts()).finished === 1, {
      what: 'its end',
    });
    expect(gate.ended).toBe(1);
    worker.resume();
    for (let ended = 2; ended <= 5; ended += 1) {
      await gate.runs(1);
      gate.open();
      await eventually(() => gate.ended === ended, { what: 'the next job' });
    }
  });

  it('before the start: nothing runs until it is resumed', async () => {
    const { Worker, HandlerRegistry } = await import('../../lib/worker/index.js');
    const handlers = new HandlerRegistry();
    handlers.register({ queue: 'jobs', name: 'job', owner: 'T.job', run: () => 'ran' });
    const worker = new Worker(await engine.openStore(), handlers);
    await worker.pause();
    const [job] = await engine.queue().enqueueMany(jobs(1));
    await worker.start();
    expect(await job!.status()).toBe('queued');
    worker.resume();
    expect(await job!.result({ timeout: 10 })).toBe('ran');
    await worker.stop();
    expect(await done(worker)).toBe('stopped');
  });
});

describe('maxJobs', () => {
  it.each<[string, WorkerOptions]>([
    ['one by one', { concurrency: 1 }],
    ['many at once, with prefetch', { concurrency: 8, prefetch: 20 }],
  ])('ends after so many runs and claims no more: %s', async (_, options) => {
    let runs = 0;
    await engine.queue().enqueueMany(jobs(30));
    const worker = await engine.work({ job: () => (runs += 1) }, { ...options, maxJobs: 12 });
    expect(await done(worker)).toBe('maxJobs');
    expect(runs).toBe(12);
    const { queued, started, finished } = await engine.queue().counts();
    expect([queued, started, finished]).toEqual([18, 0, 12]);
    expect(worker.events.of('jobReleased')).toEqual([]);
  });

  it('counts every attempt, and the jobs of all queues, also those that no handler takes', async () => {
    let runs = 0;
    const fails: Run = () => {
      runs += 1;
      throw new Error('boom');
    };
    const retry = { max: 1, interval: 0 };
    await engine.queue('a').enqueue('job', undefined, { retry });
    await engine.queue('b').enqueueMany([{ name: 'unknown' }, { name: 'job' }]);
    const list = ['a', 'b'].map((queue) => ({ queue, name: 'job', run: fails }));
    const worker = await engine.work(list, { concurrency: 3, maxJobs: 4 });
    expect(await done(worker)).toBe('maxJobs');
    expect(runs).toBe(3);
  });
});

describe('burst', () => {
  it('runs all that is there, what jobs add to other queues and what is retried at once, then ends', async () => {
    const ran: string[] = [];
    const add = async () => {
      ran.push('add');
      await engine.queue('b').enqueue('added');
    };
    const once: Run = (_, job) => {
      ran.push(`once ${job.attempt}`);
      if (job.attempt === 1) throw new Error('boom');
    };
    await engine.queue('a').enqueue('add');
    await engine.queue('a').enqueue('once', undefined, { retry: { max: 1, interval: 0.2 } });
    const [later] = await engine
      .queue('b')
      .enqueueMany([{ name: 'added', options: { delay: 60 } }]);
    const worker = await engine.work(
      [
        { queue: 'b', name: 'added', run: () => ran.push('added') },
        { queue: 'a', name: 'add', run: add },
        { queue: 'a', name: 'once', run: once },
      ],
      { burst: true },
    );
    expect(await done(worker)).toBe('drained');
    expect(ran.toSorted()).toEqual(['add', 'added', 'once 1', 'once 2']);
    expect(await later!.status()).toBe('scheduled');
    expect(worker.running).toBe(0);
  });

  it('runs the jobs that wait for others, over several queues and at a handler of limit 1', async () => {
    let children = 0;
    const parent = await engine.queue('a').enqueue('parent');
    const items = Array.from({ length: 8 }, () => ({
      name: 'child',
      options: { dependsOn: parent },
    }));
    await engine.queue('b').enqueueMany(items);
    const child = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      children += 1;
    };
    const worker = await engine.work(
      [
        { queue: 'b', name: 'child', concurrency: 1, run: child },
        { queue: 'a', name: 'parent', run: () => 'done' },
      ],
      { burst: true, order: 'ordered', concurrency: 4 },
    );
    expect(await done(worker)).toBe('drained');
    expect(children).toBe(8);
  });

  it('ends at once at empty and at paused queues', async () => {
    await engine.queue('a').pause();
    const job = await engine.queue('a').enqueue('job');
    const list = ['a', 'b'].map((queue) => ({ queue, name: 'job', run: () => undefined }));
    const worker = await engine.work(list, { burst: true });
    expect(await done(worker)).toBe('drained');
    expect(await job.status()).toBe('queued');
  });
});

describe('maxIdle', () => {
  it('ends when nothing has run for that long', async () => {
    const gate = new Gate();
    await engine.queue().enqueueMany(jobs(1));
    const worker = await engine.work({ job: gate.run }, { maxIdle: 1 });
    await gate.runs(1);
    const endedAt = performance.now();
    gate.open();
    expect(await done(worker)).toBe('idle');
    expect(performance.now() - endedAt).toBeGreaterThan(1000 - EARLINESS);
    expect(gate.ended).toBe(1);
  });
});

it('a worker that is stopped says so, when all is written down', async () => {
  const gate = new Gate();
  const [job] = await engine.queue().enqueueMany(jobs(1));
  const worker = await engine.work({ job: gate.run }, { burst: true, shutdownTimeout: 5 });
  await gate.runs(1);
  void worker.stop();
  gate.open();
  expect(await done(worker)).toBe('stopped');
  expect(await job!.status()).toBe('finished');
});
