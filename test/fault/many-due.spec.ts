// Fifty thousand scheduled jobs that are due at one moment, as after an outage or at midnight.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

const COUNT = 50_000;
/** What one call may promote at most (lib/store/scripts/exchange.ts). */
const PROMOTED_AT_ONCE = 1000;

describe('fifty thousand jobs that are due at once', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  const calls = async () =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await scene.client.info('commandstats'))?.[1] ?? 0);

  it('run once each, in calls of bounded work, while other jobs are picked up', async () => {
    const queue = scene.queue();
    const ids = Array.from({ length: COUNT }, (_, number) => `due-${number}`);
    await queue.enqueueMany(
      ids.map((id) => ({ name: 'act', data: {}, options: { id, delay: 3600 } })),
    );
    await scene.worker('worker', { queues: ['work', 'other'], concurrency: 50, lease: 10 });
    // All become due at one moment, and the worker hears of it.
    await scene.client.eval(
      `for first = 0, ${COUNT - 1}, 1000 do
         local ids = redis.call('ZRANGE', KEYS[1], 0, 999)
         local moved = {}
         for _, id in ipairs(ids) do moved[#moved + 1] = '1'; moved[#moved + 1] = id end
         redis.call('ZREM', KEYS[1], unpack(ids))
         redis.call('ZADD', KEYS[2], unpack(moved))
       end
       redis.call('RENAME', KEYS[2], KEYS[1])`,
      2,
      'rq:scheduled:work',
      'due-now',
    );
    const before = await calls();
    const [other, front] = await Promise.all([
      scene.queue('other').enqueue('act', {}, { id: 'other' }),
      queue.enqueue('act', {}, { id: 'front', atFront: true }),
    ]);
    await Promise.all([other.result({ timeout: 10 }), front.result({ timeout: 10 })]);
    // They did not wait for all the others.
    expect(await scene.unsettled(['work'])).toBeGreaterThan(0);

    await eventually(async () => (await scene.client.zcard('rq:finished:work')) === COUNT + 1, {
      what: 'all to be finished',
      timeout: 150_000,
      every: 50,
    });
    await scene.drained({ queues: ['work', 'other'] });
    expect((await calls()) - before).toBeGreaterThanOrEqual(COUNT / PROMOTED_AT_ONCE);
    await scene.when('finished', { count: COUNT + 2 });
    const runs = scene.journal.ids('run');
    expect(runs).toHaveLength(COUNT + 2);
    expect(new Set(runs).size).toBe(COUNT + 2);
  }, 240_000);
});
