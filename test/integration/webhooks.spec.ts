// Webhooks of jobs, against real HTTP servers. Job data is hostile: what a job says must not lead a worker anywhere that
// its application does not allow, and what goes wrong must cost nothing but a line of the log.
import type { WebhookOptions } from '../../lib/job/index.js';
import { CancelJob } from '../../lib/job/index.js';
import type { WorkerOptions } from '../../lib/worker/index.js';
import { HttpServer } from '../support/http-server.js';
import { deferred, eventually, within } from '../support/wait.js';
import { Engine, type TestWorker } from './support/engine.js';

const engine = Engine.forThisFile();
const hooks = new HttpServer();
/** One that nobody allows. */
const inner = new HttpServer();

beforeAll(() => Promise.all([hooks.start(), inner.start()]));
afterEach(() => [hooks, inner].forEach((server) => server.reset()));
afterAll(() => Promise.all([hooks.stop(), inner.stop()]));

const never = () => new Promise<never>(() => undefined);
const HANDLERS = {
  good: () => 'done',
  bad: () => {
    throw new RangeError('too far');
  },
  flaky: (_: unknown, { attempt }: { attempt: number }) => {
    if (attempt === 1) throw new Error('not yet');
  },
  cancels: () => {
    throw new CancelJob('nobody wants it');
  },
  long: never,
};

const work = (options: WorkerOptions = {}) =>
  engine.work(HANDLERS, { webhooks: { allow: [hooks.origin] }, ...options });

const both = (parts: Partial<WebhookOptions> = {}): WebhookOptions[] =>
  (['finished', 'failed'] as const).map((on) => ({ url: `${hooks.origin}/${on}`, on, ...parts }));

const enqueue = (name: string, webhooks: WebhookOptions[], options: object = {}) =>
  engine.queue().enqueue(name, undefined, { webhooks, ...options });

/** Enqueues a job with this in RQ's field, whatever it is. */
async function enqueueStored(webhooks: unknown, name = 'good') {
  const id = `stored-${(stored += 1)}`;
  await engine.client.hset(`rq:job:${id}`, {
    data: JSON.stringify([name, null, [], {}]),
    origin: 'jobs',
    status: 'queued',
    created_at: '2026-01-01T00:00:00.000000Z',
    enqueued_at: '2026-01-01T00:00:00.250000Z',
    success_callback_name: '',
    webhooks: typeof webhooks === 'string' ? webhooks : JSON.stringify(webhooks),
  });
  await engine.client.rpush('rq:queue:jobs', id);
  return engine.queue().job(id);
}
let stored = 0;

const problems = (worker: TestWorker) =>
  worker.events
    .of('problem')
    .map(({ message, error }) => `${message}: ${error instanceof Error ? error.message : ''}`);

/** One more webhook has arrived: whatever was to be sent before it was sent. */
async function sentAll(): Promise<void> {
  const job = await enqueue('good', [{ url: `${hooks.origin}/last`, on: 'finished' }]);
  await eventually(() => hooks.heard.some(({ url }) => url === '/last'), { what: 'the last one' });
  await job.result();
}

