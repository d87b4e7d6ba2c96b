import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Load } from './load.js';
import { Scene } from './scene.js';

describe('two worker processes on one queue', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  it('run each job once, and share the work', async () => {
    await Promise.all([scene.worker('first'), scene.worker('second')]);
    const queue = scene.queue();
    const jobs = await queue.enqueueMany(
      Array.from({ length: 1000 }, () => ({ name: 'act', data: { takes: 2 } })),
    );

    await scene.drained();

    const ran = scene.journal.ids('run');
    expect(ran).toHaveLength(jobs.length);
    expect(new Set(ran)).toEqual(new Set(jobs.map(({ id }) => id)));
    for (const worker of ['first', 'second']) {
      expect(scene.journal.of('run', { worker }).length).toBeGreaterThan(100);
    }
    expect(await scene.audit(jobs.map(({ id }) => ({ id })))).toEqual([]);
  });

  it('keep all promises about jobs of all kinds', async () => {
    await Promise.all([scene.worker('first'), scene.worker('second')]);
    const load = new Load(scene.queue());
    await scene.when('finished', { count: 500 });
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
