// A queue of nestjs-rq on the newest bull-board, beside one of BullMQ: what is shown, over the board's own HTTP API, of which
// every answer is checked against the board's schemas, and as its page in Chromium shows it. RQ_PICTURES=folder writes what it
// sees there.
import { jest } from '@jest/globals';
import { InvalidOptionError, RqInspector } from 'nestjs-rq';
import { RqAdapter } from 'nestjs-rq/bull-board';
import type { Page } from 'playwright-core';
import { Watched, describeInBrowser, launch } from '../dashboard/support/browser.js';
import { send } from '../dashboard/support/requests.js';
import { eventually } from '../support/wait.js';
import { Board, type QueueAnswer } from './support/board.js';

// A page takes a while on a busy machine.
jest.setTimeout(180_000);

const board = Board.forThisFile();

describe('what is shown', () => {
  it('each queue with its counts, the ones of BullMQ and of nestjs-rq side by side', async () => {
    await board.mails.add('welcome', { to: 'ada' });
    await board.images.pause();
    await board.images.enqueue('resize', { path: 'a.png' });
    await board.images.enqueueIn('1h', 'resize', { path: 'b.png' });

    const answer = await send(board.api);
    const { queues } = answer.json<{ queues: QueueAnswer[] }>();

    expect(queues.map(({ name }) => name).toSorted()).toEqual(['images', 'mails', 'rq:mails']);
    expect(queues.find(({ name }) => name === 'mails')!.counts).toMatchObject({ waiting: 1 });
    expect(queues.find(({ name }) => name === 'images')).toMatchObject({
      counts: { waiting: 1, delayed: 1, active: 0, completed: 0, failed: 0, 'waiting-children': 0 },
      isPaused: true,
    });
  });

  it('a failed job: attempts, error, stacks, without what is secret', async () => {
    const { id } = await board.images.enqueue('scan', { path: 'x.png', password: 'hunter2' });
    await board.ended(id, 'failed');

    const { job, status } = await board.jobOf(id);

    expect(status).toBe('failed');
    expect(job).toMatchObject({
      name: 'scan',
      attempts: 2,
      isFailed: true,
      failedReason: 'TypeError: no such file: x.png, password=•••',
      data: { path: 'x.png', password: '•••' },
    });
    expect(job.stacktrace).toHaveLength(2);
    expect(job.stacktrace[0]).toContain('support/board.ts');
    expect(JSON.stringify(job)).not.toContain('hunter2');
    const [listed] = (await board.shown('images', 'failed')).jobs;
    expect(listed).toMatchObject({ id, failedReason: job.failedReason });
  });

  it('a finished job: result, log, progress, without what is secret', async () => {
    const data = { path: 'a.png', iban: 'DE02 1203 0000 0000 2020 51' };
    const { id } = await board.images.enqueue('resize', data);
    await board.ended(id, 'finished');

    const { job, status } = await board.jobOf(id);

    expect(status).toBe('completed');
    expect(job).toMatchObject({
      data: { path: 'a.png', iban: '•••' },
      returnValue: { thumbnail: 'a.png.small', apiKey: '•••' },
      progress: 40,
      isFailed: false,
      attempts: 1,
    });
    const logs = await send(`${board.api}/images/${id}/logs`);
    expect(logs.json<string[]>()).toEqual(['reads a.png with token=•••']);
  });

  it('pages: what has ended with the newest first, what waits with the next one first', async () => {
    await board.images.pause();
    const jobs = Array.from({ length: 25 }, (_, index) => ({
      name: 'resize' as const,
      data: { path: `${index}.png` },
    }));
    await board.images.enqueueMany(jobs);
    const paths = ({ jobs: found }: QueueAnswer) =>
      found.map(({ data }) => (data as { path: string }).path);

    const first = await board.shown('images', 'waiting');
    expect(first.pagination.pageCount).toBe(3);
    expect(paths(first)[0]).toBe('0.png');
    expect(paths(await board.shown('images', 'waiting', 3))).toEqual(
      [20, 21, 22, 23, 24].map((index) => `${index}.png`),
    );

    await board.images.cancel({ in: 'queued' });
    const failing = Array.from({ length: 12 }, (_, index) => ({
      name: 'scan' as const,
      data: { path: `${index}.png` },
      options: { retry: false as const },
    }));
    await board.images.enqueueMany(failing);
    await board.images.resume();
    await eventually(async () => (await board.images.counts()).failed === 12, {
      what: 'all to fail',
    });
    const newest = await board.shown('images', 'failed');
    const oldest = await board.shown('images', 'failed', 2);
    expect(newest.jobs).toHaveLength(10);
    expect(oldest.jobs).toHaveLength(2);
    const listed = [...newest.jobs, ...oldest.jobs].map(({ id }) => id);
    const stored = (await board.images.jobs('failed')).map(({ id }) => id);
    expect(listed).toEqual(stored.toReversed());
  });

  it('when a delayed job is due, what a deferred one waits for, and a canceled one as unknown', async () => {
    await board.images.pause();
    const delayed = await board.images.enqueueIn('1h', 'resize', { path: 'a.png' });
    const parent = await board.images.enqueue('resize', { path: 'b.png' });
    const child = await board.images.enqueue('resize', { path: 'c.png' }, { dependsOn: [parent] });
    const canceled = await board.images.enqueue('drop');
    await canceled.cancel();

    const [listed] = (await board.shown('images', 'delayed')).jobs;
    expect(listed).toMatchObject({ id: delayed.id });
    expect(Math.round(listed!.delay! / 60_000)).toBe(60);
    expect((await board.jobOf(child.id)).status).toBe('waiting-children');
    const flow = await send(`${board.api}/images/${child.id}/flow`);
    expect(flow.json()).toMatchObject({
      nodeId: child.id,
      isFlowNode: true,
      flowRoot: { id: child.id, children: [{ id: parent.id, state: 'waiting' }] },
    });
    expect((await board.jobOf(canceled.id)).status).toBe('unknown');
  });

  it('workers and the attempts of the last hours, with an inspector; without one that they are unknown', async () => {
    const { id } = await board.images.enqueue('resize', { path: 'a.png' });
    await board.ended(id, 'finished');
    await eventually(async () => (await board.shown()).hasWorkers, {
      what: 'the worker to show itself',
    });

    const workers = (await send(`${board.api}/images/workers`)).json<{
      workers: { name: string }[];
    }>();
    expect(workers.workers.map(({ name }) => name)).toEqual([expect.stringContaining('web-1')]);
    expect((await board.shown('rq:mails')).hasWorkers).toBeNull();
    const metrics = (await send(`${board.api}/images/metrics`)).json<{
      completed: { data: number[] };
    }>();
    expect(metrics.completed.data.length).toBeGreaterThan(100);
    expect((await send(`${board.api}/${encodeURIComponent('rq:mails')}/metrics`)).json()).toEqual({
      completed: null,
      failed: null,
    });
  });

  it('no job of another queue, and none under an id that cannot be', async () => {
    const other = await board.app.get(RqInspector).queue('others').enqueue('secret', { a: 1 });
    for (const id of [other.id, 'no-such-job', 'not%20an%20id']) {
      expect((await send(`${board.api}/images/${id}`)).status).toBe(404);
    }
    expect((await send(`${board.api}/images/${other.id}/logs`)).json()).toEqual([]);
  });

  it('a job that only Python can read', async () => {
    await board.images.pause();
    const { id } = await board.images.enqueue('resize', { path: 'a.png' });
    await board.redis
      .client()
      .hset(`rq:job:${id}`, 'data', Buffer.from('\x80\x04pickle', 'latin1'));

    expect((await board.jobOf(id)).job.data).toEqual({ unreadable: expect.stringContaining(id) });
    expect((await board.shown('images', 'waiting')).jobs).toHaveLength(1);
  });
});

