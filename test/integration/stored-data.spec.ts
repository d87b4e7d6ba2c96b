import { inflateSync } from 'node:zlib';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { itInSharedLayout } from './support/layout.js';
import { fieldsOf } from './support/stream-entry.js';

const engine = Engine.forThisFile();

/** RQ's date: UTC, ISO, ends in Z. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z$/;
const INTEGER = /^-?\d+$/;

/** The names of all keys, with the given ids replaced by letters. */
async function keys(...ids: string[]): Promise<string[]> {
  const names = await engine.client.keys('*');
  const lettered = names.map((name) =>
    ids.reduce((text, id, index) => text.replaceAll(id, 'JKL'[index] ?? '?'), name),
  );
  // What tells that somebody looks after the queue, and what became of a worker's last calls, goes by itself.
  const lasting = lettered.filter(
    (name) =>
      !/^rq:(workers?|scheduler-lock|nrq:alive|nrq:calls|nrq:swept|nrq:sweeps)\b/.test(name),
  );
  return lasting.toSorted();
}

/** The fields that RQ reads as dates and as integers: anything else there makes a Python worker quit. */
function expectRqFields(fields: Record<string, string>): void {
  const wrong = Object.entries(fields).filter(([name, value]) => {
    if (name.endsWith('_at')) return !DATE.test(value);
    return INTEGER_FIELDS.has(name) && !INTEGER.test(value);
  });
  expect(wrong).toEqual([]);
}

const words = (text: string) => new Set(text.split(' '));

const INTEGER_FIELDS = words('timeout ttl result_ttl failure_ttl retries_left number_of_retries');

const RQ_FIELDS = words(
  'created_at data status origin description enqueued_at timeout ttl started_at ended_at worker_name result_ttl ' +
    'failure_ttl meta result retries_left retry_intervals enqueue_at_front_on_retry enqueue_at_front exc_info',
);

describe('a waiting job in Redis', () => {
  it('has what RQ needs, in its encodings', async () => {
    const job = await engine.queue().enqueue('resize', { path: 'ä.png' });

    const fields = await engine.fields(job.id);
    expect(fields).toMatchObject({
      data: '["resize",null,[{"path":"ä.png"}],{}]',
      origin: 'jobs',
      status: 'queued',
      timeout: '180',
      created_at: expect.stringMatching(DATE) as string,
    });
    expectRqFields(fields);
    expect(Math.abs(Date.now() - Date.parse(fields['created_at'] ?? ''))).toBeLessThan(5000);
    expect(await engine.client.lrange('rq:queue:jobs', 0, -1)).toEqual([job.id]);
    expect(await engine.client.smembers('rq:queues')).toEqual(['rq:queue:jobs']);
    expect(await keys(job.id)).toEqual(['rq:job:J', 'rq:queue:jobs', 'rq:queues']);
  });

  it("has every option in RQ's own field, and ours under nrq_", async () => {
    const job = await engine.queue().enqueue('resize', 1, {
      retry: { max: 3, interval: [1.5, 60], front: true },
      timeout: 2.5,
      ttl: 90.1,
      resultTtl: '1h',
      failureTtl: 'forever',
      meta: { user: 'Ä' },
      description: 'for Ada',
    });

    const fields = await engine.fields(job.id);
    expect(fields).toMatchObject({
      timeout: '3',
      ttl: '91',
      result_ttl: '3600',
      failure_ttl: '-1',
      retries_left: '3',
      retry_intervals: '[1.5,60,60]',
      enqueue_at_front_on_retry: '1',
      meta: '{"user":"Ä"}',
      description: 'for Ada',
    });
    expectRqFields(fields);
    const unknown = Object.keys(fields).filter((name) => !RQ_FIELDS.has(name));
    expect(unknown).not.toEqual([]);
    for (const name of unknown) expect(name).toMatch(/^nrq_/);
    expect(await engine.client.ttl(`rq:job:${job.id}`)).toBeGreaterThan(85);
  });

  it('of a Python function has its arguments', async () => {
    const call = { args: [1, 'b'], kwargs: { c: null } };
    const job = await engine.queue().enqueueCall('tasks.add', call);
    expect((await engine.fields(job.id))['data']).toBe('["tasks.add",null,[1,"b"],{"c":null}]');
  });

  it('that is delayed is in `scheduled` with its time in seconds', async () => {
    const due = Date.now() + 90_000;
    const job = await engine.queue().enqueueAt(new Date(due), 'resize');

    expect((await engine.fields(job.id))['status']).toBe('scheduled');
    const score = Number(await engine.client.zscore('rq:scheduled:jobs', job.id));
    expect(score).toBeCloseTo(due / 1000, 3);
    expect(await keys(job.id)).toEqual(['rq:job:J', 'rq:queues', 'rq:scheduled:jobs']);
  });
});

