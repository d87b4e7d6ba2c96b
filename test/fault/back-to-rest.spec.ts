import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Queue } from '../../lib/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

describe('after the work', () => {
  let scene: Scene;
  let queue: Queue;

  beforeEach(async () => {
    scene = await Scene.open();
    queue = scene.queue();
  });

  afterEach(async () => {
    await scene.close();
  });

  /** Names of all connections but the test's own, sorted. */
  async function connections(): Promise<string[]> {
    const own = await scene.client.client('ID');
    const clients = (await scene.client.client('LIST')) as string;
    const lines = clients
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(`id=${own} `));
    return lines.map((line) => / name=(\S*)/.exec(line)?.[1] ?? '').sort();
  }

  async function runJobs(count: number): Promise<void> {
    const done = scene.journal.of('finished').length;
    for (let first = 0; first < count; first += 500) {
      await queue.enqueueMany(
        Array.from({ length: 500 }, (_, index) => ({
          name: 'act',
          data: { fails: index % 50 === 0 ? 1 : 0 },
          options: { resultTtl: 0, retry: { max: 1, interval: 0 } },
        })),
      );
    }
    await scene.when('finished', { count: done + count, timeout: 60_000 });
  }

  it('no connection is left, and the process ends by itself at once', async () => {
    const workers = await Promise.all([
      scene.worker('one', { queues: ['work'] }),
      scene.worker('many', { queues: ['work', 'mail', 'images', 'reports', 'other'] }),
    ]);
    await eventually(
      async () => {
        const blocking = (await connections()).filter((name) => name === 'nestjs-rq:blocking');
        return blocking.length === 6;
      },
      { what: 'each queue to be waited for' },
    );
    // For commands and for messages; one more for each queue. The guards' threads close theirs when they have proved that
    // they could renew.
    await eventually(async () => (await connections()).length === 2 * 2 + 1 + 5, {
      what: 'the connections to be those of a worker at rest',
      timeout: 20_000,
    });

    for (const worker of workers) expect(await worker.stop()).toBeLessThan(LATENESS);

    // Redis hears of the end of a link when it reads from it next.
    await eventually(async () => (await connections()).length === 0, {
      what: 'no connection to be left',
    });
    expect(await scene.client.smembers('rq:workers')).toEqual([]);
  });

  it('and after many cut links there are the same connections and timers as before', async () => {
    const worker = await scene.worker('worker', { lease: 3 });
    await runJobs(500);
    // Leases are renewed after a third: that connection, made when it is first needed, is there, too.
    await queue.enqueue('act', { holds: true }, { id: 'long' });
    const renews = async () => (await connections()).includes('nestjs-rq:leases');
    await eventually(renews, { what: 'the connection for leases' });
    worker.go();
    await scene.when('finished', { id: 'long' });
    // The guard's thread proves at the start that it could renew, and closes its connection.
    const isAlone = async () => !(await connections()).includes('nestjs-rq:lease-guard');
    await eventually(isAlone, { what: "the guard's connection to be closed" });
    const [open, { resources }] = [await connections(), await worker.measure()];
    for (let round = 0; round < 8; round++) {
      await scene.cutLinks('normal');
      await scene.cutLinks('pubsub');
      await runJobs(500);
    }

    await eventually(
      async () => {
        expect(await connections()).toEqual(open);
        const now = (await worker.measure()).resources;
        // Not more of anything: a timer may have been running before that is not now.
        return Object.entries(now).every(([kind, count]) => count <= (resources[kind] ?? 0));
      },
      { what: `nothing beyond ${JSON.stringify(resources)} to be left`, every: 100 },
    );
    expect(await scene.audit([])).toEqual([]);
  });

  it('and after many jobs the memory is free again', async () => {
    const worker = await scene.worker('worker', { lease: 15 });
    await runJobs(2000);
    const before = await worker.measure();
    await runJobs(10_000);

    // 10 000 jobs of which a hundred bytes each were kept would be more than that.
    const grown = (await worker.measure()).heap - before.heap;
    expect(grown).toBeLessThan(1_000_000);
  });
});