describe('a webhook', () => {
  it("is posted with RQ's body when the job has finished or failed", async () => {
    await work();
    const good = await enqueue('good', both({ method: 'POST', headers: { 'X-Token': 't' } }));
    const [finished] = await hooks.requests(1);
    expect(finished).toMatchObject({
      method: 'POST',
      url: '/finished',
      headers: { 'content-type': 'application/json', 'x-token': 't' },
    });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/) as string;
    const told = { job_id: good.id, func_name: 'good', status: 'finished' };
    expect(JSON.parse(finished?.body ?? '')).toEqual({
      ...told,
      enqueued_at: time,
      ended_at: time,
    });
    const bad = await enqueue('bad', both({ method: 'POST' }));
    const [, failed] = await hooks.requests(2);
    expect(failed).toMatchObject({ url: '/failed' });
    expect(JSON.parse(failed?.body ?? '')).toEqual({
      job_id: bad.id,
      func_name: 'bad',
      status: 'failed',
      enqueued_at: time,
      ended_at: time,
      exc_info: expect.stringMatching(/^RangeError: too far\n/) as string,
    });
  });

  it('is sent after the outcome is written; GET has no body', async () => {
    const status = deferred<string>();
    hooks.answer = (response, { url }) => {
      const id = new URL(url ?? '', hooks.origin).searchParams.get('id') ?? '';
      engine.queue().job(id).status().then(status.resolve, status.reject);
      response.end();
    };
    await work();
    await enqueue('good', [{ url: `${hooks.origin}/?id=mine`, on: 'finished' }], { id: 'mine' });
    const [heard] = await hooks.requests(1);
    expect(heard).toMatchObject({ method: 'GET', body: '' });
    expect(heard?.headers).not.toHaveProperty('content-type');
    expect(await status.promise).toBe('finished');
  });

  it('is not sent for an attempt that is retried, a stop, a cancel, a lost lease', async () => {
    const worker = await work();
    await (await enqueue('flaky', both(), { retry: { max: 1, interval: 0 } })).result();
    const stopped = await enqueue('long', both());
    const canceled = await enqueue('long', both());
    const lost = await enqueue('long', both());
    await worker.events.waitFor('jobStarted', 5);
    await stopped.stop();
    await canceled.cancel();
    await engine.client.zrem(
      'rq:wip:jobs',
      ...(await engine.client.zrange('rq:wip:jobs', '0', '-1')).filter((member) =>
        member.startsWith(lost.id),
      ),
    );
    await enqueue('cancels', both());
    await worker.events.waitFor('jobCanceled', 3);
    await sentAll();
    expect(hooks.heard.map(({ url }) => url)).toEqual(['/finished', '/last']);
  });

  it('of a job that repeats is sent after each round', async () => {
    await work();
    const webhooks = both({ method: 'POST' });
    const { id } = await enqueue('good', webhooks, { repeat: { times: 2, interval: 0 } });
    const heard = await hooks.requests(3);
    const bodies = heard.map(({ body }) => JSON.parse(body) as object);
    expect(bodies).toEqual(
      Array(3).fill(expect.objectContaining({ job_id: id, status: 'finished' })),
    );
  });

  it('of a job that is failed as poison is sent by the worker that finds it', async () => {
    const job = await enqueue('good', both({ method: 'POST' }));
    await engine.client.lrem('rq:queue:jobs', 0, job.id);
    await engine.client.hset(`rq:job:${job.id}`, 'status', 'started');
    await engine.client.zadd('rq:wip:jobs', 1, `${job.id}:${'0'.repeat(32)}`);
    await work({ maxCrashes: 1 });
    const [heard] = await hooks.requests(1);
    expect(heard?.url).toBe('/failed');
    expect(JSON.parse(heard?.body ?? '')).toMatchObject({
      job_id: job.id,
      func_name: 'good',
      status: 'failed',
      exc_info: expect.stringMatching(/^PoisonJobError: /) as string,
    });
  });

  it('of a job whose name nobody knows is sent: it has failed', async () => {
    await work();
    await enqueue('nobody', both());
    expect((await hooks.requests(1))[0]?.url).toBe('/failed');
  });

  it('is stored as RQ stores it, and read for it only', async () => {
    const { id } = await enqueue('good', [
      { url: 'https://hooks.example.org/x', on: 'failed', timeout: '5s', headers: { a: 'b' } },
      { url: 'https://hooks.example.org/y', on: 'finished', method: 'POST' },
    ]);
    const { webhooks = '', nrq_given: given } = await engine.fields(id);
    expect(JSON.parse(webhooks)).toEqual([
      {
        url: 'https://hooks.example.org/x',
        job_status: 'failed',
        method: 'GET',
        headers: { a: 'b' },
        timeout: 5,
      },
      {
        url: 'https://hooks.example.org/y',
        job_status: 'finished',
        method: 'POST',
        headers: null,
        timeout: 10,
      },
    ]);
    expect(given).toBe('w');
  });
});