describe('a job in Redis', () => {
  it('that runs is `started`, its lease J:E in `wip`', async () => {
    const gate = deferred();
    const worker = await engine.work({ slow: () => gate.promise }, { lease: 10 });
    const job = await engine.queue().enqueue('slow');
    await worker.events.waitFor('jobStarted');

    const fields = await engine.fields(job.id);
    expect(fields).toMatchObject({ status: 'started', worker_name: worker.name });
    expectRqFields(fields);
    const [member = '', score] = await engine.client.zrange('rq:wip:jobs', '0', '-1', 'WITHSCORES');
    expect(member).toMatch(new RegExp(`^${job.id}:[0-9a-f]{32,}$`));
    expect(Number(score) - Date.now() / 1000).toBeGreaterThan(5);
    expect(Number(score) - Date.now() / 1000).toBeLessThanOrEqual(10.01);
    expect(await keys(job.id)).toEqual(['rq:job:J', 'rq:queues', 'rq:wip:jobs']);
    gate.resolve();
  });

  it('that is finished has its result as JSON, and is in `finished` by a whole second', async () => {
    const worker = await engine.work({ ok: () => ({ a: 'ä' }) });
    const job = await engine.queue().enqueue('ok');
    await worker.events.waitFor('jobFinished');

    const fields = await engine.fields(job.id);
    expect(fields).toMatchObject({ status: 'finished', result: '{"a":"ä"}' });
    expectRqFields(fields);
    expect(await engine.client.zscore('rq:finished:jobs', job.id)).toMatch(INTEGER);
    expect(await keys(job.id)).toEqual(['rq:finished:jobs', 'rq:job:J', 'rq:queues']);
  });

  it('that failed has its stack where RQ reads it, and is in `failed` by a whole second', async () => {
    const worker = await engine.work({
      boom: () => {
        throw new Error('boom');
      },
    });
    const job = await engine.queue().enqueue('boom');
    await worker.events.waitFor('jobFailed');

    const fields = await engine.fields(job.id);
    expect(fields).toMatchObject({
      status: 'failed',
      exc_info: expect.stringMatching(/^Error: boom\n +at /) as string,
    });
    expectRqFields(fields);
    expect(await engine.client.zscore('rq:failed:jobs', job.id)).toMatch(INTEGER);
    expect(await keys(job.id)).toEqual(['rq:failed:jobs', 'rq:job:J', 'rq:queues']);
  });

  itInSharedLayout(
    "that failed where results go to streams has RQ's entry: base64 of the deflated stack",
    async () => {
      const store = await engine.openStore({ sharedWithPython: true });
      const handlers = {
        boom: () => {
          throw new Error('boom');
        },
      };
      const worker = await engine.work(handlers, { store });
      const job = await engine.queue().enqueue('boom');
      await worker.events.waitFor('jobFailed');

      const [[, entry]] = (await engine.client.xrange(`rq:results:${job.id}`, '-', '+')) as [
        [string, string[]],
      ];
      const fields = fieldsOf(entry);
      expect(fields).toMatchObject({ type: '2', worker_name: worker.name });
      const stack = inflateSync(Buffer.from(fields['exc_string'] ?? '', 'base64')).toString();
      expect(stack).toMatch(/^Error: boom\n +at /);
      expect(await engine.client.ttl(`rq:results:${job.id}`)).toBeGreaterThan(31_000_000);
    },
  );

  it('leaves nothing behind when all is over', async () => {
    const worker = await engine.work({ ok: () => 1 });
    const queue = engine.queue();
    const options = { resultTtl: 0, retry: { max: 1, interval: 0 }, meta: { a: 1 } };
    const jobs = await queue.enqueueMany(
      Array.from({ length: 20 }, () => ({ name: 'ok', options })),
    );
    await worker.events.waitFor('jobFinished', 20);
    await Promise.allSettled(jobs.map((job) => job.result({ timeout: 10 })));
    await worker.stop();

    // What its worker has counted ends by itself.
    const left = (await keys()).filter((key) => !key.startsWith('rq:nrq:stats:'));
    expect(left).toEqual(['rq:queues']);
  });

  it('may have another prefix, then all of it', async () => {
    const store = await engine.openStore({ prefix: 'app:' });
    await engine.work({ ok: () => 1 }, { store });
    const job = await engine.queue('jobs', {}, store).enqueue('ok');
    expect(await job.result({ timeout: 5 })).toBe(1);
    await engine.queue('jobs', {}, store).enqueueIn(60, 'ok');

    const names = await engine.client.keys('*');
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) expect(name).toMatch(/^app:/);
  });
});

