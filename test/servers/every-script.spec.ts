// Each script runs on each server that is supported: one application's life there, in which all of them have their part.
// `npm run check:servers` runs far more on them.
import { createHash } from 'node:crypto';
import { jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RqInspector } from '../../lib/observe/index.js';
import { parseInfo } from '../../lib/redis/server-audit.js';
import * as compiled from '../../lib/store/scripts/compiled.js';
import { Scheduler } from '../../lib/worker/index.js';
import { Engine } from '../integration/support/engine.js';
import { eventually } from '../support/wait.js';
import { describeServers } from './fetched-servers.js';

jest.setTimeout(90_000);

describeServers('every script', (server) => {
  const engine = Engine.forThisFile({ server });

  it('runs, and does what it is for', async () => {
    const { client, store } = engine;
    const runs: number[] = [];
    const worker = await engine.work(
      {
        ok: (data: unknown) => data,
        tells: async (_: unknown, job) => {
          await job.progress(0.5);
          await job.log('half of it');
          return job.id;
        },
        twice: (_: unknown, job) => {
          runs.push(job.attempt);
          if (job.attempt === 1) throw new Error('once');
          return 'second';
        },
        boom: () => {
          throw new Error('boom');
        },
        long: (_: unknown, job) =>
          new Promise((resolve) => job.signal.addEventListener('abort', () => resolve(undefined))),
        lane: { run: (data: unknown) => data, concurrency: { perKey: 1 } },
      },
      { lease: 3 },
    );
    const queue = engine.queue();

    // enqueue, exchange, watch, tell, renew
    expect(await (await queue.enqueue('ok', [1])).result({ timeout: 10 })).toEqual([1]);
    const told = await queue.enqueue('tells', null, { ttl: 60 });
    expect(await told.result({ timeout: 10 })).toBe(told.id);
    expect((await told.logs()).join()).toContain('half of it');
    const retry = { max: 1, interval: 0.05 };
    const twice = await queue.enqueue('twice', null, { retry, unique: { by: 'twice' } });
    expect(await twice.result({ timeout: 10 })).toBe('second');
    expect(runs).toEqual([1, 2]);
    const urgent = await queue.enqueueIn(0.05, 'ok', 2, { priority: 'high' });
    expect(await urgent.result({ timeout: 10 })).toBe(2);

    // control, list, position, empty
    const long = await queue.enqueue('long');
    await eventually(async () => (await long.status()) === 'started', { what: 'it to run' });
    const [, lease] = await client.zrange('rq:wip:jobs', '0', '0', 'WITHSCORES');
    await eventually(
      async () =>
        Number((await client.zrange('rq:wip:jobs', '0', '0', 'WITHSCORES'))[1]) > Number(lease),
      { what: 'a renewal' },
    );
    // The first may be that of the lease guard, which has a script of its own.
    await eventually(() => hasRun(client, compiled.renew), { what: 'a renewal by the worker' });
    await long.stop();
    await expect(long.result({ timeout: 10 })).rejects.toThrow('stopped by command');
    const failed = await queue.enqueue('boom');
    await expect(failed.result({ timeout: 10 })).rejects.toThrow('boom');
    expect(await queue.requeue({ in: 'failed', name: 'boom' })).toMatchObject({ done: 1 });
    await expect(failed.result({ timeout: 10 })).rejects.toThrow('boom');
    await eventually(async () => (await queue.jobs('failed')).length === 2, { what: 'both' });
    await queue.pause();
    const waiting = await queue.enqueue('ok');
    // The worker's read at the queue may have brought it; it goes back.
    await eventually(async () => (await waiting.position()) === 0, { what: 'it to wait' });
    expect(await queue.empty()).toBe(1);
    await queue.resume();

    // lanes, limits, limit-uses, may-start, waits
    await queue.setLimits({ handler: 'lane', key: 'b', concurrency: { perKey: 0 } });
    const kept = await queue.enqueue('lane', 1, { key: 'b' });
    const first = await queue.enqueue('lane', 2, { key: 'a' });
    expect(await first.result({ timeout: 10 })).toBe(2);
    expect((await queue.limits()).length).toBeGreaterThan(0);
    expect(await queue.lanes()).toHaveLength(1);
    expect(await kept.position()).toBe(0);
    expect(await kept.waitsFor()).toMatchObject([{ why: 'paused', scope: 'key', key: 'b' }]);
    expect((await new RqInspector(store).limits()).map(({ max }) => max)).toContain(0);
    expect((await store.limits.mayStart('jobs')).mayStart).toBe(false);
    await queue.setLimits({ handler: 'lane', key: 'b' });
    expect(await kept.result({ timeout: 10 })).toBe(1);

    // dependencies and groups: more of them than one step takes
    const parent = queue.prepare('ok', 'parent');
    const children = Array.from({ length: 700 }, () =>
      queue.prepare('ok', 0, { dependsOn: parent, group: 'g' }),
    );
    await queue.enqueueMany([parent, ...children]);
    const group = queue.group('g');
    const behind = await queue.enqueue('ok', 'behind', {
      dependsOn: { group: 'g', ifFailed: 'run' },
    });
    expect(await behind.result({ timeout: 20 })).toBe('behind');
    expect(await group.status()).toMatchObject({ total: 700, finished: 700 });

    // schedule, schedules
    const schedule = await queue.schedule('yearly', '@yearly', 'ok', 1, { immediately: true });
    await new Scheduler(store).catchUp();
    expect(await schedule.jobs()).toHaveLength(1);
    await queue.unschedule('yearly');

    // undelete
    const deleting = new RqInspector(store).delete('jobs', { in: 'failed' });
    expect(await deleting.report()).toMatchObject({ done: 2 });
    expect(await deleting.undo()).toMatchObject({ restored: 2 });

    // overview, workers, beat
    const inspector = new RqInspector(store);
    const { queues } = await inspector.overview();
    expect(queues.find(({ queue: name }) => name === 'jobs')).toMatchObject({ queued: 0 });
    expect(await inspector.workers()).toHaveLength(1);
    expect(worker.events.of('problem')).toEqual([]);
    await worker.stop();

    const missing: string[] = [];
    for (const script of Object.values(compiled)) {
      if (!(await hasRun(client, script))) missing.push(script.name);
    }
    expect(missing).toEqual([]);
    const info = parseInfo(await client.info());
    expect(server).toContain(
      (info.get('valkey_version') ?? info.get('redis_version'))?.slice(0, 3),
    );
  });
});

/** Redis knows the script, with or without its line of flags. */
async function hasRun(client: Redis, { text, flags }: CompiledScript): Promise<boolean> {
  const texts = [text, `#!lua flags=${flags}\n${text}`];
  const digests = texts.map((one) => createHash('sha1').update(one).digest('hex'));
  const known = (await client.script('EXISTS', ...(digests as [string]))) as number[];
  return known.includes(1);
}

type CompiledScript = (typeof compiled)[keyof typeof compiled];
