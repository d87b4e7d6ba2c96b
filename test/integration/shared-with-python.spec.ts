// What only Python programs and RQ's tools read is there when `sharedWithPython` says so, and costs nothing otherwise.
import { inflateSync } from 'node:zlib';
import { type RqJob, RetryJob, SnoozeJob } from '../../lib/index.js';
import { type RedisJobStore } from '../../lib/store/index.js';
import { LATENESS } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine, type HandlerParts, type Run, type TestWorker } from './support/engine.js';
import { enqueueAsPython } from './support/python-fixture.js';
import { fieldsOf } from './support/stream-entry.js';

const engine = Engine.forThisFile();

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z$/;

let store: RedisJobStore;
beforeEach(async () => {
  store = await engine.openStore({ sharedWithPython: true });
});

const sharedQueue = () => engine.queue('jobs', {}, store);
const work = (
  handlers: Readonly<Record<string, Run | HandlerParts>>,
  options = {},
): Promise<TestWorker> => engine.work(handlers, { store, ...options });

const executionsOf = (id: string) => engine.client.zrange(`rq:executions:${id}`, '0', '-1');
const recordKeys = async () =>
  [...(await engine.client.keys('rq:execution*')), ...(await engine.client.keys('rq:results:*'))]
    .map((key) => key.split(':').slice(0, 2).join(':'))
    .toSorted();

async function entriesOf(id: string): Promise<Record<string, string>[]> {
  const entries = await engine.client.xrange(`rq:results:${id}`, '-', '+');
  return entries.map(([, list]) => fieldsOf(list));
}

describe('enqueued_at', () => {
  it('is there for every job that waits in the queue, without any option', async () => {
    const queue = engine.queue();
    const plain = await queue.enqueue('f');
    const front = await queue.enqueue('f', undefined, { atFront: true });
    const past = await queue.enqueueAt(new Date(Date.now() - 1000), 'f');
    const [many] = await queue.enqueueMany([{ name: 'f' }]);

    for (const job of [plain, front, past, many as RqJob]) {
      const fields = await engine.fields(job.id);
      expect(fields['enqueued_at']).toMatch(DATE);
      expect(fields['enqueued_at']).toBe(fields['created_at']);
    }
  });

  it('of a scheduled job is when it has come into the queue', async () => {
    const job = await engine.queue().enqueueIn(0.1, 'f');
    expect(await engine.fields(job.id)).not.toHaveProperty('enqueued_at');
    await engine.queue().pause();
    await engine.work({ f: () => 1 });

    await eventually(async () => (await job.status()) === 'queued', { what: 'the job to be due' });
    const { enqueued_at: enqueued, created_at: created } = await engine.fields(job.id);
    expect(Date.parse(enqueued ?? '') - Date.parse(created ?? '')).toBeGreaterThanOrEqual(100);
  });
});

describe('without sharedWithPython', () => {
  it('a job of ours has no description, no stream and no records of executions', async () => {
    const gate = deferred();
    const worker = await engine.work({
      ok: () => gate.promise,
      boom: () => Promise.reject(new Error('boom')),
    });
    const [ok, boom] = await engine.queue().enqueueMany([{ name: 'ok' }, { name: 'boom' }]);
    await worker.events.waitFor('jobFailed');
    expect(await recordKeys()).toEqual([]);
    gate.resolve();
    await ok?.result({ timeout: 5 });

    expect(await recordKeys()).toEqual([]);
    for (const { id } of [ok, boom] as RqJob[]) {
      expect(await engine.fields(id)).not.toHaveProperty('description');
    }
  });

  it('a job that Python has saved gets its entry in the stream all the same', async () => {
    await engine.work([{ queue: 'tasks', name: 'tasks.add', run: () => 3 }]);
    const id = 'python-1';
    await enqueueAsPython(engine.client, id, 'add');
    expect(await engine.queue('tasks').job(id).result({ timeout: 5 })).toBe(3);

    expect(await entriesOf(id)).toMatchObject([{ type: '1' }]);
    expect(await engine.fields(id)).not.toHaveProperty('result');
    expect(await recordKeys()).toEqual(['rq:results']);
  });
});

