import { jest } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { NestSide } from './nest-side.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** One job, run by workers of both languages in turn: the last word counts, on either side. */
describeInterop('a job that both languages run', () => {
  const sides = useBothSides();

  const enqueueHere = () =>
    sides.nest.queue().enqueueCall('tasks.fail_n_times', { args: [1, 'x'] });
  const enqueueThere = async () => {
    const id = await sides.python.run<string>(
      'return queue().enqueue("tasks.fail_n_times", 1, "x").id',
    );
    return (await sides.nest.queue().getJob(id))!;
  };

  describe.each([
    ['ours', enqueueHere],
    ["Python's", enqueueThere],
  ])('%s', (_whose, enqueue) => {
    it('failed in Python, requeued, finished here', async () => {
      const job = await enqueue();
      await sides.python.worker('shared', { burst: true });
      await expect(job.result({ timeout: '5s' })).rejects.toThrow('run 1 fails');
      await sides.python.run('fetch(given).requeue()', job.id);
      await sides.nest.worker({ 'tasks.fail_n_times': () => 'finished here' });
      expect(await job.result({ timeout: '10s' })).toBe('finished here');
      // Python finds the failure of the first run in its history: it must not be the latest word.
      expect(await look(sides.python, job.id)).toMatchObject({
        is_finished: true,
        result_type: 'SUCCESSFUL',
        return_value: 'finished here',
      });
    });

    it('failed here, requeued, finished in Python', async () => {
      const job = await enqueue();
      const worker = await sides.nest.worker({
        'tasks.fail_n_times': () => Promise.reject(new Error('failed here')),
      });
      await lookWhen(sides.python, job.id, 'failed');
      await worker.stop();
      await sides.client.set('test:runs:x', '1');
      await sides.python.run('fetch(given).requeue()', job.id);
      await sides.python.worker('shared', { burst: true });
      expect(await job.result({ timeout: '10s' })).toBe(2);
      expect(await look(sides.python, job.id)).toMatchObject({ return_value: 2, exc_string: null });
    });

    it('failed here, requeued here, failed in Python: the reason is the last one', async () => {
      const job = await enqueue();
      const worker = await sides.nest.worker({
        'tasks.fail_n_times': () => Promise.reject(new Error('failed here')),
      });
      await lookWhen(sides.python, job.id, 'failed');
      await worker.stop();
      await job.requeue();
      await sides.python.worker('shared', { burst: true });
      await expect(job.result({ timeout: '5s' })).rejects.toThrow('run 1 fails');
    });

    it('failed in Python, requeued, failed here: the reason is the last one', async () => {
      const job = await enqueue();
      await sides.python.worker('shared', { burst: true });
      await expect(job.result({ timeout: '5s' })).rejects.toThrow('run 1 fails');
      await sides.python.run('fetch(given).requeue()', job.id);
      await sides.nest.worker({
        'tasks.fail_n_times': () => Promise.reject(new Error('failed here')),
      });
      await lookWhen(sides.python, job.id, 'failed');
      await expect(job.result({ timeout: '5s' })).rejects.toThrow('failed here');
      expect((await look(sides.python, job.id)).exc_string).toContain('failed here');
    });
  });

  it('the retries are one account: some spent there, the rest here', async () => {
    const job = await sides.nest
      .queue()
      .enqueueCall('tasks.fail_n_times', { args: [9, 'x'] }, { retry: { max: 3, interval: 0 } });
    await sides.python.worker('shared', { args: ['--max-jobs', '2'], burst: true });
    expect(await look(sides.python, job.id)).toMatchObject({ is_queued: true, retries_left: 1 });
    let runs = 0;
    await sides.nest.worker({
      'tasks.fail_n_times': () => {
        runs += 1;
        throw new Error('here too');
      },
    });
    expect(await lookWhen(sides.python, job.id, 'failed')).toMatchObject({ retries_left: 0 });
    expect(runs).toBe(2);
    expect(await sides.client.get('test:runs:x')).toBe('2');
  });

  it('a retry that Python schedules is moved here in time, and the other way round', async () => {
    const id = await sides.python.run<string>(
      'return queue().enqueue("tasks.fail_n_times", 9, "x", retry=Retry(max=1, interval=1)).id',
    );
    await sides.python.worker('shared', { burst: true });
    expect(await look(sides.python, id)).toMatchObject({
      is_scheduled: true,
      places: ['scheduled'],
    });
    await sides.nest.worker({ 'tasks.fail_n_times': () => 'here' });
    expect((await lookWhen(sides.python, id, 'finished')).return_value).toBe('here');
    await sides.nest.stopWorkers();

    const job = await sides.nest
      .queue()
      .enqueueCall('tasks.fail_n_times', { args: [0, 'y'] }, { retry: { max: 1, interval: '1h' } });
    const worker = await sides.nest.worker({
      'tasks.fail_n_times': () => Promise.reject(new Error('no')),
    });
    await lookWhen(sides.python, job.id, 'scheduled');
    await worker.stop();
    // As if the hour had passed, but for a second.
    await sides.client.zadd('rq:scheduled:shared', 'XX', Date.now() / 1000 + 1, job.id);
    await sides.python.worker('shared', { scheduler: true });
    expect(await job.result({ timeout: '30s' })).toBe(1);
  });

  it('a returned Retry of Python is counted on here', async () => {
    const id = await sides.python.run<string>(
      'return queue().enqueue("tasks.retry_by_return", 5).id',
    );
    await sides.python.worker('shared', { args: ['--max-jobs', '2'], burst: true });
    expect(await look(sides.python, id)).toMatchObject({ number_of_retries: 2, places: ['queue'] });
    const { Retry } = await import('../../lib/index.js');
    await sides.nest.worker({ 'tasks.retry_by_return': () => Retry({ max: 3 }) });
    const view = await lookWhen(sides.python, id, 'failed');
    expect(view.number_of_retries).toBe(3);
  });

  it('a repeated job of Python is run by both until its repeats are spent', async () => {
    const id = await sides.python.run<string>(
      'return queue().enqueue("tasks.add", 1, repeat=Repeat(times=1)).id',
    );
    await sides.python.worker('shared', { burst: true });
    expect(await sides.client.get('test:ran:add')).toBe('2');
    expect((await look(sides.python, id)).status).toBe('finished');
  });

  it('both languages take jobs from one queue, each job runs once', async () => {
    const count = 200;
    const jobs = Array.from({ length: count / 2 }, (_, n) => ({
      name: 'tasks.note',
      data: `nest ${n}`,
    }));
    await sides.nest.queue().enqueueMany(jobs);
    await sides.python.run(
      '[queue().enqueue("tasks.note", f"python {n}") for n in range(given)]',
      count / 2,
    );
    const here: unknown[] = [];
    const note = async (data: unknown) => {
      here.push(data);
      await sides.client.rpush('test:noted', String(data));
    };
    await sides.python.worker('shared');
    await sides.nest.worker({ 'tasks.note': note }, { concurrency: 1 });
    await eventually(async () => (await sides.client.zcard('rq:finished:shared')) === count, {
      what: 'all jobs to be finished',
      timeout: 30_000,
      every: 50,
    });
    const noted = await sides.client.lrange('test:noted', 0, -1);
    expect(noted).toHaveLength(count);
    expect(new Set(noted).size).toBe(count);
    expect(here.length).toBeGreaterThan(0);
    expect(await sides.client.zcard('rq:wip:shared')).toBe(0);
    expect(await sides.client.llen('rq:queue:shared:intermediate')).toBe(0);
  });

  describe("results of our own jobs, read with Python's return_value()", () => {
    it('by default are not in the stream that it reads', async () => {
      const job = await sides.nest.queue().enqueue('ok');
      await sides.nest.worker({ ok: () => ({ a: 1 }) });
      await job.result({ timeout: '10s' });
      expect(await look(sides.python, job.id)).toMatchObject({
        is_finished: true,
        return_value: null,
      });
      // RQ's older way to ask still finds it.
      expect(await sides.python.run('return fetch(given).result', job.id)).toEqual({ a: 1 });
    });

    it('are, with sharedWithPython', async () => {
      const nest = await NestSide.connect(sides.redis.url, { sharedWithPython: true });
      try {
        const queue = nest.queue();
        const [ok, broken] = await queue.enqueueMany([{ name: 'ok' }, { name: 'broken' }]);
        await nest.worker({
          ok: () => ({ a: 1 }),
          broken: () => Promise.reject(new TypeError('no')),
        });
        expect(await ok!.result({ timeout: '10s' })).toEqual({ a: 1 });
        expect(await look(sides.python, ok!.id)).toMatchObject({
          return_value: { a: 1 },
          result_type: 'SUCCESSFUL',
        });
        expect((await lookWhen(sides.python, broken!.id, 'failed')).exc_string).toContain(
          'TypeError: no',
        );
      } finally {
        await nest.close();
      }
    });
  });
});
