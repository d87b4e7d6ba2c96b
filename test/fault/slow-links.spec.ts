// Links that are slow and do not fail: nothing is taken for lost that is on its way.
import { describe, expect, it } from '@jest/globals';
import { useProxiedScene } from './proxied-scene.js';
import type { TcpProxy } from './tcp-proxy.js';

const connection = { commandTimeout: 3000 };

describe('a link that is slow', () => {
  const place = useProxiedScene();

  it.each<[string, (proxy: TcpProxy) => void]>([
    ['300 ms each way', (proxy) => proxy.delay(300)],
    ['one byte at a time, of the answers', (proxy) => proxy.trickle()],
  ])('by %s runs each job once, keeps every lease and refuses nothing', async (_, slowDown) => {
    const { scene, proxy } = place;
    const settings = { connection, url: proxy.url, lease: 3 };
    await scene.worker('worker', settings);
    slowDown(proxy);
    const queue = scene.queue('work', { ...connection, url: proxy.url });
    const acts = [{}, { takes: 1500 }, { fails: 1 }];
    const jobs = await Promise.all(
      acts.map((act, number) =>
        queue.enqueue('act', act, { id: `job-${number}`, retry: { max: 3, interval: 0 } }),
      ),
    );
    for (const job of jobs) await job.result({ timeout: 20 });
    const later = await queue.enqueueIn(0.2, 'act', {}, { id: 'later' });
    await later.result({ timeout: 20 });
    await scene.drained();

    for (const event of ['aborted', 'lost', 'requeued', 'problem'] as const) {
      expect(scene.journal.of(event)).toEqual([]);
    }
    expect(scene.journal.of('run')).toHaveLength(acts.length + 2);
    const acknowledged = [...jobs, later].map(({ id }) => ({ id, retries: 1 }));
    expect(await scene.audit(acknowledged)).toEqual([]);
  });
});