describe('with sharedWithPython', () => {
  it("a job is described as RQ would, unless the caller says how; it is never in the way of the caller's", async () => {
    const own = await sharedQueue().enqueue('f', { to: "O'Hara" });
    const call = await sharedQueue().enqueueCall('tasks.add', {
      args: [1, null],
      kwargs: { b: 'x' },
    });
    const given = await sharedQueue().enqueue('f', 1, { description: 'by hand' });

    expect((await own.refresh()).description).toBe(`f({'to': "O'Hara"})`);
    expect((await call.refresh()).description).toBe("tasks.add(1, None, b='x')");
    expect((await given.refresh()).description).toBe('by hand');
  });

  it("results and failures are in the stream, with RQ's fields", async () => {
    const worker = await work({
      ok: () => ({ a: 1 }),
      none: () => undefined,
      boom: () => Promise.reject(new TypeError('boom')),
    });
    const queue = sharedQueue();
    const before = Date.now() / 1000 - 1;
    const ok = await queue.enqueue('ok');
    const none = await queue.enqueue('none');
    const boom = await queue.enqueue('boom');
    expect(await ok.result({ timeout: 5 })).toEqual({ a: 1 });
    expect(await none.result({ timeout: 5 })).toBe(null);
    await expect(boom.result({ timeout: 5 })).rejects.toThrow('boom');

    const [entry] = await entriesOf(ok.id);
    expect(entry).toEqual({
      type: '1',
      worker_name: worker.name,
      return_value: Buffer.from('{"a":1}').toString('base64'),
      execution_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      execution_started_at: expect.stringMatching(/^\d+\.\d{3}$/) as string,
      execution_ended_at: expect.stringMatching(/^\d+\.\d{3}$/) as string,
    });
    expect(Number(entry?.['execution_started_at'])).toBeGreaterThan(before);
    expect(Number(entry?.['execution_ended_at'])).toBeGreaterThanOrEqual(
      Number(entry?.['execution_started_at']),
    );
    expect(await entriesOf(none.id)).toMatchObject([{ type: '1', worker_name: worker.name }]);
    const [failure] = await entriesOf(boom.id);
    expect(failure).toMatchObject({ type: '2', worker_name: worker.name });
    const text = inflateSync(Buffer.from(failure?.['exc_string'] ?? '', 'base64')).toString();
    expect(text).toMatch(/^TypeError: boom\n +at /);
  });

  it('a running job has a record of its execution, renewed with the lease', async () => {
    const gate = deferred();
    const worker = await work({ slow: () => gate.promise }, { lease: 3 });
    const job = await sharedQueue().enqueue('slow');
    await worker.events.waitFor('jobStarted');

    const [execution = ''] = await executionsOf(job.id);
    expect(await engine.client.zrange('rq:wip:jobs', '0', '-1')).toEqual([
      `${job.id}:${execution}`,
    ]);
    const key = `rq:execution:${job.id}:${execution}`;
    const first = await engine.client.hgetall(key);
    expect(first).toEqual({
      id: execution,
      created_at: expect.stringMatching(/^\d+\.\d{6}$/) as string,
      last_heartbeat: expect.stringMatching(/^\d+\.\d{6}$/) as string,
      worker_name: worker.name,
    });
    // Both live equally long: RQ raises at a member of the set without its hash.
    for (const name of [key, `rq:executions:${job.id}`]) {
      expect(await engine.client.ttl(name)).toBeGreaterThan(110);
      // Two minutes, and the lease.
      expect(await engine.client.ttl(name)).toBeLessThanOrEqual(123);
    }
    await engine.client.expire(key, 60);
    await eventually(async () => (await engine.client.ttl(key)) > 110, {
      what: 'the record to be renewed',
    });
    const renewed = await engine.client.hgetall(key);
    expect(renewed['last_heartbeat']).not.toBe(first['last_heartbeat']);
    expect(renewed['created_at']).toBe(first['created_at']);
    gate.resolve();
    await job.result({ timeout: 5 });
    expect(await recordKeys()).toEqual(['rq:results']);
  });

  const boom = () => Promise.reject(new Error('boom'));
  it.each<[string, Run, (job: RqJob) => Promise<unknown>]>([
    ['finished', () => 1, (job) => job.result({ timeout: 5 })],
    ['failed after a retry', boom, (job) => job.result({ timeout: 5 }).catch(() => undefined)],
    ['to be retried', () => Promise.reject(new RetryJob({ in: 60 })), untilScheduled],
    ['snoozed', () => Promise.reject(new SnoozeJob({ for: 60 })), untilScheduled],
  ])('no record stays of a job that is %s', async (_, run, ended) => {
    await work({ f: run });
    const job = await sharedQueue().enqueue('f', undefined, { retry: { max: 1, interval: 0.01 } });
    await ended(job);
    expect(await engine.client.keys('rq:execution*')).toEqual([]);
  });

  it.each(['cancel', 'delete'] as const)(
    'no record stays after %s() of a running job',
    async (action) => {
      const gate = deferred();
      const worker = await work({ slow: () => gate.promise });
      const job = await sharedQueue().enqueue('slow');
      await worker.events.waitFor('jobStarted');
      expect(await executionsOf(job.id)).toHaveLength(1);

      await job[action]();

      expect(await engine.client.keys('rq:execution*')).toEqual([]);
      gate.resolve();
    },
  );

  it('no record stays of a worker that died, and its poisoned job says in the stream who ran it', async () => {
    const claim = {
      leaseMs: 1,
      worker: 'dead',
      token: 'd'.repeat(48),
      want: 1,
      suspects: { from: 99, takes: true, delay: 0 },
      woken: [],
      outcomes: [],
      call: undefined,
      events: [],
    };
    const job = await sharedQueue().enqueue('f');
    for (let crash = 1; crash <= 2; crash += 1) {
      // All the time there was somebody who could have renewed.
      await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
      await store.exchange('jobs', { ...claim, nextExecution: crash });
      expect(await executionsOf(job.id)).toHaveLength(1);
      await eventually(
        async () =>
          (await store.recover('jobs', { maxCrashes: 2, leaseMs: 15_000 })).handled.length,
        { what: `crash ${crash} to be found` },
      );
      expect(await engine.client.keys('rq:execution*')).toEqual([]);
    }
    expect(await entriesOf(job.id)).toMatchObject([
      { type: '2', worker_name: 'dead', execution_id: `${'d'.repeat(48)}${'2'.padStart(16, '0')}` },
    ]);
  });

  it('a key of another kind where a record belongs keeps no job from running', async () => {
    const queue = sharedQueue();
    await engine.client.set('rq:executions:hostile', 'text');
    await work({ f: () => 1 });
    const job = await queue.enqueue('f', undefined, { id: 'hostile' });
    expect(await job.result({ timeout: 5 })).toBe(1);
  });
});

