import { jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { PythonRq, describeInterop, isRunning } from './python-rq.js';

jest.setTimeout(90_000);

/** The harness alone: Python enqueues, Python works. What fails here says nothing about this library. */
describeInterop('a Python RQ to test against', () => {
  let redis: RedisServer;
  let client: Redis;
  let python: PythonRq;

  beforeAll(async () => {
    redis = await startRedis();
    client = redis.client();
    python = new PythonRq(redis.url);
  });

  beforeEach(async () => {
    await client.flushall();
  });

  afterAll(async () => {
    await python?.close();
    await redis?.stop();
  });

  it('is the version that the name of the test says', async () => {
    expect(await python.run('return rq.__version__')).toBe(python.version);
    expect(python.version).toMatch(/^(2\.3\.3$|2\.1[2-9]\.)/);
  });

  it('gives the traceback of a snippet that fails', async () => {
    await expect(python.run('return 1 / given', 0)).rejects.toThrow('ZeroDivisionError');
  });

  it('runs what it enqueued', async () => {
    const id = await python.run('return queue().enqueue("tasks.add", 2, b=3).id');
    await python.worker('shared', { burst: true });
    expect(
      await python.run('return [fetch(given).return_value(), fetch(given).get_status()]', id),
    ).toEqual([5, 'finished']);
  });

  it('records a failure with its traceback', async () => {
    const id = await python.run('return queue().enqueue("tasks.fail", "so it is").id');
    const worker = await python.worker('shared', { burst: true });
    expect(await python.run('return fetch(given).latest_result().exc_string', id)).toContain(
      'ValueError: so it is',
    );
    expect(worker.output()).toContain('so it is');
  });

  it('moves a scheduled job', async () => {
    const id = await python.run(
      'return queue().enqueue_in(timedelta(seconds=1), "tasks.add", 1, 1).id',
    );
    const worker = await python.worker('shared', { scheduler: true });
    await eventually(() => python.run('return fetch(given).is_finished', id), {
      what: 'the scheduled job to finish',
      timeout: 30_000,
    });
    await worker.stop();
  });

  it('prints what rq info sees', async () => {
    await python.run('queue().enqueue("tasks.add", 1)');
    const worker = await python.worker('other', { name: 'lonely' });
    expect(await python.rq('info', '--raw', '-Q')).toBe(
      'queue shared 1, 0 executing, 0 finished, 0 failed\n',
    );
    // It says that it listens a moment before it writes down that it is idle.
    await eventually(async () => (await client.hget('rq:worker:lonely', 'state')) === 'idle', {
      what: 'the worker to be idle',
    });
    expect(await python.rq('info', '--raw', '-W', 'other')).toMatch(
      /^worker lonely \(\S+ 127\.0\.0\.1:\d+ \d+\) idle other\. jobs: 0 finished, 0 failed\n$/,
    );
    await worker.stop();
    expect(worker.output()).toContain('warm shut down requested');
  });

  it('leaves a job of a killed worker in the started registry', async () => {
    await python.run('queue().enqueue("tasks.wait_for", "never")');
    const worker = await python.worker('shared');
    await eventually(() => client.get('test:runs:never'), { what: 'the job to run' });
    const horse = await worker.horse();
    expect(horse).not.toBe(worker.pid);
    await worker.kill();
    await eventually(() => !isRunning(horse), { what: 'the work horse to be gone' });
    expect(await client.zcard('rq:wip:shared')).toBe(1);
  });
});