describe('where a webhook may go', () => {
  it('nowhere by default; one warning for each origin, without what may be secret', async () => {
    const worker = await work({ webhooks: {} });
    for (let count = 0; count < 3; count += 1) {
      const url = `${hooks.origin}/path?token=secret`;
      await (await enqueue('good', [{ url, on: 'finished' }])).result();
    }
    await worker.events.waitFor('problem');
    expect(problems(worker)).toEqual([
      `webhooks of jobs to ${hooks.origin} are not sent: this origin is not allowed (webhooks: { allow }): `,
    ]);
    expect(hooks.heard).toEqual([]);
  });

  it('nowhere but to the allowed origins, however a job writes it', async () => {
    const worker = await work();
    const { port } = hooks;
    const urls = [
      `http://user:secret@127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}@127.0.0.1:${inner.port}/`,
      `http://127.0.0.1:${inner.port}/`,
      `http://127.0.0.1:${inner.port}\\@127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `http://[::1]:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `https://127.0.0.1:${port}/`,
      'http://169.254.169.254/latest/meta-data/',
      'http://127.0.0.1/',
      `http://127.0.0.1.:${inner.port}/`,
      `http://hooks.example.org:${port}/`,
      `http://ｈooks.example.org/`,
      `file:///etc/passwd`,
      `javascript:alert(1)`,
      `//127.0.0.1:${port}/`,
      `redis://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}/${'x'.repeat(10_000)}`,
      'http://',
      'x',
      '',
    ];
    for (const url of urls) {
      const job = await enqueueStored([{ url, job_status: 'finished', method: 'GET' }]);
      expect(await job.result()).toBe('done');
    }
    await sentAll();
    expect(hooks.heard.map(({ url }) => url)).toEqual(['/last']);
    expect(inner.heard).toEqual([]);
    expect(problems(worker).join('\n')).not.toMatch(/secret|passwd|meta-data/);
  });

  it.each([
    ['an upper-case scheme and host', (port: number) => `HTTP://LOCALHOST:${port}/a`],
    ['another way to write a host', (port: number) => `http://l%6fcalhost:${port}/a`],
    ['characters that mean the same', (port: number) => `http://ｌocalhost:${port}/a`],
  ])('an allowed origin is meant by %s', async (_, url) => {
    const local = await new HttpServer().start('localhost');
    try {
      await work({ webhooks: { allow: [`http://localhost:${local.port}/`] } });
      await enqueueStored([{ url: url(local.port), job_status: 'finished' }]);
      expect((await local.requests(1))[0]?.url).toBe('/a');
    } finally {
      await local.stop();
    }
  });

  it('never to where an allowed endpoint redirects', async () => {
    hooks.answer = (response) =>
      response.writeHead(307, { location: `${inner.origin}/secret` }).end();
    const worker = await work();
    const job = await enqueue('good', both({ method: 'POST' }));
    await worker.events.waitFor('problem');
    expect(problems(worker)).toEqual([
      `webhooks to ${hooks.origin} do not arrive: job "${job.id}": it answered 307, and redirects are not followed`,
    ]);
    expect(inner.heard).toEqual([]);
    expect(hooks.heard).toHaveLength(1);
  });

  it.each([
    ['a line break', { 'X-A': 'a\r\nX-Injected: secret' }],
    ['a line feed', { 'X-A': 'secret\nX-Injected: 1' }],
    ['a zero', { 'X-A': 'secret\0' }],
    ['a name with a break', { 'X-A\r\nX-Injected': 'secret' }],
    ['no name', { '': 'secret' }],
    ['another host', { Host: 'secret.internal' }],
    ['a length', { 'content-LENGTH': '0' }],
    ['another end', { 'Transfer-Encoding': 'chunked' }],
    ['what is no text', { 'X-A': ['secret'] }],
    ['a list', ['secret']],
    ['what is beyond a header', { 'X-A': 'secret ✓' }],
  ])('no header steers the request: %s', async (_, headers) => {
    const worker = await work();
    const url = `${hooks.origin}/`;
    await enqueueStored([{ url, job_status: 'finished', method: 'POST', headers }]);
    await sentAll();
    expect(hooks.heard.map((heard) => heard.url)).toEqual(['/last']);
    expect(problems(worker).join()).toMatch(/a header of one must not be sent/);
    expect(problems(worker).join()).not.toMatch(/secret|Injected/);
  });

  it.each([
    ['no JSON', 'secret ['],
    ['no list', '{"url":"secret"}'],
    ['no object', '["secret"]'],
    ['null', '[null]'],
    ['another moment', [{ url: 'http://a.b/', job_status: 'secret' }]],
    ['another method', [{ url: 'http://a.b/', job_status: 'finished', method: 'DELETE' }]],
    ['a timeout that is none', [{ url: 'http://a.b/', job_status: 'finished', timeout: 'long' }]],
    ['a timeout below 0', [{ url: 'http://a.b/', job_status: 'finished', timeout: -1 }]],
    ['a URL that is none', [{ url: { toString: 'x' }, job_status: 'finished' }]],
    ['far too long', JSON.stringify([{ url: 'x'.repeat(100_000) }])],
    [
      'far too many',
      Array.from({ length: 1000 }, () => ({ url: 'http://a.b/', job_status: 'failed' })),
    ],
  ])('webhooks that are %s harm neither the job nor others', async (_, webhooks) => {
    const worker = await work();
    const job = await enqueueStored(webhooks);
    expect(await job.result()).toBe('done');
    await sentAll();
    expect(problems(worker).join('\n')).toMatch(
      /^the webhooks of a job cannot be sent: job "stored-/,
    );
    expect(problems(worker).join('\n')).not.toMatch(/secret/);
  });
});