describe('the adapter', () => {
  it("shows what bull-board's formatters make of what is not secret", async () => {
    const adapter = new RqAdapter(board.images);
    const seen: unknown[] = [];
    adapter.setFormatter('data', (data) => (seen.push(data), { brief: true }));
    await board.images.pause();
    const { id } = await board.images.enqueue('scan', { path: 'a', password: 'hunter2' });

    const shownData = (await adapter.getJob(id))!.toJSON().data;
    expect(adapter.format('data', shownData)).toEqual({ brief: true });
    expect(seen).toEqual([{ path: 'a', password: '•••' }]);
  });

  it.each([
    ['queue', () => new RqAdapter(board.mails as never)],
    ['redact', () => new RqAdapter(board.images, { redact: 'password' as never })],
    ['inspector', () => new RqAdapter(board.images, { inspector: {} as never })],
    ['retries', () => new RqAdapter(board.images, { retries: 'all' as never })],
    ['readOnlyMode', () => new RqAdapter(board.images, { readOnlyMode: 'yes' as never })],
  ])('names what is wrong with %s', (option, make) => {
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(`new RqAdapter: ${option} must be`);
  });
});

describeInBrowser("the board's page", () => {
  it('shows the queue, a failed job and its error', async () => {
    await board.mails.add('welcome', { to: 'ada' });
    const { id } = await board.images.enqueue('scan', { path: 'x.png', password: 'hunter2' });
    const finished = await board.images.enqueue('resize', { path: 'a.png' });
    await board.ended(id, 'failed');
    await board.ended(finished.id, 'finished');
    await board.images.pause();
    const parent = await board.images.enqueue('resize', { path: 'b.png' });
    const child = await board.images.enqueue('resize', { path: 'c.png' }, { dependsOn: [parent] });
    await board.images.enqueueIn('1h', 'resize', { path: 'd.png' });

    const browser = await launch();
    try {
      const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const watched = new Watched(page, board.origin);
      await page.goto(`${board.origin}/queues`);
      await page.getByText('images').first().waitFor();
      await picture(page, 'bull-board-overview');
      await page.goto(`${board.origin}/queues/queue/images?status=failed`);
      await page.getByText('TypeError: no such file').first().waitFor();
      await picture(page, 'bull-board-failed');
      await page.goto(`${board.origin}/queues/queue/images?status=latest`);
      await page.getByText('d.png').first().waitFor();
      await picture(page, 'bull-board-latest');
      await page.goto(`${board.origin}/queues/queue/images/${child.id}`);
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
