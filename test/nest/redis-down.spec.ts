import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Job, RqConnectionError, RqModule, RqService } from 'nestjs-rq';
import { LATENESS } from '../support/timing.js';
import { eventually, within } from '../support/wait.js';
import { Applications } from './support/applications.js';

// Above the deadlines within a test.
jest.setTimeout(90_000);

const applications = Applications.forThisFile();

@Injectable()
class Jobs {
  @Job('work')
  work() {
    return 'done';
  }
}

@Injectable()
class MoreJobs {
  @Job('images')
  resize() {}

  @Job('mail')
  send() {}
}

const ALL = ['images', 'mail', 'work'];

const metadata = (options = {}) => ({
  imports: [
    RqModule.forRoot(applications.root({ connectTimeout: '200ms', commandTimeout: 1, ...options })),
  ],
  providers: [Jobs],
});

describe('Redis down at bootstrap', () => {
  it("'fail' stops the bootstrap after connectTimeout, with one clear line", async () => {
    await applications.redis.kill();
    const { app, logs } = await applications.create(metadata());
    const start = Date.now();
    await expect(app.init()).rejects.toThrow(RqConnectionError);
    expect(Date.now() - start).toBeLessThan(5000);
    expect(logs.ours).toHaveLength(1);
    expect(logs.ours[0]).toMatch(/^error RqModule: Could not connect to Redis: .*onRedisDown/);
    await within(app.close(), { what: 'the application to close' });
  });

  it('no line holds the URL or the password', async () => {
    await applications.redis.kill();
    const connection = `redis://user:secret@${applications.redis.host}:${applications.redis.port}`;
    const { app, logs } = await applications.create(metadata({ connection }));
    const start = app.init();
    await expect(start).rejects.toThrow(RqConnectionError);
    await expect(start).rejects.not.toThrow(/secret/);
    expect(logs.lines.join('\n')).not.toContain('secret');
  });

  it("'wait' goes on trying, says so, and starts when Redis is there", async () => {
    await applications.redis.kill();
    const { app, logs } = await applications.create(metadata({ onRedisDown: 'wait' }));
    const started = app.init();
    await eventually(() => logs.ours.length >= 2, { what: 'two lines about the wait' });
    expect(logs.ours[0]).toMatch(/^warn RqModule: Waiting for Redis for \d+ms now/);

    await applications.redis.restart();
    await within(started, { what: 'the application to start' });
    expect(logs.ours.join('\n')).toMatch(/log RqModule: Redis is reachable, after/);
    const job = await app.get(RqService).queue('work').enqueue('work');
    expect(await job.result({ timeout: 10 })).toBe('done');
  });

  it('closing does not wait for what waits for Redis', async () => {
    await applications.redis.kill();
    const { app, logs } = await applications.create(metadata({ onRedisDown: 'wait' }));
    const refusal = app.init().catch((error: Error) => error.message);
    await eventually(() => logs.ours.length >= 1, { what: 'a line about the wait' });
    await within(app.close(), { what: 'the application to close', timeout: 6000 });
    expect(await refusal).toMatch(/before the application was closed/);
  });
});

describe('Redis down later', () => {
  it('enqueue rejects within commandTimeout', async () => {
    const { app } = await applications.start(metadata());
    await applications.redis.kill();
    const start = Date.now();
    const enqueued = app.get(RqService).queue('work').enqueue('work');
    await expect(enqueued).rejects.toThrow(RqConnectionError);
    expect(Date.now() - start).toBeLessThan(1000 + LATENESS);
  });

  it('is logged once, and so is its return; the worker goes on by itself', async () => {
    const { app, logs } = await applications.start(metadata());
    await applications.redis.kill();
    await eventually(() => logs.ours.some((line) => line.startsWith('error RqWorker')), {
      what: 'a line about the problem',
    });
    await applications.redis.restart();
    await eventually(() => logs.ours.at(-1)!.startsWith('log RqWorker'), {
      what: 'a line about the return',
      timeout: 15_000,
    });
    const job = await app.get(RqService).queue('work').enqueue('work');
    expect(await job.result({ timeout: 10 })).toBe('done');
    const problems = logs.ours.filter((line) => line.startsWith('error'));
    expect(problems).toHaveLength(new Set(problems).size);
  });

  it('is one line for all queues, with their names, and one when they are served again', async () => {
    const { app, logs } = await applications.start({ ...metadata(), providers: [Jobs, MoreJobs] });
    const lines = (what: RegExp) => logs.ours.filter((line) => what.test(line));
    await applications.redis.kill();
    await eventually(() => lines(/cannot be/).length > 0, { what: 'a line about the problem' });
    await applications.redis.restart();
    await eventually(() => lines(/served again/).length > 0, {
      what: 'a line about the return',
      timeout: 25_000,
    });
    await app.close();
    const names = (told: string[]) =>
      told
        .join()
        .match(/images|mail|work/g)
        ?.toSorted();
    // A slow machine may take long for one of them: it has a line of its own then.
    expect(names(lines(/^error RqWorker: Queues? [a-z, ]+ cannot be served: /))).toEqual(ALL);
    expect(
      names(lines(/^log RqWorker: Queues? [a-z, ]+ (is|are) served again, after \d+/)),
    ).toEqual(ALL);
    expect(lines(/cannot be/).length).toBeLessThan(ALL.length);
    expect(lines(/(images|mail|work)"/)).toEqual([]);
  });

  it('closing does not hang', async () => {
    const { app } = await applications.start(metadata({ shutdownTimeout: 1 }));
    await applications.redis.kill();
    const closed = within(app.close(), { what: 'the application to close', timeout: 8000 });
    await expect(closed).resolves.toBeUndefined();
  });
});
