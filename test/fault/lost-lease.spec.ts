import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Scene } from './scene.js';

describe('a worker that stands still for longer than its lease', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  it('because a handler blocks the event loop, keeps its jobs as long as their timeouts allow', async () => {
    await scene.worker('blocked', { lease: 2 });
    const queue = scene.queue();
    // While it runs, the thread that keeps the leases has time to start.
    await (await queue.enqueue('act', { takes: 700 }, { id: 'first' })).result({ timeout: 10 });
    const job = await queue.enqueue('act', { blocks: 3500 }, { id: 'busy' });
    await scene.when('run', { id: 'busy' });
    await scene.worker('idle', { lease: 2 });

    expect(await job.result({ timeout: 10 })).toEqual({ worker: 'blocked', attempt: 1 });
    expect(scene.journal.ids('run')).toEqual(['first', 'busy']);
    expect(await scene.audit([{ id: 'first' }, { id: 'busy' }])).toEqual([]);
  });

  it('because a handler blocks the event loop beyond its timeout, cannot settle any more', async () => {
    await scene.worker('blocked', { lease: 0.5 });
    const queue = scene.queue();
    const options = { id: 'stuck', timeout: 0.3, retry: { max: 3, interval: 0 } };
    const blocksUntil = scene.file('the blocked one may go on');
    const job = await queue.enqueue('act', { blocksUntil }, options);
    await scene.when('run', { worker: 'blocked' });
    // The other worker would be blocked as well: there the same job shall end at once.
    const data = JSON.stringify(['act', null, [{}], {}]);
    await scene.client.hset('rq:job:stuck', 'data', data);
    await scene.worker('idle');

    expect(await job.result({ timeout: 10 })).toEqual({ worker: 'idle', attempt: 2 });
    // The blocked one is still in the middle of it, and hears now that it comes too late.
    expect(scene.journal.of('end', { worker: 'blocked' })).toEqual([]);
    writeFileSync(blocksUntil, '');
    await scene.when('lost', { worker: 'blocked', id: 'stuck' });
    await scene.when('end', { worker: 'blocked' });
    await scene.when('finished');
    expect(scene.journal.of('finished')).toHaveLength(1);
    expect(scene.journal.of('retrying')).toEqual([]);
    expect(await job.result()).toEqual({ worker: 'idle', attempt: 2 });
    expect(await scene.audit([{ id: 'stuck', retries: 3 }])).toEqual([]);
  });

  it('because its process is stopped, is told by the signal of the job, and serves on', async () => {
    const stopped = await scene.worker('stopped');
    const queue = scene.queue();
    const job = await queue.enqueue(
      'act',
      { waits: true },
      { id: 'long', retry: { max: 3, interval: 0 } },
    );
    await scene.when('run', { worker: 'stopped' });
    const other = await scene.worker('other');
    other.go();
    stopped.freeze();

    expect(await job.result({ timeout: 10 })).toEqual({ worker: 'other', attempt: 2 });
    stopped.thaw();

    const { id, attempt, reason } = await scene.when('aborted', { worker: 'stopped' });
    expect({ id, attempt, reason }).toEqual({ id: 'long', attempt: 1, reason: 'LostLeaseError' });
    await scene.when('lost', { worker: 'stopped', id: 'long' });
    await other.stop();
    const next = await queue.enqueue('act', {});
    expect(await next.result({ timeout: 10 })).toEqual({ worker: 'stopped', attempt: 1 });
    expect(scene.journal.of('lost')).toHaveLength(1);
    expect(scene.journal.of('finished', { id: 'long' })).toHaveLength(1);
    expect(await scene.audit([{ id: 'long', retries: 3 }, { id: next.id }])).toEqual([]);
  });

  it('because its process is stopped just before it settles, changes nothing by settling late', async () => {
    const stopped = await scene.worker('stopped');
    const queue = scene.queue();
    const ids = Array.from({ length: 10 }, (_, number) => `late-${number}`);
    await Promise.all(
      ids.map((id, number) =>
        // Some would be retried, some would be finished, by the late outcome.
        queue.enqueue(
          'act',
          { waits: true, fails: number % 2 },
          { id, retry: { max: 3, interval: 0 } },
        ),
      ),
    );
    await scene.when('run', { count: ids.length });
    stopped.freeze();
    const other = await scene.worker('other');
    other.go();
    await scene.when('finished', { worker: 'other', count: ids.length });
    // Its jobs end before it has heard of anything.
    stopped.go();
    stopped.thaw();

    await scene.when('lost', { worker: 'stopped', count: ids.length });
    expect(scene.journal.of('finished')).toHaveLength(ids.length);
    expect(scene.journal.of('finished', { worker: 'stopped' })).toEqual([]);
    await scene.drained();
    expect(await scene.audit(ids.map((id) => ({ id, retries: 3 })))).toEqual([]);
  });
});