describe('an endpoint', () => {
  it('that is slow holds no slot, and not the end of the worker', async () => {
    const open = deferred();
    hooks.answer = () => open.resolve();
    const worker = await work({ concurrency: 1 });
    for (let count = 0; count < 25; count += 1) {
      await (await enqueue('good', both({ timeout: 60 }))).result();
    }
    await open.promise;
    // Each webhook has a minute; without a limit of its own the stop would take several.
    await within(worker.stop(), { what: 'the worker to stop', timeout: 30_000 });
    expect(problems(worker).at(-1)).toMatch(/^25 webhooks were not sent: the worker has stopped/);
    // Some at a time.
    expect(hooks.heard).toHaveLength(10);
  }, 60_000);

  it('that answers while the worker stops is waited for', async () => {
    const asked = deferred();
    const release = deferred();
    hooks.answer = (response) => {
      asked.resolve();
      void release.promise.then(() => response.end());
    };
    const worker = await work();
    await enqueue('good', both());
    await asked.promise;
    let hasStopped = false;
    const stopping = worker.stop().then(() => (hasStopped = true));
    expect(hasStopped).toBe(false);
    release.resolve();
    await stopping;
    expect(problems(worker)).toEqual([]);
  });

  it('that does not answer in time is given up', async () => {
    hooks.answer = () => undefined;
    const worker = await work();
    const job = await enqueue('good', both({ timeout: 1 }));
    await worker.events.waitFor('problem');
    expect(problems(worker)).toEqual([
      `webhooks to ${hooks.origin} do not arrive: job "${job.id}": no answer within 1 s`,
    ]);
  });

  it('that answers without an end is cut off', async () => {
    const closed = deferred();
    hooks.answer = (response) => {
      const write = () => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', write).on('close', closed.resolve);
      write();
    };
    const worker = await work();
    await (await enqueue('good', both())).result();
    await closed.promise;
    expect(problems(worker)).toEqual([]);
  });

  it('that fails is one line, and another when it is well again; each is asked once', async () => {
    hooks.answer = (response) => response.writeHead(503).end('secret');
    const worker = await work();
    for (let count = 0; count < 5; count += 1) await (await enqueue('good', both())).result();
    await hooks.requests(5);
    hooks.answer = (response) => response.end();
    await (await enqueue('bad', both())).result().catch(() => undefined);
    await worker.events.waitFor('problemSolved');
    expect(problems(worker)).toEqual([
      expect.stringMatching(/^webhooks to \S+ do not arrive: job "\S+": it answered 503$/),
    ]);
    expect(worker.events.of('problemSolved')).toEqual([
      {
        message: `webhooks to ${hooks.origin} arrive again`,
        problem: `webhooks to ${hooks.origin} do not arrive`,
      },
    ]);
    expect(hooks.heard).toHaveLength(6);
  });

  it('that is not there is a line with its code', async () => {
    const gone = await new HttpServer().start();
    const { origin } = gone;
    await gone.stop();
    const worker = await work({ webhooks: { allow: [origin] } });
    await enqueue('good', [{ url: `${origin}/?token=secret`, on: 'finished' }]);
    await worker.events.waitFor('problem');
    expect(problems(worker).join()).toMatch(
      /^webhooks to \S+ do not arrive: job "\S+": ECONNREFUSED$/,
    );
  });
});
