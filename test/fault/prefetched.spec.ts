import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

/** Seconds: nobody loses one here. */
const LEASE = 3;

describe('jobs that a worker has prefetched', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  /** When the lease of a running job ends, seconds since the epoch. */
  async function leaseOf(id: string): Promise<number> {
    const leases = await scene.client.zrange('rq:wip:work', '0', '-1', 'WITHSCORES');
    const index = leases.findIndex((member) => member.startsWith(`${id}:`));
    return Number(leases[index + 1]);
  }

  // With a fixed number it prefetches for sure; by itself it does so when its jobs have been short.
  it.each([
    ['a number of', 5 as const],
    ['as many as it likes', 'auto' as const],
  ])('run on an idle worker when it turns out to be busy for long (%s)', async (_, prefetch) => {
    const quick = Array.from({ length: 200 }, (_job, number) => `quick-${number}`);
    const others = Array.from({ length: 30 }, (_job, number) => `other-${number}`);
    const ids = [...quick, 'long', ...others];
    await scene
      .queue()
      .enqueueMany(
        ids.map((id) => ({ name: 'act', data: { waits: id === 'long' }, options: { id } })),
      );
    const busy = await scene.worker('busy', { concurrency: 1, prefetch, lease: LEASE });
    await scene.when('run', { id: 'long' });
    await scene.worker('idle', { concurrency: 1, lease: LEASE });

    await scene.when('finished', { worker: 'idle', count: others.length });

    expect(scene.journal.of('finished', { id: 'long' })).toEqual([]);
    busy.go();
    await scene.when('finished', { id: 'long' });
    const runs = scene.journal.ids('run');
    expect(runs.toSorted()).toEqual(ids.toSorted());
    await scene.drained();
    expect(await scene.audit(ids.map((id) => ({ id })))).toEqual([]);
  });

  it('are not taken again and again by a worker that has no time for them', async () => {
    const ids = ['long', ...Array.from({ length: 20 }, (_job, number) => `next-${number}`)];
    await scene
      .queue()
      .enqueueMany(
        ids.map((id) => ({ name: 'act', data: { waits: id === 'long' }, options: { id } })),
      );
    const busy = await scene.worker('busy', { concurrency: 1, prefetch: 5, lease: LEASE });
    await scene.when('run', { id: 'long' });
    await scene.when('returned', { count: 5 });
    // By the time that its lease has been renewed twice they could have come and gone a dozen times.
    const end = await leaseOf('long');
    await eventually(async () => (await leaseOf('long')) > end + LEASE / 2, { what: 'renewals' });

    expect(scene.journal.of('returned').length).toBeLessThan(20);
    busy.go();
    await scene.when('finished', { count: ids.length });
    expect(scene.journal.ids('run')).toEqual(ids);
    expect(await scene.audit(ids.map((id) => ({ id })))).toEqual([]);
  });
});
