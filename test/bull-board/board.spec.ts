// A queue of nestjs-rq on the newest bull-board, beside one of BullMQ: over the board's own HTTP API, of which every answer is
// checked against the board's schemas, and as its page in Chromium shows it. RQ_PICTURES=folder writes what it sees there.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { jest } from '@jest/globals';
import { type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Queue as BullQueue } from 'bullmq';
import {
  CancelJob,
  InvalidOptionError,
  Job,
  Queue,
  RqInspector,
  RqModule,
  type RunningJob,
  Schedule,
  getQueueToken,
} from 'nestjs-rq';
import { RqAdapter } from 'nestjs-rq/bull-board';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { Watched, describeInBrowser, launch } from '../dashboard/support/browser.js';
import { post, send } from '../dashboard/support/requests.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';

// A page takes a while on a busy machine.
jest.setTimeout(90_000);

@Injectable()
class ImageJobs {
  @Job('images')
  async resize(image: { path: string }, job: RunningJob) {
    await job.log(`reads ${image.path} with token=s3cr3t-t0k3n`);
    await job.progress(40);
    return { thumbnail: `${image.path}.small`, apiKey: 'k-123' };
  }

  @Job({ queue: 'images', retry: { max: 1, interval: 0 } })
  scan({ path }: { path: string; password?: string }): never {
    throw new TypeError(`no such file: ${path}, password=hunter2`);
  }

  @Job('images')
  drop(): never {
    throw new CancelJob('not wanted');
  }

  @Job('images')
  render(_: unknown, job: RunningJob): Promise<void> {
    return new Promise((resolve) => job.signal.addEventListener('abort', () => resolve()));
  }

  @Schedule('0 6 * * *', { tz: 'Europe/Berlin', missed: 'skip' })
  @Job('images')
  nightly() {}
}

interface BoardJobAnswer {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly returnValue: unknown;
  readonly opts: Record<string, unknown>;
  readonly attempts: number;
  readonly failedReason: string;
  readonly stacktrace: string[];
  readonly isFailed: boolean;
  readonly progress: unknown;
  readonly timestamp: number;
  readonly delay?: number;
}

interface QueueAnswer {
  readonly name: string;
  readonly counts: Record<string, number>;
  readonly jobs: BoardJobAnswer[];
  readonly pagination: { pageCount: number };
  readonly isPaused: boolean;
  readonly readOnlyMode: boolean;
  readonly globalConcurrency: number | null;
  readonly hasWorkers: boolean | null;
  readonly jobSchedulerCount: number;
}

let redis: RedisServer;
let app: INestApplication;
let mails: BullQueue;
let images: Queue<ImageJobs>;
let origin: string;
let api: string;

beforeAll(async () => {
  redis = await startRedis();
  const module = await Test.createTestingModule({
    imports: [
      RqModule.forRoot({
        connection: redis.url,
        shutdownTimeout: '100ms',
        worker: { name: 'web-1', concurrency: 4 },
      }),
      RqModule.registerQueue('images'),
    ],
    providers: [ImageJobs],
  })
    .setLogger(false as never)
    .compile();
  app = module.createNestApplication({ logger: false });
  mails = new BullQueue('mails', { connection: { url: redis.url } as never });
  images = app.get<Queue<ImageJobs>>(getQueueToken('images'), { strict: false });
  const inspector = app.get(RqInspector);
  const serverAdapter = new ExpressAdapter().setBasePath('/queues');
  createBullBoard({
    serverAdapter,
    queues: [
      new BullMQAdapter(mails),
      new RqAdapter(images, { inspector, redact: ['data.iban'], description: 'by nestjs-rq' }),
      new RqAdapter(inspector.queue('mails'), { prefix: 'rq:', readOnlyMode: true }),
    ],
    options: { validateResponses: true },
  });
  app.use('/queues', serverAdapter.getRouter());
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  api = `${origin}/queues/api/queues`;
}, 60_000);

afterAll(async () => {
  await mails?.close();
  await app?.close();
  await redis?.stop();
});

beforeEach(async () => {
  await images.cancel({ in: 'started' });
  for (const place of PLACES) await images.delete({ in: place });
  await Promise.all([images.resume(), images.setLimits({}), mails.obliterate({ force: true })]);
});