async function untilScheduled(job: RqJob): Promise<void> {
  await eventually(async () => (await job.status()) === 'scheduled', { what: 'the job to wait' });
}

describe('a worker shows itself', () => {
  it('as busy and as idle again within about a second, with what it has done', async () => {
    const gate = deferred();
    const worker = await engine.work({ slow: () => gate.promise });
    const key = `rq:worker:${worker.name}`;
    await engine.queue().enqueue('slow');
    const state = (expected: string) =>
      eventually(async () => (await engine.client.hget(key, 'state')) === expected, {
        what: `the worker to be ${expected}`,
        timeout: 1000 + LATENESS,
      });
    await state('busy');
    gate.resolve();
    await state('idle');
    const counted = async () => (await engine.client.hget(key, 'successful_job_count')) === '1';
    await eventually(counted, { what: 'the job to be counted', timeout: 1000 + LATENESS });
  });

  it('again when Redis has lost it', async () => {
    const worker = await engine.work({ f: () => 1 });
    const key = `rq:worker:${worker.name}`;
    await engine.client.flushall();
    // A change of what it does brings the next beat at once.
    await engine.queue().pause();
    await eventually(async () => (await engine.client.hget(key, 'queues')) === 'jobs', {
      what: 'the worker to be listed again',
      timeout: 20_000,
    });
    expect(await engine.client.smembers('rq:workers')).toEqual([key]);
    expect(await engine.client.smembers('rq:workers:jobs')).toEqual([key]);
    expect(await engine.client.hgetall(key)).toMatchObject({
      birth: expect.stringMatching(DATE) as string,
      pid: String(process.pid),
    });
    expect(await engine.client.ttl(key)).toBeGreaterThan(40);
  }, 60_000);
});