describe('a worker in Redis', () => {
  it('is listed as RQ lists its own, while it lives', async () => {
    const worker = await engine.work([
      { queue: 'images', name: 'f', run: () => 1 },
      { queue: 'mail', name: 'f', run: () => 1 },
    ]);
    const key = `rq:worker:${worker.name}`;

    expect(await engine.client.smembers('rq:workers')).toEqual([key]);
    expect(await engine.client.smembers('rq:workers:images')).toEqual([key]);
    expect(await engine.client.smembers('rq:workers:mail')).toEqual([key]);
    expect(await engine.client.hgetall(key)).toMatchObject({
      birth: expect.stringMatching(DATE) as string,
      last_heartbeat: expect.stringMatching(DATE) as string,
      queues: 'images,mail',
      pid: String(process.pid),
      state: 'idle',
    });
    expect(await engine.client.ttl(key)).toBeGreaterThan(50);
    expect(await engine.client.ttl(key)).toBeLessThanOrEqual(60);

    await worker.stop();

    expect(await engine.client.smembers('rq:workers')).toEqual([]);
    expect(await engine.client.smembers('rq:workers:images')).toEqual([]);
    expect((await engine.client.hgetall(key))['death']).toMatch(DATE);
    expect(await engine.client.ttl(key)).toBeLessThanOrEqual(60);
  });

  it('shows that it is busy, and what it has done', async () => {
    const gate = deferred();
    const worker = await engine.work({
      slow: () => gate.promise,
      ok: () => 1,
      boom: () => {
        throw new Error('boom');
      },
    });
    const key = `rq:worker:${worker.name}`;
    await engine.queue().enqueueMany([{ name: 'slow' }, { name: 'ok' }, { name: 'boom' }]);

    await eventually(async () => (await engine.client.hget(key, 'state')) === 'busy', {
      what: 'the worker to be busy',
    });
    gate.resolve();
    await worker.events.waitFor('jobFinished', 2);
    await worker.stop();

    expect(await engine.client.hgetall(key)).toMatchObject({
      successful_job_count: '2',
      failed_job_count: '1',
      total_working_time: expect.stringMatching(/^\d+(\.\d+)?$/) as string,
    });
  });
});
