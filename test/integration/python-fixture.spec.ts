import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import {
  enqueueAsPython,
  EXC_STRING,
  jobFields,
  NOTHING,
  pythonDate,
  scheduleAsPython,
  TRACEBACK,
} from './support/python-fixture.js';
import { fieldsOf } from './support/stream-entry.js';

const engine = Engine.forThisFile();

const tasks = () => engine.queue('tasks');

/** A worker of the queue `tasks`. */
function work(run: (data: unknown, job: { args: unknown; kwargs: unknown }) => unknown) {
  return engine.work(
    ['tasks.add', 'tasks.greet'].map((name) => ({ queue: 'tasks', name, run })),
    { lease: 1 },
  );
}

describe('a job that Python enqueued', () => {
  it('runs here with its arguments, and Python finds the result where it looks', async () => {
    const worker = await work((data) => (data as number[]).reduce((sum, one) => sum + one, 0));
    await enqueueAsPython(engine.client, 'a1b2', 'add');

    const job = await tasks().getJob('a1b2');
    expect(await job?.result({ timeout: 5 })).toBe(3);

    const fields = await engine.fields('a1b2');
    expect(fields).toMatchObject({ status: 'finished', worker_name: worker.name });
    expect(fields).not.toHaveProperty('result');
    const [[, entry]] = (await engine.client.xrange('rq:results:a1b2', '-', '+')) as [
      [string, string[]],
    ];
    expect(fieldsOf(entry)).toEqual({
      type: '1',
      return_value: 'Mw==',
      worker_name: worker.name,
      execution_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      execution_started_at: expect.stringMatching(/^\d+\.\d{3}$/) as string,
      execution_ended_at: expect.stringMatching(/^\d+\.\d{3}$/) as string,
    });
    expect(await engine.client.ttl('rq:results:a1b2')).toBeGreaterThan(490);
    expect(await engine.client.ttl('rq:job:a1b2')).toBeGreaterThan(490);
    expect(await engine.places('a1b2', 'tasks')).toEqual(['finished']);
  });

  it('gives keyword arguments as the data, and what JSON cannot say as null', async () => {
    await work((data, job) => [data, job.args, job.kwargs]);
    await enqueueAsPython(engine.client, 'a1b2', 'greet');

    const kwargs = { name: 'Jürgen', count: null };
    const job = await tasks().getJob('a1b2');
    expect(await job?.result({ timeout: 5 })).toEqual([kwargs, [], kwargs]);
  });

  it('is retried as its stored policy says, and fails with a traceback in its stream', async () => {
    const worker = await work(() => {
      throw new RangeError('no such file');
    });
    const policy = { retries_left: '2', retry_intervals: '[0, 0]' };
    await enqueueAsPython(engine.client, 'a1b2', 'add', { ...policy, failure_ttl: '3600' });

    const job = await tasks().getJob('a1b2');
    await expect(job?.result({ timeout: 5 })).rejects.toThrow('RangeError: no such file');

    expect(worker.events.of('jobStarted')).toHaveLength(3);
    expect((await engine.fields('a1b2'))['retries_left']).toBe('0');
    const entries = await engine.client.xrange('rq:results:a1b2', '-', '+');
    expect(entries).toHaveLength(1);
    const entry = fieldsOf(entries[0]?.[1] ?? []);
    // base64 of zlib, as Python decompresses it.
    expect(entry).toMatchObject({ type: '2', exc_string: expect.stringMatching(/^eJ/) as string });
    expect(await engine.client.ttl('rq:results:a1b2')).toBeGreaterThan(3590);
    expect((await job?.results())?.map(({ outcome }) => outcome)).toEqual([
      'retrying',
      'retrying',
      'failed',
    ]);
  });

  it.each([
    ['its own timeout, in text', { timeout: '1' }],
    ['no timeout of its handler', { timeout: '1s' }],
  ])('has %s', async (_, fields) => {
    await engine.work([
      {
        queue: 'tasks',
        name: 'tasks.add',
        timeout: 60,
        run: () => new Promise(() => undefined),
      },
    ]);
    await enqueueAsPython(engine.client, 'a1b2', 'add', fields);
    const job = await tasks().getJob('a1b2');
    await expect(job?.result({ timeout: 7 })).rejects.toThrow('exceeded its timeout of 1 s');
  });

  it.each([
    ['-1', -1],
    ['60', 60],
    ['0', -2],
  ])('is kept for result_ttl %s', async (result_ttl, ttl) => {
    const worker = await work(() => 'kept');
    await enqueueAsPython(engine.client, 'a1b2', 'add', { result_ttl });
    await worker.events.waitFor('jobFinished');

    for (const key of ['rq:job:a1b2', 'rq:results:a1b2']) {
      const left = await engine.client.ttl(key);
      expect(left).toBeLessThanOrEqual(ttl);
      expect(left).toBeGreaterThan(ttl < 0 ? ttl - 1 : ttl - 10);
    }
  });

  it('keeps the fields that are not ours', async () => {
    const worker = await work(() => 1);
    const foreign = { rate_limit_key: 'api', webhooks: '[]', team: 'ops' };
    await enqueueAsPython(engine.client, 'a1b2', 'add', foreign);
    await worker.events.waitFor('jobFinished');

    expect(await engine.fields('a1b2')).toMatchObject({
      ...foreign,
      created_at: '2026-01-02T03:04:05.678901Z',
      description: 'tasks.add(1, 2)',
    });
  });

  it("has its meta, also after `rq info` has rewritten it as a pickle of the JSON's bytes", async () => {
    const rewritten = Buffer.from(
      '8005951e000000000000007d948c0c756e73657269616c697a65649443087b2261223a20317d94732e',
      'hex',
    );
    const seen: unknown[] = [];
    const worker = await engine.work([
      { queue: 'tasks', name: 'tasks.add', run: (_, job) => void seen.push(job.meta) },
    ]);
    await enqueueAsPython(engine.client, 'j1', 'add', { meta: '{"user": "J\\u00fcrgen"}' });
    await enqueueAsPython(engine.client, 'j2', 'add', { meta: rewritten });
    await worker.events.waitFor('jobFinished', 2);

    expect(seen).toEqual([{ user: 'Jürgen' }, { a: 1 }]);
  });
});

