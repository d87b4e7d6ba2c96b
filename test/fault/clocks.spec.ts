// Clocks of machines that are wrong, or are set while jobs run: Redis's clock decides over leases and due times.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EARLINESS, LATENESS } from '../support/timing.js';
import { Load } from './load.js';
import { Scene } from './scene.js';

const HOUR = 3_600_000;
/** Seconds: longer than a process on a busy machine may stand still. */
const LEASE = 2;
/** Seconds after which leases have ended that were not renewed with the wrong clock. */
const DELAY = 2.5;

describe("a worker's clock that is set while it works", () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(() => scene.close());

  it.each([
    ['forth', HOUR],
    ['back', -HOUR],
  ])('an hour %s costs no lease, and runs nothing early or late', async (_, shift) => {
    const [wrong, right] = await Promise.all([
      scene.worker('wrong', { lease: LEASE }),
      scene.worker('right', { lease: LEASE }),
    ]);
    const queue = scene.queue();
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) await queue.enqueue('act', { waits: true }, { id, timeout: 60 });
    await scene.when('run', { count: ids.length });
    const load = new Load(queue, 4);
    await scene.when('finished', { worker: 'wrong', count: 20 });
    const begun = Date.now();
    const later = await queue.enqueueIn(DELAY, 'act', {}, { id: 'later' });
    wrong.shiftClock(shift);

    const { at } = await scene.when('run', { id: later.id });
    expect(at - begun).toBeGreaterThan(DELAY * 1000 - EARLINESS);
    expect(at - begun).toBeLessThan(DELAY * 1000 + LATENESS);
    await scene.when('finished', {
      worker: 'wrong',
      count: scene.journal.of('finished', { worker: 'wrong' }).length + 20,
    });
    wrong.shiftClock(0);
    await load.stop();
    wrong.go();
    right.go();
    await scene.drained();
    for (const event of ['aborted', 'lost', 'requeued', 'poisoned'] as const) {
      expect(scene.journal.of(event)).toEqual([]);
    }
    const own = [...ids, later.id].map((id) => ({ id }));
    expect(await scene.audit([...load.acknowledged, ...own])).toEqual([]);
  });
});
