import { deflateSync } from 'node:zlib';
import { eventually } from '../support/wait.js';
import { Engine, type TestWorker } from './support/engine.js';

const engine = Engine.forThisFile();

const CALL = '["ok", null, [1], {}]';

type Value = string | Buffer;

/** A waiting job, its hash written field by field as another program would; without `data` there is none. */
async function put(id: string, fields: Record<string, Value>): Promise<void> {
  const all = { status: 'queued', origin: 'jobs', success_callback_name: '', ...fields };
  await engine.client.hset(`rq:job:${id}`, all);
  await engine.client.rpush('rq:queue:jobs', id);
}

/** A worker that has met everything in the queue: the job behind it has run. */
async function workThroughQueue(): Promise<TestWorker> {
  const worker = await engine.work(
    {
      ok: (data) => data,
      boom: () => {
        throw new Error('boom');
      },
    },
    { concurrency: 1 },
  );
  const good = await engine.queue().enqueue('ok', 'good');
  expect(await good.result({ timeout: 5 })).toBe('good');
  expect(worker.events.of('problem')).toEqual([]);
  return worker;
}

describe('an id that is no job', () => {
  it.each<[string, string, (key: string) => Promise<unknown>]>([
    ['nothing is there', 'missing', () => Promise.resolve()],
    ['a text is there', 'not a job', (key) => engine.client.set(key, 'text')],
    ['a list is there', 'not a job', (key) => engine.client.rpush(key, 'a')],
    ['it has no data', 'missing', (key) => engine.client.hset(key, 'status', 'queued')],
    [
      'it ended long ago',
      'finished',
      (key) => engine.client.hset(key, { status: 'finished', data: CALL }),
    ],
    [
      'it is canceled',
      'canceled',
      (key) => engine.client.hset(key, { status: 'canceled', data: CALL }),
    ],
    [
      'its status is unknown',
      'ready_to_enqueue',
      (key) => engine.client.hset(key, { status: 'ready_to_enqueue', data: CALL }),
    ],
  ])('is dropped and reported: %s', async (_, reason, write) => {
    await write('rq:job:bad');
    await engine.client.rpush('rq:queue:jobs', 'bad');

    const worker = await workThroughQueue();

    expect(worker.events.of('jobDropped')).toEqual([{ queue: 'jobs', jobId: 'bad', reason }]);
    expect(await engine.places('bad')).toEqual([]);
  });

  it('is dropped though it stands in the queue a thousand times, and a real one runs once', async () => {
    await put('twice', { data: CALL });
    await engine.client.rpush('rq:queue:jobs', 'twice', 'twice');
    const many = Array.from({ length: 1000 }, () => 'nosuchjob');
    await engine.client.rpush('rq:queue:jobs', ...many);

    const worker = await workThroughQueue();

    expect(worker.events.of('jobDropped')).toHaveLength(1002);
    const started = worker.events.of('jobStarted').filter(({ jobId }) => jobId === 'twice');
    expect(started).toHaveLength(1);
  });

  it('is dropped from the schedule, too', async () => {
    const past = Math.floor(Date.now() / 1000) - 100;
    await engine.client.set('rq:job:text', 'text');
    await engine.client.hset('rq:job:ended', { status: 'finished', data: CALL });
    await engine.client.zadd('rq:scheduled:jobs', past, 'gone', past, 'text', past, 'ended');

    await workThroughQueue();

    await eventually(async () => (await engine.client.zcard('rq:scheduled:jobs')) === 0, {
      what: 'the schedule to be empty',
    });
  });
});

