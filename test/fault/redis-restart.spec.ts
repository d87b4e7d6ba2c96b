import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EARLINESS, LATENESS } from '../support/timing.js';
import { Load } from './load.js';
import { Scene } from './scene.js';

describe('Redis that goes away and comes back', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open({ appendonly: true, args: ['--appendfsync', 'always'] });
  });

  afterEach(async () => {
    await scene.close();
  });

  it.each([
    ['orderly', () => scene.redis.restart()],
    [
      'by SIGKILL',
      async () => {
        await scene.redis.kill();
        await scene.redis.restart();
      },
    ],
  ])('%s, under load, loses nothing that was acknowledged', async (_, restart) => {
    const workers = await Promise.all([scene.worker('first'), scene.worker('second')]);
    const pids = workers.map(({ child }) => child.pid);
    const load = new Load(scene.queue('work', { commandTimeout: 1000 }));
    for (let round = 1; round <= 2; round++) {
      await scene.when('finished', { count: scene.journal.of('finished').length + 100 });
      await restart();
    }
    const back = Date.now();
    await scene.when('finished', { count: scene.journal.of('finished').length + 100 });
    const next = scene.journal.of('run').find(({ at }) => at > back);
    expect(next && next.at - back).toBeLessThan(LATENESS);
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
    expect(workers.map(({ child }) => child.pid)).toEqual(pids);
    // Each kind of trouble is told once a time, not at every attempt.
    for (const worker of ['first', 'second']) {
      expect(scene.journal.of('problem', { worker }).length).toBeLessThan(20);
    }
  });

  it('only seems to be away, and does in the end what nobody waits for any more', async () => {
    const connection = { commandTimeout: 500 };
    await Promise.all([
      scene.worker('first', { connection }),
      scene.worker('second', { connection }),
    ]);
    const load = new Load(scene.queue('work', connection));
    for (let round = 1; round <= 2; round++) {
      await scene.when('finished', { count: scene.journal.of('finished').length + 100 });
      const uncertain = load.uncertain;
      process.kill(scene.redis.pid, 'SIGSTOP');
      try {
        await load.trouble(uncertain + 1);
      } finally {
        process.kill(scene.redis.pid, 'SIGCONT');
      }
    }
    await scene.when('finished', { count: scene.journal.of('finished').length + 100 });
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
  });

  it('wakes an idle worker for a new job all the same', async () => {
    await scene.worker('idle', { lease: 15 });
    const queue = scene.queue();
    const first = await queue.enqueue('act', {});
    await first.result({ timeout: 10 });
    await scene.redis.restart();

    for (const id of ['second', 'third']) {
      const begun = Date.now();
      const job = await queue.enqueue('act', {}, { id });
      await job.result({ timeout: 10 });
      const run = await scene.when('run', { id });
      expect(run.at - begun).toBeLessThan(LATENESS);
    }
    expect(await scene.audit([first, { id: 'second' }, { id: 'third' }])).toEqual([]);
  });

  it('lets many calls fail in time, and without a word on the output', async () => {
    const worker = await scene.worker('worker', { connection: { commandTimeout: 500 } });
    await scene.redis.kill();

    const begun = performance.now();
    const errors = await worker.enqueueInVain(50);

    expect(errors).toEqual(Array(50).fill('RqConnectionError'));
    expect(performance.now() - begun).toBeLessThan(500 + LATENESS);
    await scene.redis.restart();
  });

  it('runs what became due in the meantime, and keeps the time of what did not', async () => {
    await scene.worker('worker', { lease: 15 });
    const queue = scene.queue();
    const early = await queue.enqueueIn('100ms', 'act', {}, { id: 'early' });
    const begun = Date.now();
    const late = await queue.enqueueIn(2, 'act', {}, { id: 'late' });
    await scene.redis.kill();
    await scene.redis.restart();

    await early.result({ timeout: 10 });
    await late.result({ timeout: 10 });
    const { at } = await scene.when('run', { id: 'late' });
    expect(at - begun).toBeGreaterThanOrEqual(2000 - EARLINESS);
    expect(at - begun).toBeLessThan(2000 + LATENESS);
    expect(await scene.audit([early, late])).toEqual([]);
  });
});
