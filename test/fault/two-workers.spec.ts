import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Load } from './load.js';
import { Scene } from './scene.js';

/** Seconds: nobody loses a lease here. */
const LEASE = 5;

describe('two worker processes on one queue', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  it('run each job once, and share the work', async () => {
    // So few at a time that all together take seconds: each gets the processor meanwhile.
    const settings = { concurrency: 1, lease: LEASE };
    await Promise.all([scene.worker('first', settings), scene.worker('second', settings)]);
    const queue = scene.queue();
    const jobs = await queue.enqueueMany(
      Array.from({ length: 1000 }, () => ({ name: 'act', data: { takes: 4 } })),
    );

    await scene.drained({ timeout: 30_000 });

    const ran = scene.journal.ids('run');
    expect(ran).toHaveLength(jobs.length);
    expect(new Set(ran)).toEqual(new Set(jobs.map(({ id }) => id)));
    for (const worker of ['first', 'second']) {
      expect(scene.journal.of('run', { worker }).length).toBeGreaterThan(100);
    }
    expect(await scene.audit(jobs.map(({ id }) => ({ id })))).toEqual([]);
  });

  it('keep all promises about jobs of all kinds', async () => {
    const settings = { lease: LEASE };
    await Promise.all([scene.worker('first', settings), scene.worker('second', settings)]);
    const load = new Load(scene.queue());
    await scene.when('finished', { count: 500, timeout: 30_000 });
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(load.rejected).toBe(0);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
    // Nothing went wrong, so it is known exactly how often each job ran.
    const runs = scene.journal.of('run').length;
    const kinds = load.acknowledged.map(({ id }) => Number(id.split('-')[1]) % 10);
    const reruns = kinds.reduce((sum, kind) => sum + (kind === 1 ? 1 : kind === 3 ? 2 : 0), 0);
    expect(runs).toBe(load.acknowledged.length + reruns);
    expect(scene.journal.of('problem')).toEqual([]);
  });
});
