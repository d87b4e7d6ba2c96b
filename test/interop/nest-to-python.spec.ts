import { inflateSync } from 'node:zlib';
import { jest } from '@jest/globals';
import type { JobOptions } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** What is enqueued here runs in real `rq worker` processes, and we see how it ended. */
describeInterop('jobs that Nest enqueues and Python runs', () => {
  const sides = useBothSides();

  describe('enqueueCall', () => {
    it('gives the positional and keyword arguments, and the value comes back', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.add', { args: [2], kwargs: { b: 3 } });
      await sides.python.worker('shared');
      expect(await job.result({ timeout: '10s' })).toBe(5);
      expect(await job.status()).toBe('finished');
    });

    it('the arguments arrive as they are', async () => {
      const args = [null, true, -1.5, 'é中😀', [1, [2]], { a: { b: 'c' } }];
      const kwargs = { one: 1, text: '"\\\n', nothing: null };
      const job = await sides.nest.queue().enqueueCall('tasks.echo', { args, kwargs });
      await sides.python.worker('shared');
      expect(await job.result({ timeout: '10s' })).toEqual({ args, kwargs });
    });

    it('a result that was awaited before the worker came', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.add', { args: [40, 2] });
      const result = job.result({ timeout: '10s' });
      await sides.python.worker('shared');
      expect(await result).toBe(42);
    });

    it('no result', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.nothing', {});
      await sides.python.worker('shared');
      expect((await job.result({ timeout: '10s' })) ?? null).toBeNull();
    });

    it('a failure gives the traceback', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.fail', { args: ['no luck today'] });
      await sides.python.worker('shared');
      const failure: unknown = await job
        .result({ timeout: '10s' })
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'RQ_JOB_FAILED', jobId: job.id });
      expect((failure as Error).message).toContain('ValueError: no luck today');
      expect((failure as { reason: string }).reason).toContain('Traceback (most recent call last)');
      expect((failure as { reason: string }).reason).toContain('in fail');
    });

    it('a timeout is kept by Python', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.sleep', { args: [30] }, { timeout: '1s' });
      await sides.python.worker('shared');
      await expect(job.result({ timeout: '10s' })).rejects.toThrow('JobTimeoutException');
    });

    it('a result that Python could not write', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.not_json', {});
      await sides.python.worker('shared');
      expect(await job.result({ timeout: '10s' })).toBe('Unserializable return value');
    });
  });

  it('enqueue gives the payload as the one positional argument', async () => {
    const job = await sides.nest.queue().enqueue('tasks.echo', { to: 'x' });
    await sides.python.worker('shared');
    expect(await job.result({ timeout: '10s' })).toEqual({ args: [{ to: 'x' }], kwargs: {} });
  });

  it('a name that Python does not know is an ordinary failure, and the worker goes on', async () => {
    const [unknown, known] = await sides.nest.queue().enqueueMany([
      { name: 'sendMail', data: 1 },
      { name: 'tasks.add', data: 1 },
    ]);
    await sides.python.worker('shared');
    expect(await known!.result({ timeout: '10s' })).toBe(1);
    await expect(unknown!.result({ timeout: '10s' })).rejects.toThrow('Invalid attribute name');
  });

  it('Python sees a waiting job as its own', async () => {
    const job = await sides.nest.queue().enqueueCall('tasks.add', { args: [1], kwargs: { b: 2 } });
    expect(await look(sides.python, job.id)).toMatchObject({
      status: 'queued',
      is_queued: true,
      func_name: 'tasks.add',
      args: [1],
      kwargs: { b: 2 },
      origin: 'shared',
      timeout: 180,
      places: ['queue'],
      retries_left: null,
    });
    expect(await sides.python.run('return queue().get_job_position(given)', job.id)).toBe(0);
    expect(await sides.python.run('return [q.name for q in Queue.all(connection)]')).toEqual([
      'shared',
    ]);
  });

  describe('the options, read by Python', () => {
    const cases: [string, JobOptions, Record<string, unknown>][] = [
      ['timeout', { timeout: '90s' }, { timeout: 90 }],
      ['no timeout', { timeout: false }, { timeout: -1 }],
      ['a timeout with a fraction is rounded up', { timeout: '1500ms' }, { timeout: 2 }],
      ['resultTtl', { resultTtl: '2m' }, { result_ttl: 120 }],
      ['resultTtl for ever', { resultTtl: 'forever' }, { result_ttl: -1 }],
      ['failureTtl', { failureTtl: '1h' }, { failure_ttl: 3600 }],
      ['ttl', { ttl: 60 }, { ttl: 60 }],
      ['meta', { meta: { a: 1, e: 'é' } }, { meta: { a: 1, e: 'é' } }],
      ['description', { description: 'for people: é' }, { description: 'for people: é' }],
      [
        'retry',
        { retry: { max: 2, interval: [1, 2] } },
        { retries_left: 2, retry_intervals: [1, 2] },
      ],
    ];

    it.each(cases)('%s', async (_name, options, expected) => {
      const job = await sides.nest.queue().enqueue('tasks.add', 1, options);
      expect(await look(sides.python, job.id)).toMatchObject(expected);
      expect(
        await sides.python.run('fetch(given).save(); return str(fetch(given))', job.id),
      ).toContain(job.id);
    });

    it('atFront', async () => {
      await sides.nest.queue().enqueue('tasks.note', 1, { id: 'second' });
      await sides.nest.queue().enqueue('tasks.note', 1, { id: 'first', atFront: true });
      expect(await sides.python.run('return queue().job_ids')).toEqual(['first', 'second']);
    });
  });

  describe('retry', () => {
    it('max 2, interval [1, 2] is followed by a worker with its scheduler', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall(
          'tasks.fail_n_times',
          { args: [2, 'r'] },
          { retry: { max: 2, interval: [1, 2] } },
        );
      await sides.python.worker('shared', { scheduler: true });
      expect(await job.result({ timeout: '20s' })).toBe(3);
      expect((await look(sides.python, job.id)).retries_left).toBe(0);
      const times = (await sides.client.lrange('test:times:r', 0, -1)).map(Number);
      // RQ counts in whole seconds, so a wait of its own may be up to one second shorter or longer.
      expect(times[2]! - times[0]!).toBeGreaterThan(1);
    });

    it('without interval it is retried at once, and fails when the retries are spent', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.fail_n_times', { args: [9, 'r'] }, { retry: { max: 2, interval: 0 } });
      await sides.python.worker('shared');
      await expect(job.result({ timeout: '10s' })).rejects.toThrow('run 3 fails');
      expect(await look(sides.python, job.id)).toMatchObject({ is_failed: true, retries_left: 0 });
    });

    const policies: [NonNullable<JobOptions['retry']>, number[]][] = [
      [{ max: 3, interval: 0 }, [0, 0, 0]],
      [{ max: 3, interval: 5 }, [5, 5, 5]],
      [{ max: 4, interval: [10, 60] }, [10, 60, 60, 60]],
      [{ max: 3, interval: [5, 5, 9] }, [5, 5, 9]],
      [{ max: 2, interval: [1, 2, 3, 4] }, [1, 2]],
      [{ max: 4, interval: '1m' }, [60, 60, 60, 60]],
      [{ max: 2, interval: '500ms' }, [0.5, 0.5]],
      [
        { max: 5, interval: { type: 'exponential', delay: 1, factor: 2, max: 10 } },
        [1, 2, 4, 8, 10],
      ],
    ];

    it.each(policies)("Python's rule gives for %j the intervals %j", async (retry, expected) => {
      const job = await sides.nest.queue().enqueue('tasks.fail', 'no', { retry });
      const intervals = await sides.python.run(
        `
        job = fetch(given)
        intervals = []
        while job.should_retry:
            intervals.append(job.get_retry_interval())
            job.retries_left -= 1
        return intervals
        `,
        job.id,
      );
      expect(intervals).toEqual(expected);
    });
  });

  it("enqueueIn is moved by Python's scheduler when only Python runs", async () => {
    const job = await sides.nest.queue().enqueueIn('1s', 'tasks.add', 7);
    expect(await look(sides.python, job.id)).toMatchObject({
      is_scheduled: true,
      places: ['scheduled'],
    });
    await sides.python.worker('shared', { scheduler: true });
    expect(await job.result({ timeout: '15s' })).toBe(7);
    expect(await sides.client.zcard('rq:scheduled:shared')).toBe(0);
  });

  it('a scheduled job with atFront goes to the head when Python moves it', async () => {
    await sides.nest.queue().enqueue('tasks.add', 1, { id: 'waiting' });
    await sides.nest.queue().enqueueIn('100ms', 'tasks.add', 1, { id: 'due', atFront: true });
    await eventually(
      () =>
        sides.python.run<boolean>(`
          scheduler = RQScheduler(['shared'], connection=connection, serializer=JSONSerializer)
          scheduler.acquire_locks()
          scheduler.enqueue_scheduled_jobs()
          scheduler.release_locks()
          return queue().count == 2
        `),
      { what: 'the scheduler to move the job', every: 100 },
    );
    expect(await sides.python.run('return queue().job_ids')).toEqual(['due', 'waiting']);
  });

  it('all our fields survive a run in Python and a requeue', async () => {
    const job = await sides.nest.queue().enqueueCall(
      'tasks.fail_n_times',
      { args: [1, 'once'], kwargs: {} },
      {
        timeout: '1500ms',
        ttl: '1h',
        resultTtl: '2h',
        failureTtl: '3h',
        meta: { a: { b: 1 } },
        description: 'stays',
        retry: { max: 3, interval: { type: 'exponential', delay: 60, jitter: 0.5 }, within: '2d' },
      },
    );
    const before = await sides.client.hgetall(`rq:job:${job.id}`);
    await sides.client.hset(`rq:job:${job.id}`, 'retries_left', '0');
    await sides.python.worker('shared');
    await lookWhen(sides.python, job.id, 'failed');
    await sides.python.run('fetch(given).requeue()', job.id);
    expect(await job.result({ timeout: '10s' })).toBe(2);

    const key = `rq:job:${job.id}`;
    const after = await sides.client.hgetall(key);
    const changing = ['status', 'data', 'enqueued_at', 'created_at', 'retries_left'];
    const own = Object.keys(before).filter((field) => !changing.includes(field));
    expect(own.filter((field) => field.startsWith('nrq_')).length).toBeGreaterThan(1);
    // Python writes the same JSON with other spaces.
    const values = (hash: Record<string, string>) =>
      own.map(
        (name) => [name, /^[[{]/.test(hash[name]!) ? JSON.parse(hash[name]!) : hash[name]] as const,
      );
    expect(values(after)).toEqual(values(before));
    const [data] = await sides.client.hmgetBuffer(key, 'data');
    expect(JSON.parse(inflateSync(data!).toString())).toEqual([
      'tasks.fail_n_times',
      null,
      [1, 'once'],
      {},
    ]);
    expect(Date.parse(after['created_at']!)).toBe(Date.parse(before['created_at']!));
  });

  it('meta written by a Python job is read here', async () => {
    const job = await sides.nest
      .queue()
      .enqueueCall('tasks.own_meta', { args: [{ done: 'é' }] }, { meta: { a: 1 } });
    await sides.python.worker('shared');
    expect(await job.result({ timeout: '10s' })).toEqual({ a: 1 });
    expect((await look(sides.python, job.id)).meta).toEqual({ a: 1, done: 'é' });
    expect((await job.refresh()).meta).toEqual({ a: 1, done: 'é' });
  });

  it('what Python enqueued can be awaited here too', async () => {
    const id = await sides.python.run<string>('return queue().enqueue("tasks.add", 1, b=1).id');
    const job = await sides.nest.queue().getJob(id);
    await sides.python.worker('shared');
    expect(await job!.result({ timeout: '10s' })).toBe(2);
  });
});