describe("RQ's registries", () => {
  it('scheduled: a job runs when its second has come, not before', async () => {
    const ranAt: number[] = [];
    await work(() => void ranAt.push(Date.now()));
    const due = Math.floor(Date.now() / 1000) + 1;

    await scheduleAsPython(engine.client, 'later', due);

    // Nobody told the worker: it has been asleep. A job of ours wakes it, as any would.
    await eventually(async () => (await engine.places('later', 'tasks')).length === 1, {
      what: 'the schedule',
    });
    await tasks().enqueue('tasks.add');
    await eventually(() => ranAt.length === 2, { what: 'both jobs' });
    expect(ranAt[1]).toBeGreaterThanOrEqual(due * 1000);
    await eventually(async () => (await engine.places('later', 'tasks'))[0] === 'finished', {
      what: 'its end',
    });
  });

  it('scheduled, when the registry is written before the job, and is due at once', async () => {
    const worker = await work(() => 'ran');
    await engine.client.zadd('rq:scheduled:tasks', Math.floor(Date.now() / 1000) - 1, 'early');
    await (await tasks().enqueue('tasks.add')).result({ timeout: 5 });
    expect(await engine.places('early', 'tasks')).toEqual(['scheduled']);

    const fields = jobFields('add', { status: 'scheduled' });
    await engine.client.hset('rq:job:early', fields);

    const job = await tasks().getJob('early');
    expect(await job?.result({ timeout: 5 })).toBe('ran');
    expect(worker.events.of('problem')).toEqual([]);
  });

  it('finished: the result is read from the stream', async () => {
    await engine.client.hset('rq:job:j1', jobFields('add', { status: 'finished' }));
    const entry = ['type', '1', 'return_value', 'eyJzdW0iOiAzfQ==', 'worker_name', 'py'];
    await engine.client.xadd('rq:results:j1', 'MAXLEN', '~', 10, '*', ...entry);
    const job = await tasks().getJob('j1');

    expect(await job?.result({ timeout: 10 })).toEqual({ sum: 3 });
    expect(await job?.results()).toMatchObject([{ outcome: 'finished', value: { sum: 3 } }]);
  });

  it('failed: the traceback is read, and a requeue runs the job here', async () => {
    const failed = jobFields('add', {
      status: 'failed',
      ended_at: pythonDate(),
      exc_info: NOTHING,
    });
    await engine.client.hset('rq:job:j1', failed);
    await engine.client.expire('rq:job:j1', 60);
    await engine.client.zadd('rq:failed:tasks', Math.floor(Date.now() / 1000) + 60, 'j1');
    const entry = ['type', '2', 'exc_string', EXC_STRING, 'worker_name', 'py'];
    await engine.client.xadd('rq:results:j1', '*', ...entry);
    const job = await tasks().getJob('j1');
    await expect(job?.result({ timeout: 10 })).rejects.toMatchObject({
      message: 'Job "j1" failed: ValueError: no such file',
      reason: TRACEBACK,
    });
    expect(await job?.results()).toMatchObject([
      { outcome: 'failed', error: 'ValueError: no such file', stack: TRACEBACK },
    ]);

    await job?.requeue();

    expect(await engine.client.ttl('rq:job:j1')).toBe(-1);
    await work(() => 'here');
    expect(await job?.result({ timeout: 5 })).toBe('here');
    expect(await engine.places('j1', 'tasks')).toEqual(['finished']);
  });

  it("started: a Python worker's job is left alone while its heartbeat holds, then run here", async () => {
    const started = jobFields('add', {
      status: 'started',
      started_at: pythonDate(),
      worker_name: 'py',
    });
    await engine.client.hset('rq:job:busy', started);
    await engine.client.hset('rq:job:dead', {
      ...started,
      retries_left: '1',
      retry_intervals: '[60]',
    });
    const now = Math.floor(Date.now() / 1000);
    const [busy, dead] = ['4f1d3a6c9b8e4d2f8a7b6c5d4e3f2a1b', '0a1b2c3d4e5f60718293a4b5c6d7e8f9'];
    await engine.client.zadd('rq:wip:tasks', now + 90, `busy:${busy}`, now - 1, `dead:${dead}`);

    const worker = await work(() => 'here');

    const job = await tasks().getJob('dead');
    expect(await job?.result({ timeout: 5 })).toBe('here');
    expect((await engine.fields('dead'))['retries_left']).toBe('0');
    expect(worker.events.of('jobRecovered')).toMatchObject([{ jobId: 'dead' }]);
    expect(await (await tasks().getJob('busy'))?.status()).toBe('started');
    expect(await tasks().counts()).toMatchObject({ started: 1, finished: 1 });
  });

  it('intermediate: what a worker popped and did not start goes back to the head', async () => {
    await enqueueAsPython(engine.client, 'stuck', 'add');
    await engine.client.lmove('rq:queue:tasks', 'rq:queue:tasks:intermediate', 'LEFT', 'RIGHT');

    const worker = await work(() => 'here');

    const job = await tasks().getJob('stuck');
    expect(await job?.result({ timeout: 10 })).toBe('here');
    expect(worker.events.of('jobRecovered')).toMatchObject([{ outcome: 'requeued' }]);
    expect(await engine.client.keys('*intermediate*')).toEqual([]);
  });

  it('deferred: such a job is counted, does not run, and can be canceled', async () => {
    await engine.client.hset('rq:job:child', jobFields('add', { status: 'deferred' }));
    await engine.client.zadd('rq:deferred:tasks', '+inf', 'child');
    await work(() => 1);
    await (await tasks().enqueue('tasks.add')).result({ timeout: 5 });

    const job = await tasks().getJob('child');
    expect(await job?.status()).toBe('deferred');
    expect(await tasks().counts()).toMatchObject({ deferred: 1 });
    await job?.cancel();
    expect(await engine.places('child', 'tasks')).toEqual(['canceled']);
  });

  it('canceled while it runs here: what it returns is not recorded', async () => {
    const gate = deferred<string>();
    const worker = await work(() => gate.promise);
    await enqueueAsPython(engine.client, 'j1', 'add');
    await worker.events.waitFor('jobStarted');
    // As Python cancels a job: nobody is told, and the entry in `wip` stays.
    await engine.client
      .multi()
      .hset('rq:job:j1', 'status', 'canceled')
      .zadd('rq:canceled:tasks', Math.floor(Date.now() / 1000), 'j1')
      .exec();
    gate.resolve('too late');

    await worker.events.waitFor('jobCanceled');
    expect((await engine.fields('j1'))['status']).toBe('canceled');
    expect(await engine.places('j1', 'tasks')).toEqual(['canceled']);
  });
});