describe('a job that cannot be read', () => {
  const pickle = Buffer.from(
    '8004951c00000000000000288c096f732e73797374656d944e8c04747275659485947d9474942e',
    'hex',
  );

  it.each<[string, Value, RegExp]>([
    ['a pickle', pickle, /is a Python pickle, which is never decoded.*JSONSerializer/],
    ['a deflated pickle', deflateSync(pickle), /is a Python pickle/],
    ['nothing', '', /is no JSON/],
    ['text', 'hello', /is no JSON/],
    ['bytes', Buffer.from([0xff, 0xfe, 0, 1]), /is no JSON/],
    ['half of its deflated data', deflateSync(CALL).subarray(0, 12), /is damaged/],
    [
      'a zlib bomb',
      deflateSync(Buffer.alloc(50_000_000, ' '), { level: 9 }),
      /longer than \d+ bytes/,
    ],
    ['JSON that is no call', '{"ok": 1}', /is not \[function/],
    ['a call without arguments', '["ok", null]', /is not \[function/],
    ['a method of an object', '["ok", "pickled", [], {}]', /method of a Python object/],
    [
      'an unknown name',
      '["nosuch", null, [], {}]',
      /No handler for job "nosuch".*Known here: ok, boom/,
    ],
    ['a dotted path', '["os.system", null, ["true"], {}]', /No handler for job "os\.system"/],
    ['__proto__', '["__proto__", null, [], {}]', /No handler for job "__proto__"/],
    ['constructor', '["constructor", null, [], {}]', /No handler for job "constructor"/],
  ])('fails with a clear reason, without a retry: %s', async (_, data, reason) => {
    await put('bad', { data, retries_left: '5', retry_intervals: '[0]' });

    const worker = await workThroughQueue();

    const job = await engine.queue().getJob('bad');
    await expect(job?.result({ timeout: 10 })).rejects.toMatchObject({
      reason: expect.stringMatching(reason) as string,
    });
    expect(await engine.places('bad')).toEqual(['failed']);
    expect(worker.events.of('jobFailed')).toMatchObject([{ jobId: 'bad', attempt: 1 }]);
    expect(worker.events.of('jobStarted').map(({ jobId }) => jobId)).not.toContain('bad');
  });

  it('with an unknown name may be put off instead, spending nothing', async () => {
    await put('newer', { data: '["newer", null, [], {}]', retries_left: '1' });
    const worker = await engine.work({ ok: () => 1 }, { unknownJobs: 'release' });

    const [returned] = await worker.events.waitFor('jobSnoozed');

    expect(returned).toMatchObject({ jobId: 'newer', reason: 'unknown job', delay: 10_000 });
    expect(await engine.places('newer')).toEqual(['scheduled']);
    expect(await engine.fields('newer')).toMatchObject({ status: 'scheduled', retries_left: '1' });
  });
});

describe('a job with nonsense in some field runs all the same', () => {
  it.each<[string, Record<string, string>]>([
    ['timeout', { timeout: 'soon' }],
    ['an empty timeout', { timeout: '' }],
    ['a fractional timeout', { timeout: '1.5' }],
    ['times to keep', { result_ttl: 'x', failure_ttl: '1.5', ttl: 'y' }],
    ['times to keep, out of range', { result_ttl: '-7', failure_ttl: '9'.repeat(30) }],
    ['a time to keep that no calendar has', { result_ttl: '9007199254740991' }],
    ['dates', { created_at: 'yesterday', enqueued_at: '2026-13-45', started_at: '?' }],
    ['meta', { meta: '{broken' }],
    ['retries', { retries_left: 'many', retry_intervals: '{' }],
    [
      'our own fields',
      { nrq_given: '\u0000', nrq_attempts: 'NaN', nrq_retry: '[', nrq_timeout: '-1' },
    ],
    ['counters', { number_of_retries: 'x', nrq_crashes: 'inf' }],
    ['fields of newer versions', { rate_limit_key: 'a', zukunft: 'ü' }],
  ])('%s', async (_, fields) => {
    await put('odd', { data: '["ok", null, ["odd"], {}]', ...fields });

    const worker = await workThroughQueue();

    const finished = await worker.events.waitFor('jobFinished', 2);
    expect(finished.map(({ jobId }) => jobId)).toContain('odd');
    expect((await engine.places('odd')).filter((place) => place !== 'finished')).toEqual([]);
  });

  it('webhooks that cannot be sent, which the log says', async () => {
    await put('odd', { data: '["ok", null, ["odd"], {}]', webhooks: '[{"url": "x"}]' });

    const worker = await engine.work({ ok: (value) => value });

    await worker.events.waitFor('jobFinished');
    expect(await worker.events.waitFor('problem')).toMatchObject([
      { message: 'the webhooks of a job cannot be sent' },
    ]);
    expect((await engine.places('odd')).filter((place) => place !== 'finished')).toEqual([]);
  });

  it('hardly any field at all', async () => {
    await engine.client.hset('rq:job:bare', { data: CALL });
    await engine.client.rpush('rq:queue:jobs', 'bare');

    const worker = await workThroughQueue();

    const finished = await worker.events.waitFor('jobFinished', 2);
    expect(finished.map(({ jobId }) => jobId)).toContain('bare');
    expect(await (await engine.queue().getJob('bare'))?.result()).toBe(1);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a count that is none', { retries_left: 'many' }, 1],
    ['a fraction', { retries_left: '2.5' }, 1],
    ['less than none', { retries_left: '-3' }, 1],
    ['intervals that are none', { retries_left: '1', retry_intervals: 'soon' }, 2],
    ['intervals of odd members', { retries_left: '1', retry_intervals: '["x", null]' }, 2],
    ['a returned count', { number_of_retries: 'x', retries_left: '1' }, 2],
    ['own fields', { retries_left: '1', retry_intervals: '[0]', nrq_retry: '{"within":"x"}' }, 2],
  ])('and fails as often as its policy can be read: %s', async (_, fields, runs) => {
    await put('odd', { data: '["boom", null, [], {}]', ...fields });

    const worker = await workThroughQueue();
    await worker.events.waitFor('jobFailed');

    const started = worker.events.of('jobStarted').filter(({ jobId }) => jobId === 'odd');
    expect(started).toHaveLength(runs);
    expect(await engine.places('odd')).toEqual(['failed']);
  });

  it.each([
    'tasks:import:7',
    'with space',
    'naïve-日本',
    "it's",
    '"quoted"',
    '{braces}',
    'a\nb',
    '*',
    '-1',
    '__proto__',
    'x'.repeat(1000),
  ])('an id that RQ would not accept: %j', async (id) => {
    await put(id, { data: CALL });

    const worker = await workThroughQueue();

    const finished = await worker.events.waitFor('jobFinished', 2);
    expect(finished.map(({ jobId }) => jobId)).toContain(id);
    expect(await engine.places(id)).toEqual(['finished']);
  });
});

describe('a key that holds something else', () => {
  it.each(['queue', 'queue:jobs:intermediate', 'wip', 'scheduled', 'finished', 'nrq:waiting'])(
    'rq:%s: other queues are served, the trouble is told, and no job is lost when it is over',
    async (name) => {
      const key = name.includes(':jobs') ? `rq:${name}` : `rq:${name}:jobs`;
      if (name !== 'queue') await engine.queue().enqueue('ok');
      await engine.client.set(key, 'not what it should be');
      const worker = await engine.work([
        { name: 'ok', run: () => 1 },
        { queue: 'other', name: 'ok', run: () => 'other' },
      ]);
      const other = await engine.queue('other').enqueue('ok');
      expect(await other.result({ timeout: 5 })).toBe('other');

      await engine.client.del(key);
      if (name === 'queue') await engine.queue().enqueue('ok');

      await eventually(
        () => worker.events.of('jobFinished').some(({ queue }) => queue === 'jobs'),
        {
          what: 'the job, after the trouble',
          timeout: 15_000,
        },
      );
      expect(worker.events.of('problem').length).toBeLessThan(10);
    },
  );
});

describe('a job with more than it may have', () => {
  it('of data fails with a clear reason, without being read', async () => {
    const limit = 10 * 1024 * 1024;
    await put('large', { data: `["ok", null, ["${'a'.repeat(limit)}"], {}]` });

    await workThroughQueue();

    expect(await engine.places('large')).toEqual(['failed']);
    expect(await engine.queue().job('large').results()).toMatchObject([
      { error: expect.stringMatching(/longer than 10485760 bytes \(see maxPayloadBytes\)/) },
    ]);
  });

  it('stays in Redis: neither its data nor any other giant field travels to the worker', async () => {
    const giant = 'a'.repeat(11 * 1024 * 1024);
    await put('data', { data: `["ok", null, ["${giant}"], {}]` });
    await put('meta', { data: CALL, meta: `{"a":"${giant}"}` });
    await put('timeout', { data: CALL, timeout: giant, created_at: giant });
    await put('further', { data: CALL, retries_left: giant });
    const sent = async () =>
      Number(/total_net_output_bytes:(\d+)/.exec(await engine.client.info('stats'))?.[1]);
    const before = await sent();

    const worker = await workThroughQueue();

    expect((await sent()) - before).toBeLessThan(1024 * 1024);
    expect(await engine.places('data')).toEqual(['failed']);
    expect(worker.events.of('jobFailed')).toMatchObject([
      {
        jobId: 'data',
        error: {
          code: 'RQ_MALFORMED_JOB',
          message: expect.stringMatching(/longer than 10485760 bytes \(see maxPayloadBytes\)/),
        },
      },
    ]);
    expect(await engine.client.hstrlen('rq:job:data', 'data')).toBeGreaterThan(giant.length);
    for (const id of ['meta', 'timeout', 'further']) {
      expect(await engine.places(id)).toEqual(['finished']);
    }
  });

  it('of meta does not make one answer of all', async () => {
    const meta = `{"a":"${'m'.repeat(40_000)}"}`;
    for (let number = 1; number <= 10; number++) await put(`meta-${number}`, { data: CALL, meta });

    const { claimed, more } = await engine.store.exchange('jobs', {
      leaseMs: 15_000,
      worker: 'w',
      token: 't'.repeat(48),
      nextExecution: 1,
      want: 10,
      suspects: { takes: true, from: 2, delay: 1000 },
      call: undefined,
      woken: [],
      outcomes: [],
      events: [],
    });

    expect(claimed).toHaveLength(2);
    expect(more).toBe(true);
  });

  it('of time is kept for ever, as RQ keeps what is below 0', async () => {
    const endless = String(Number.MAX_SAFE_INTEGER);
    await put('long', { data: CALL, result_ttl: endless, failure_ttl: endless });
    await put('below', { data: CALL, result_ttl: '-5' });
    await put('fails', { data: '["boom", null, [], {}]', failure_ttl: endless });

    await workThroughQueue();

    for (const id of ['long', 'below', 'fails']) {
      expect(await engine.client.ttl(`rq:job:${id}`)).toBe(-1);
    }
    expect(await engine.places('long')).toEqual(['finished']);
    expect(await engine.places('fails')).toEqual(['failed']);
  });

  it('of an interval is retried in a hundred years', async () => {
    const data = '["boom", null, [], {}]';
    await put('later', { data, retries_left: '1', retry_intervals: '[1e999]' });

    await workThroughQueue();

    expect(await engine.places('later')).toEqual(['scheduled']);
    const due = Number(await engine.client.zscore('rq:scheduled:jobs', 'later'));
    expect(due - Date.now() / 1000).toBeGreaterThan(36_499 * 86_400);
    expect(due - Date.now() / 1000).toBeLessThan(36_501 * 86_400);
  });
});

it('the sweep takes ids without a job out of the registries, scheduled ones when none came for a minute', async () => {
  const { client } = engine;
  const { id } = await engine.queue().enqueueIn(60, 'ok');
  const places = ['finished', 'failed', 'canceled', 'scheduled'];
  const far = Date.now() / 1000 + 86_400;
  for (const place of places) await client.zadd(`rq:${place}:jobs`, far, `ghost-${place}`);
  const turn = async () => {
    await client.del('rq:nrq:swept:jobs');
    await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 60_000 });
  };
  for (const _ of places) await turn();
  const left = await Promise.all(places.map((place) => client.zcard(`rq:${place}:jobs`)));
  expect(left).toEqual([0, 0, 0, 2]);
  // It was first missed more than a minute ago.
  await client.zadd('rq:nrq:late:jobs', Date.now() / 1000 - 61, 'ghost-scheduled');
  for (const _ of places) await turn();
  expect(await client.zrange('rq:scheduled:jobs', '0', '-1')).toEqual([id]);
  expect(await client.exists('rq:nrq:late:jobs')).toBe(0);
});