const PLACES = [
  'started',
  'queued',
  'scheduled',
  'deferred',
  'finished',
  'failed',
  'canceled',
] as const;

/** What the list of queues shows, of this one with its jobs. */
async function shown(name = 'images', status = 'latest', page = 1): Promise<QueueAnswer> {
  const query = `activeQueue=${encodeURIComponent(name)}&status=${status}&page=${page}&jobsPerPage=10`;
  const answer = await send(`${api}?${query}`);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
  const { queues } = answer.json<{ queues: QueueAnswer[] }>();
  return queues.find((queue) => queue.name === name)!;
}

async function jobOf(id: string) {
  const answer = await send(`${api}/images/${id}`);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
  return answer.json<{ job: BoardJobAnswer; status: string }>();
}

function put(path: string, body: object = {}, method = 'PUT') {
  return send(`${api}/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function ended(id: string, status: string): Promise<unknown> {
  return eventually(async () => (await images.job(id).status()) === status, {
    what: `job ${id} to be ${status}`,
  });
}

describe('what is shown', () => {
  it('each queue with its counts, the ones of BullMQ and of nestjs-rq side by side', async () => {
    await mails.add('welcome', { to: 'ada' });
    await images.pause();
    await images.enqueue('resize', { path: 'a.png' });
    await images.enqueueIn('1h', 'resize', { path: 'b.png' });

    const answer = await send(api);
    const { queues } = answer.json<{ queues: QueueAnswer[] }>();

    expect(queues.map(({ name }) => name).toSorted()).toEqual(['images', 'mails', 'rq:mails']);
    expect(queues.find(({ name }) => name === 'mails')!.counts).toMatchObject({ waiting: 1 });
    expect(queues.find(({ name }) => name === 'images')).toMatchObject({
      counts: { waiting: 1, delayed: 1, active: 0, completed: 0, failed: 0, 'waiting-children': 0 },
      isPaused: true,
    });
  });

  it('a failed job: attempts, error, stacks, without what is secret', async () => {
    const { id } = await images.enqueue('scan', { path: 'x.png', password: 'hunter2' });
    await ended(id, 'failed');

    const { job, status } = await jobOf(id);

    expect(status).toBe('failed');
    expect(job).toMatchObject({
      name: 'scan',
      attempts: 2,
      isFailed: true,
      failedReason: 'TypeError: no such file: x.png, password=•••',
      data: { path: 'x.png', password: '•••' },
    });
    expect(job.stacktrace).toHaveLength(2);
    expect(job.stacktrace[0]).toContain('board.spec.ts');
    expect(JSON.stringify(job)).not.toContain('hunter2');
    const [listed] = (await shown('images', 'failed')).jobs;
    expect(listed).toMatchObject({ id, failedReason: job.failedReason });
  });

  it('a finished job: result, log, progress, without what is secret', async () => {
    const data = { path: 'a.png', iban: 'DE02 1203 0000 0000 2020 51' };
    const { id } = await images.enqueue('resize', data);
    await ended(id, 'finished');

    const { job, status } = await jobOf(id);

    expect(status).toBe('completed');
    expect(job).toMatchObject({
      data: { path: 'a.png', iban: '•••' },
      returnValue: { thumbnail: 'a.png.small', apiKey: '•••' },
      progress: 40,
      isFailed: false,
      attempts: 1,
    });
    const logs = await send(`${api}/images/${id}/logs`);
    expect(logs.json<string[]>()).toEqual(['reads a.png with token=•••']);
  });

  it('pages: what has ended with the newest first, what waits with the next one first', async () => {
    await images.pause();
    const jobs = Array.from({ length: 25 }, (_, index) => ({
      name: 'resize' as const,
      data: { path: `${index}.png` },
    }));
    await images.enqueueMany(jobs);
    const paths = ({ jobs: found }: QueueAnswer) =>
      found.map(({ data }) => (data as { path: string }).path);

    const first = await shown('images', 'waiting');
    expect(first.pagination.pageCount).toBe(3);
    expect(paths(first)[0]).toBe('0.png');
    expect(paths(await shown('images', 'waiting', 3))).toEqual(
      [20, 21, 22, 23, 24].map((index) => `${index}.png`),
    );

    await images.cancel({ in: 'queued' });
    const failing = Array.from({ length: 12 }, (_, index) => ({
      name: 'scan' as const,
      data: { path: `${index}.png` },
      options: { retry: false as const },
    }));
    await images.enqueueMany(failing);
    await images.resume();
    await eventually(async () => (await images.counts()).failed === 12, { what: 'all to fail' });
    const newest = await shown('images', 'failed');
    const oldest = await shown('images', 'failed', 2);
    expect(newest.jobs).toHaveLength(10);
    expect(oldest.jobs).toHaveLength(2);
    const listed = [...newest.jobs, ...oldest.jobs].map(({ id }) => id);
    const stored = (await images.jobs('failed')).map(({ id }) => id);
    expect(listed).toEqual(stored.toReversed());
  });

  it('when a delayed job is due, what a deferred one waits for, and a canceled one as unknown', async () => {
    await images.pause();
    const delayed = await images.enqueueIn('1h', 'resize', { path: 'a.png' });
    const parent = await images.enqueue('resize', { path: 'b.png' });
    const child = await images.enqueue('resize', { path: 'c.png' }, { dependsOn: [parent] });
    const canceled = await images.enqueue('drop');
    await canceled.cancel();

    const [listed] = (await shown('images', 'delayed')).jobs;
    expect(listed).toMatchObject({ id: delayed.id });
    expect(Math.round(listed!.delay! / 60_000)).toBe(60);
    expect((await jobOf(child.id)).status).toBe('waiting-children');
    const flow = await send(`${api}/images/${child.id}/flow`);
    expect(flow.json()).toMatchObject({
      nodeId: child.id,
      isFlowNode: true,
      flowRoot: { id: child.id, children: [{ id: parent.id, state: 'waiting' }] },
    });
    expect((await jobOf(canceled.id)).status).toBe('unknown');
  });

  it('workers and the attempts of the last hours, with an inspector; without one that they are unknown', async () => {
    const { id } = await images.enqueue('resize', { path: 'a.png' });
    await ended(id, 'finished');
    await eventually(async () => (await shown()).hasWorkers, { what: 'the worker to show itself' });

    const workers = (await send(`${api}/images/workers`)).json<{ workers: { name: string }[] }>();
    expect(workers.workers.map(({ name }) => name)).toEqual([expect.stringContaining('web-1')]);
    expect((await shown('rq:mails')).hasWorkers).toBeNull();
    const metrics = (await send(`${api}/images/metrics`)).json<{ completed: { data: number[] } }>();
    expect(metrics.completed.data.length).toBeGreaterThan(100);
    expect((await send(`${api}/${encodeURIComponent('rq:mails')}/metrics`)).json()).toEqual({
      completed: null,
      failed: null,
    });
  });

  it('no job of another queue, and none under an id that cannot be', async () => {
    const other = await app.get(RqInspector).queue('others').enqueue('secret', { a: 1 });
    for (const id of [other.id, 'no-such-job', 'not%20an%20id']) {
      expect((await send(`${api}/images/${id}`)).status).toBe(404);
    }
    expect((await send(`${api}/images/${other.id}/logs`)).json()).toEqual([]);
  });

  it('a job that only Python can read', async () => {
    await images.pause();
    const { id } = await images.enqueue('resize', { path: 'a.png' });
    await redis.client().hset(`rq:job:${id}`, 'data', Buffer.from('\x80\x04pickle', 'latin1'));

    expect((await jobOf(id)).job.data).toEqual({ unreadable: expect.stringContaining(id) });
    expect((await shown('images', 'waiting')).jobs).toHaveLength(1);
  });
});

describe('what can be done', () => {
  it('retry of one job, and of all', async () => {
    const jobs = await images.enqueueMany(
      ['a', 'b', 'c'].map((path) => ({ name: 'scan', data: { path }, options: { retry: false } })),
    );
    await Promise.all(jobs.map(({ id }) => ended(id, 'failed')));
    await images.pause();

    expect((await put(`images/${jobs[0]!.id}/retry`)).status).toBe(204);
    expect(await images.counts()).toMatchObject({ queued: 1, failed: 2 });
    const all = await put('images/retry/failed');
    expect(all.json()).toEqual({ retried: 2, skipped: 0 });
    expect(await images.counts()).toMatchObject({ queued: 3, failed: 0 });
    const refused = await put(`images/${jobs[0]!.id}/retry`);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('NOT_RETRIABLE')]);
  });

  it('retry of a finished job', async () => {
    const { id } = await images.enqueue('resize', { path: 'a.png' });
    await ended(id, 'finished');
    await images.pause();

    expect((await put(`images/${id}/retry`)).status).toBe(204);

    expect(await images.job(id).status()).toBe('queued');
  });

  it('promote of one job, and of all', async () => {
    await images.pause();
    const one = await images.enqueueIn('1h', 'resize', { path: 'a.png' });
    await images.enqueueIn('2h', 'resize', { path: 'b.png' });
    await images.enqueueIn('3h', 'resize', { path: 'c.png' });

    expect((await put(`images/${one.id}/promote`)).status).toBe(204);
    expect(await images.counts()).toMatchObject({ queued: 1, scheduled: 2 });
    const again = await put(`images/${one.id}/promote`);
    expect(again.status).toBe(204);
    expect((await put('images/promote')).status).toBe(200);
    expect(await images.counts()).toMatchObject({ queued: 3, scheduled: 0 });
  });

  it('remove; a running job stays, as in BullMQ', async () => {
    const running = await images.enqueue('render');
    await ended(running.id, 'started');
    const refused = await put(`images/${running.id}/clean`);
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('JOB_IS_ACTIVE')]);
    expect(await running.status()).toBe('started');
    await running.cancel();

    const { id } = await images.enqueueIn('1h', 'resize', { path: 'a.png' });
    expect((await put(`images/${id}/clean`)).status).toBe(204);
    expect(await images.getJob(id)).toBeUndefined();
  });

  it('clean of a status, sparing what has just come', async () => {
    const { id } = await images.enqueue('scan', { path: 'a' }, { retry: false });
    await ended(id, 'failed');
    await images.enqueueIn('1h', 'resize', { path: 'a.png' });

    await put('images/clean/failed'); // the board spares what is younger than 5 seconds
    expect(await images.counts()).toMatchObject({ failed: 1 });
    await redis.client().hset(`rq:job:${id}`, 'ended_at', '2026-01-01T00:00:00.000000Z');
    expect((await put('images/clean/failed')).status).toBe(200);
    expect(await images.counts()).toMatchObject({ failed: 0, scheduled: 1 });
    expect((await put('images/clean/delayed')).status).toBe(200);
    expect(await images.counts()).toMatchObject({ scheduled: 0 });
    const refused = await put('images/clean/active');
    expect([refused.status, refused.json()]).toMatchObject([
      400,
      { message: 'Queue "images" is one of nestjs-rq. Jobs that are active cannot be cleaned.' },
    ]);
  });

  it('pause, resume, empty, and pause of all but those that can only be read', async () => {
    await put('images/pause');
    await images.enqueue('resize', { path: 'a.png' });
    expect(await shown()).toMatchObject({ isPaused: true, counts: { waiting: 1 } });
    await put('images/empty');
    await put('images/resume');
    expect(await shown()).toMatchObject({ isPaused: false, counts: { waiting: 0 } });

    await put('pause');
    expect((await shown()).isPaused).toBe(true);
    expect((await shown('rq:mails')).isPaused).toBe(false);
  });

  it("add a job, with BullMQ's options or our own", async () => {
    await images.pause();
    const options = { attempts: 3, backoff: { type: 'fixed', delay: 5000 }, delay: 60_000 };
    const added = await post(`${api}/images/add`, {
      name: 'resize',
      data: { path: 'a.png' },
      options: { ...options, jobId: 'by-hand' },
    });
    expect(added.json()).toMatchObject({
      job: { id: 'by-hand', name: 'resize' },
      status: 'delayed',
    });
    expect(await images.job('by-hand').refresh()).toMatchObject({ retriesLeft: 2 });
    const [job] = await images.jobs('scheduled');
    expect(Math.round((job!.dueAt!.getTime() - Date.now()) / 10_000)).toBe(6);

    const own = { id: 'ours', retry: { max: 5, interval: '1m' }, timeout: '5m', delay: '2h' };
    await post(`${api}/images/add`, { name: 'resize', data: {}, options: own });
    expect(await images.job('ours').refresh()).toMatchObject({ retriesLeft: 5 });
  });

  it.each([
    [{ priority: 3 }, `It does not know BullMQ's option priority: give 'high', 'normal' or 'low'`],
    [{ removeOnFail: 100 }, `option removeOnFail: jobs are kept for a time here`],
    [{ deduplication: { id: 'a' } }, `option deduplication: give unique.`],
    [{ attempts: 3, backoff: { type: 'own' } }, `option backoff: it must be { type:`],
    [{ attempts: 3, retry: false }, `option attempts: retry is given, too`],
    [{ nonsense: true }, 'nonsense'],
  ])('no job with %j: the sentence says why', async (options, sentence) => {
    const answer = await post(`${api}/images/add`, { name: 'resize', data: {}, options });
    expect(answer.status).toBe(400);
    expect(answer.json<{ message: string }>().message).toContain(sentence);
    expect(await images.counts()).toMatchObject({ queued: 0, scheduled: 0 });
  });

  it('duplicate: what the board was shown can be enqueued again, but nothing that was blanked', async () => {
    await images.pause();
    const { id } = await images.enqueueIn('1h', 'resize', { path: 'a.png' }, { retry: { max: 2 } });
    const { job } = await jobOf(id);
    const again = await post(`${api}/images/add`, {
      name: job.name,
      data: job.data,
      options: job.opts,
    });
    expect([again.status, again.text]).toEqual([200, expect.anything()]);
    expect((await images.counts()).queued + (await images.counts()).scheduled).toBe(2);

    const blanked = { name: 'scan', data: { password: '•••' }, options: {} };
    const refused = await post(`${api}/images/add`, blanked);
    expect(refused.status).toBe(400);
    expect(refused.json<{ message: string }>().message).toContain('where a secret was blanked');
  });

  it('obliterate: all jobs and schedules at run time; with running ones only if it is forced', async () => {
    await images.schedule('hourly', { every: '1h' }, 'nightly');
    const running = await images.enqueue('render');
    await ended(running.id, 'started');
    await images.pause();
    await images.enqueue('resize', { path: 'a.png' });

    expect((await put('images/obliterate')).status).toBe(409);
    expect((await put('images/obliterate', { force: true })).status).toBe(200);

    const { queued, started, scheduled } = await images.counts();
    expect([queued, started, scheduled]).toEqual([0, 0, 0]);
    expect((await images.schedules()).map(({ id }) => id)).toEqual(['images-nightly']);
  });

  it('schedules: seen, run now, removed; what stands in code stays', async () => {
    await images.schedule('hourly', { every: '1h' }, 'resize', { path: 'a.png' });
    await images.pause();
    const { schedulers } = (await send(`${origin}/queues/api/job-schedulers`)).json<{
      schedulers: Record<string, unknown>[];
    }>();
    expect(schedulers).toContainEqual(
      expect.objectContaining({ id: 'hourly', queueName: 'images', every: 3_600_000 }),
    );

    const run = await put('images/job-schedulers/hourly/run');
    expect(run.json()).toMatchObject({ job: { name: 'resize' } });
    const edit = await put('images/job-schedulers/hourly', { every: 5 }, 'PATCH');
    expect([edit.status, edit.text]).toEqual([405, expect.stringContaining('EDIT_NOT_SUPPORTED')]);
    expect((await put('images/job-schedulers/hourly/remove')).status).toBe(204);
    expect((await put('images/job-schedulers/hourly/remove')).status).toBe(404);
    const inCode = await put('images/job-schedulers/images-nightly/remove');
    expect([inCode.status, inCode.text]).toEqual([400, expect.stringContaining('stands in code')]);
  });

  it('concurrency and rate of the whole queue, each without the other', async () => {
    await put('images/concurrency', { concurrency: 5 });
    await put('images/rate-limit', { max: 10, duration: 60_000 });
    expect((await shown()).globalConcurrency).toBe(5);
    expect((await send(`${api}/images/rate-limit`)).json()).toEqual({
      supported: true,
      rateLimit: { max: 10, duration: 60_000 },
    });

    await put('images/concurrency', { concurrency: 0 });
    expect(await images.limits()).toEqual([
      expect.objectContaining({ from: 'set', rateLimit: { max: 10, per: 60 } }),
    ]);
    await put('images/rate-limit', { max: null });
    expect(await images.limits()).toEqual([]);
    const refused = await put('images/rate-limit/release');
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('set another')]);
  });

  it('what has no meaning here is refused', async () => {
    await images.pause();
    const { id } = await images.enqueue('resize', { path: 'a.png' });
    const data = await put(`images/${id}/update-data`, { jobData: { path: 'b.png' } }, 'PATCH');
    expect([data.status, data.json()]).toMatchObject([
      400,
      { message: expect.stringContaining('The data of a stored job stay as they are') },
    ]);
    const delay = await put(`images/${id}/delay`, { runAt: Date.now() }, 'PATCH');
    expect([delay.status, delay.text]).toEqual([
      400,
      expect.stringContaining('EDIT_NOT_SUPPORTED'),
    ]);
    const children = await put(`images/${id}/remove-unprocessed-children`);
    expect(children.status).toBe(400);
    expect(await images.job(id).refresh()).toMatchObject({ data: { path: 'a.png' } });
  });

  it('nothing on a queue that can only be read', async () => {
    const name = encodeURIComponent('rq:mails');
    for (const path of ['pause', 'empty', 'clean/failed', 'retry/failed', 'obliterate']) {
      expect((await put(`${name}/${path}`)).status).toBe(405);
    }
    expect((await post(`${api}/${name}/add`, { name: 'a', options: {} })).status).toBe(405);
    expect((await shown('rq:mails')).readOnlyMode).toBe(true);
  });
});

