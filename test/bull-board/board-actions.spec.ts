// What can be done to a queue of nestjs-rq on the newest bull-board, over the board's own HTTP API.
import { jest } from '@jest/globals';
import { post, send } from '../dashboard/support/requests.js';
import { Board } from './support/board.js';

jest.setTimeout(90_000);

const board = Board.forThisFile();

describe('what can be done', () => {
  it('retry of one job, and of all', async () => {
    const jobs = await board.images.enqueueMany(
      ['a', 'b', 'c'].map((path) => ({ name: 'scan', data: { path }, options: { retry: false } })),
    );
    await Promise.all(jobs.map(({ id }) => board.ended(id, 'failed')));
    await board.images.pause();

    expect((await board.put(`images/${jobs[0]!.id}/retry`)).status).toBe(204);
    expect(await board.images.counts()).toMatchObject({ queued: 1, failed: 2 });
    const all = await board.put('images/retry/failed');
    expect(all.json()).toEqual({ retried: 2, skipped: 0 });
    expect(await board.images.counts()).toMatchObject({ queued: 3, failed: 0 });
    const refused = await board.put(`images/${jobs[0]!.id}/retry`);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('NOT_RETRIABLE')]);
  });

  it('retry of a finished job', async () => {
    const { id } = await board.images.enqueue('resize', { path: 'a.png' });
    await board.ended(id, 'finished');
    await board.images.pause();

    expect((await board.put(`images/${id}/retry`)).status).toBe(204);

    expect(await board.images.job(id).status()).toBe('queued');
  });

  it('promote of one job, and of all', async () => {
    await board.images.pause();
    const one = await board.images.enqueueIn('1h', 'resize', { path: 'a.png' });
    await board.images.enqueueIn('2h', 'resize', { path: 'b.png' });
    await board.images.enqueueIn('3h', 'resize', { path: 'c.png' });

    expect((await board.put(`images/${one.id}/promote`)).status).toBe(204);
    expect(await board.images.counts()).toMatchObject({ queued: 1, scheduled: 2 });
    const again = await board.put(`images/${one.id}/promote`);
    expect(again.status).toBe(204);
    expect((await board.put('images/promote')).status).toBe(200);
    expect(await board.images.counts()).toMatchObject({ queued: 3, scheduled: 0 });
  });

  it('remove; a running job stays, as in BullMQ', async () => {
    const running = await board.images.enqueue('render');
    await board.ended(running.id, 'started');
    const refused = await board.put(`images/${running.id}/clean`);
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('JOB_IS_ACTIVE')]);
    expect(await running.status()).toBe('started');
    await running.cancel();

    const { id } = await board.images.enqueueIn('1h', 'resize', { path: 'a.png' });
    expect((await board.put(`images/${id}/clean`)).status).toBe(204);
    expect(await board.images.getJob(id)).toBeUndefined();
  });

  it('clean of a status, sparing what has just come', async () => {
    const { id } = await board.images.enqueue('scan', { path: 'a' }, { retry: false });
    await board.ended(id, 'failed');
    await board.images.enqueueIn('1h', 'resize', { path: 'a.png' });

    await board.put('images/clean/failed'); // the board spares what is younger than 5 seconds
    expect(await board.images.counts()).toMatchObject({ failed: 1 });
    await board.redis.client().hset(`rq:job:${id}`, 'ended_at', '2026-01-01T00:00:00.000000Z');
    expect((await board.put('images/clean/failed')).status).toBe(200);
    expect(await board.images.counts()).toMatchObject({ failed: 0, scheduled: 1 });
    expect((await board.put('images/clean/delayed')).status).toBe(200);
    expect(await board.images.counts()).toMatchObject({ scheduled: 0 });
    const refused = await board.put('images/clean/active');
    expect([refused.status, refused.json()]).toMatchObject([
      400,
      { message: 'Queue "images" is one of nestjs-rq. Jobs that are active cannot be cleaned.' },
    ]);
  });

  it('pause, resume, empty, and pause of all but those that can only be read', async () => {
    await board.put('images/pause');
    await board.images.enqueue('resize', { path: 'a.png' });
    expect(await board.shown()).toMatchObject({ isPaused: true, counts: { waiting: 1 } });
    await board.put('images/empty');
    await board.put('images/resume');
    expect(await board.shown()).toMatchObject({ isPaused: false, counts: { waiting: 0 } });

    await board.put('pause');
    expect((await board.shown()).isPaused).toBe(true);
    expect((await board.shown('rq:mails')).isPaused).toBe(false);
  });

  it("add a job, with BullMQ's options or our own", async () => {
    await board.images.pause();
    const options = { attempts: 3, backoff: { type: 'fixed', delay: 5000 }, delay: 60_000 };
    const added = await post(`${board.api}/images/add`, {
      name: 'resize',
      data: { path: 'a.png' },
      options: { ...options, jobId: 'by-hand' },
    });
    expect(added.json()).toMatchObject({
      job: { id: 'by-hand', name: 'resize' },
      status: 'delayed',
    });
    expect(await board.images.job('by-hand').refresh()).toMatchObject({ retriesLeft: 2 });
    const [job] = await board.images.jobs('scheduled');
    expect(Math.round((job!.dueAt!.getTime() - Date.now()) / 10_000)).toBe(6);

    const own = { id: 'ours', retry: { max: 5, interval: '1m' }, timeout: '5m', delay: '2h' };
    await post(`${board.api}/images/add`, { name: 'resize', data: {}, options: own });
    expect(await board.images.job('ours').refresh()).toMatchObject({ retriesLeft: 5 });
  });

  it.each([
    [{ priority: 3 }, `It does not know BullMQ's option priority: give 'high', 'normal' or 'low'`],
    [{ removeOnFail: 100 }, `option removeOnFail: jobs are kept for a time here`],
    [{ deduplication: { id: 'a' } }, `option deduplication: give unique.`],
    [{ attempts: 3, backoff: { type: 'own' } }, `option backoff: it must be { type:`],
    [{ attempts: 3, retry: false }, `option attempts: retry is given, too`],
    [{ nonsense: true }, 'nonsense'],
  ])('no job with %j: the sentence says why', async (options, sentence) => {
    const answer = await post(`${board.api}/images/add`, { name: 'resize', data: {}, options });
    expect(answer.status).toBe(400);
    expect(answer.json<{ message: string }>().message).toContain(sentence);
    expect(await board.images.counts()).toMatchObject({ queued: 0, scheduled: 0 });
  });

  it('duplicate: what the board was shown can be enqueued again, but nothing that was blanked', async () => {
    await board.images.pause();
    const { id } = await board.images.enqueueIn(
      '1h',
      'resize',
      { path: 'a.png' },
      { retry: { max: 2 } },
    );
    const { job } = await board.jobOf(id);
    const again = await post(`${board.api}/images/add`, {
      name: job.name,
      data: job.data,
      options: job.opts,
    });
    expect([again.status, again.text]).toEqual([200, expect.anything()]);
    expect((await board.images.counts()).queued + (await board.images.counts()).scheduled).toBe(2);

    const blanked = { name: 'scan', data: { password: '•••' }, options: {} };
    const refused = await post(`${board.api}/images/add`, blanked);
    expect(refused.status).toBe(400);
    expect(refused.json<{ message: string }>().message).toContain('where a secret was blanked');
  });

  it('obliterate: all jobs and schedules at run time; with running ones only if it is forced', async () => {
    await board.images.schedule('hourly', { every: '1h' }, 'nightly');
    const running = await board.images.enqueue('render');
    await board.ended(running.id, 'started');
    await board.images.pause();
    await board.images.enqueue('resize', { path: 'a.png' });

    expect((await board.put('images/obliterate')).status).toBe(409);
    expect((await board.put('images/obliterate', { force: true })).status).toBe(200);

    const { queued, started, scheduled } = await board.images.counts();
    expect([queued, started, scheduled]).toEqual([0, 0, 0]);
    expect((await board.images.schedules()).map(({ id }) => id)).toEqual(['images-nightly']);
  });

  it('schedules: seen, run now, removed; what stands in code stays', async () => {
    await board.images.schedule('hourly', { every: '1h' }, 'resize', { path: 'a.png' });
    await board.images.pause();
    const { schedulers } = (await send(`${board.origin}/queues/api/job-schedulers`)).json<{
      schedulers: Record<string, unknown>[];
    }>();
    expect(schedulers).toContainEqual(
      expect.objectContaining({ id: 'hourly', queueName: 'images', every: 3_600_000 }),
    );

    const run = await board.put('images/job-schedulers/hourly/run');
    expect(run.json()).toMatchObject({ job: { name: 'resize' } });
    const edit = await board.put('images/job-schedulers/hourly', { every: 5 }, 'PATCH');
    expect([edit.status, edit.text]).toEqual([405, expect.stringContaining('EDIT_NOT_SUPPORTED')]);
    expect((await board.put('images/job-schedulers/hourly/remove')).status).toBe(204);
    expect((await board.put('images/job-schedulers/hourly/remove')).status).toBe(404);
    const inCode = await board.put('images/job-schedulers/images-nightly/remove');
    expect([inCode.status, inCode.text]).toEqual([400, expect.stringContaining('stands in code')]);
  });

  it('concurrency and rate of the whole queue, each without the other', async () => {
    await board.put('images/concurrency', { concurrency: 5 });
    await board.put('images/rate-limit', { max: 10, duration: 60_000 });
    expect((await board.shown()).globalConcurrency).toBe(5);
    expect((await send(`${board.api}/images/rate-limit`)).json()).toEqual({
      supported: true,
      rateLimit: { max: 10, duration: 60_000 },
    });

    await board.put('images/concurrency', { concurrency: 0 });
    expect(await board.images.limits()).toEqual([
      expect.objectContaining({ from: 'set', rateLimit: { max: 10, per: 60 } }),
    ]);
    await board.put('images/rate-limit', { max: null });
    expect(await board.images.limits()).toEqual([]);
    const refused = await board.put('images/rate-limit/release');
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('set another')]);
  });

  it('what has no meaning here is refused', async () => {
    await board.images.pause();
    const { id } = await board.images.enqueue('resize', { path: 'a.png' });
    const data = await board.put(
      `images/${id}/update-data`,
      { jobData: { path: 'b.png' } },
      'PATCH',
    );
    expect([data.status, data.json()]).toMatchObject([
      400,
      { message: expect.stringContaining('The data of a stored job stay as they are') },
    ]);
    const delay = await board.put(`images/${id}/delay`, { runAt: Date.now() }, 'PATCH');
    expect([delay.status, delay.text]).toEqual([
      400,
      expect.stringContaining('EDIT_NOT_SUPPORTED'),
    ]);
    const children = await board.put(`images/${id}/remove-unprocessed-children`);
    expect(children.status).toBe(400);
    expect(await board.images.job(id).refresh()).toMatchObject({ data: { path: 'a.png' } });
  });

  it('nothing on a queue that can only be read', async () => {
    const name = encodeURIComponent('rq:mails');
    for (const path of ['pause', 'empty', 'clean/failed', 'retry/failed', 'obliterate']) {
      expect((await board.put(`${name}/${path}`)).status).toBe(405);
    }
    expect((await post(`${board.api}/${name}/add`, { name: 'a', options: {} })).status).toBe(405);
    expect((await board.shown('rq:mails')).readOnlyMode).toBe(true);
  });
});