describe('the adapter', () => {
  it("shows what bull-board's formatters make of what is not secret", async () => {
    const adapter = new RqAdapter(images);
    const seen: unknown[] = [];
    adapter.setFormatter('data', (data) => (seen.push(data), { brief: true }));
    await images.pause();
    const { id } = await images.enqueue('scan', { path: 'a', password: 'hunter2' });

    const shownData = (await adapter.getJob(id))!.toJSON().data;
    expect(adapter.format('data', shownData)).toEqual({ brief: true });
    expect(seen).toEqual([{ path: 'a', password: '•••' }]);
  });

  it.each([
    ['queue', () => new RqAdapter(mails as never)],
    ['redact', () => new RqAdapter(images, { redact: 'password' as never })],
    ['inspector', () => new RqAdapter(images, { inspector: {} as never })],
    ['retries', () => new RqAdapter(images, { retries: 'all' as never })],
    ['readOnlyMode', () => new RqAdapter(images, { readOnlyMode: 'yes' as never })],
  ])('names what is wrong with %s', (option, make) => {
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(`new RqAdapter: ${option} must be`);
  });
});

describeInBrowser("the board's page", () => {
  it('shows the queue, a failed job and its error', async () => {
    await mails.add('welcome', { to: 'ada' });
    const { id } = await images.enqueue('scan', { path: 'x.png', password: 'hunter2' });
    const finished = await images.enqueue('resize', { path: 'a.png' });
    await ended(id, 'failed');
    await ended(finished.id, 'finished');
    await images.pause();
    const parent = await images.enqueue('resize', { path: 'b.png' });
    const child = await images.enqueue('resize', { path: 'c.png' }, { dependsOn: [parent] });
    await images.enqueueIn('1h', 'resize', { path: 'd.png' });

    const browser = await launch();
    try {
      const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const watched = new Watched(page, origin);
      await page.goto(`${origin}/queues`);
      await page.getByText('images').first().waitFor();
      await picture(page, 'bull-board-overview');
      await page.goto(`${origin}/queues/queue/images?status=failed`);
      await page.getByText('TypeError: no such file').first().waitFor();
      await picture(page, 'bull-board-failed');
      await page.goto(`${origin}/queues/queue/images?status=latest`);
      await page.getByText('d.png').first().waitFor();
      await picture(page, 'bull-board-latest');
      await page.goto(`${origin}/queues/queue/images/${child.id}`);
      await page.getByText('c.png').first().waitFor();
      await picture(page, 'bull-board-flow');
      // The board's page asks for fonts from elsewhere: that is not ours to judge.
      expect(watched.wrongs.filter((wrong) => wrong.startsWith('error: '))).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['RQ_PICTURES'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}
