// Redis is well, and nobody may say otherwise: the event loop stands still, or a link is slow.
import { Queue } from '../../lib/queue/index.js';
import { Connections } from '../../lib/redis/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { Engine } from '../integration/support/engine.js';
import { deferred, within } from '../support/wait.js';
import { TcpProxy } from './tcp-proxy.js';

const engine = Engine.forThisFile();
const opened: Connections[] = [];

afterEach(async () => {
  await engine.stopWorkers();
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
});

async function open(url: string, commandTimeout?: number): Promise<RedisJobStore> {
  const connections = new Connections(url, { commandTimeout });
  opened.push(connections);
  await connections.connect();
  return new RedisJobStore(connections);
}

/** Nothing else of this process runs meanwhile. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe('a handler that blocks the event loop for longer than commandTimeout', () => {
  it('is no silence of Redis: nothing is reported, nothing that waits is refused', async () => {
    const store = await open(engine.redis.url, 500);
    const queue = new Queue('jobs', store);
    const asked = deferred();
    const worker = await engine.work(
      {
        blocks: async () => {
          await asked.promise;
          block(2000);
          return 'blocked';
        },
        other: () => 'other',
      },
      { store, concurrency: 3 },
    );
    const blocking = await queue.enqueue('blocks');
    await worker.events.waitFor('jobStarted');
    const results = [blocking.result({ timeout: 10 })];
    // Under way when the loop stops: a command, an enqueue, a wait for a result.
    results.push(queue.enqueue('other').then((job) => job.result({ timeout: 10 })));
    const counts = Promise.all(Array.from({ length: 20 }, () => queue.count()));
    asked.resolve();

    expect(await Promise.all(results)).toEqual(['blocked', 'other']);
    expect(await counts).toHaveLength(20);
    for (let round = 0; round < 3; round += 1) {
      const count = queue.count();
      block(1200);
      await count;
    }
    expect(worker.events.of('problem')).toEqual([]);
    expect(worker.events.of('jobLost')).toEqual([]);
  });
});

describe('a big result on a slow link', () => {
  it('costs neither its own job nor others their leases', async () => {
    const proxy = await TcpProxy.start(engine.redis);
    const store = await open(proxy.url, 1000);
    const release = deferred();
    const runs: string[] = [];
    const worker = await engine.work(
      {
        big: (_: unknown, job) => {
          runs.push(`big ${job.attempt}`);
          proxy.slowDown(500_000);
          return 'x'.repeat(2_500_000);
        },
        long: async (_: unknown, job) => {
          runs.push(`long ${job.attempt}`);
          await release.promise;
        },
      },
      { store, lease: 2, concurrency: 2 },
    );
    const queue = engine.queue();
    const long = await queue.enqueue('long');
    await worker.events.waitFor('jobStarted');
    const big = await queue.enqueue('big', {}, { resultTtl: 60 });
    await worker.events.waitFor('jobStarted', 2);
    // Another worker looks after what it takes for dead.
    const heir = await engine.work({ big: () => 'again', long: () => 'again' }, { lease: 2 });

    const text = await within(big.result({ timeout: 25 }), { what: 'the result', timeout: 26_000 });
    expect(String(text)).toHaveLength(2_500_000);
    release.resolve();
    await long.result({ timeout: 10 });
    expect(runs.toSorted()).toEqual(['big 1', 'long 1']);
    expect(worker.events.of('jobLost')).toEqual([]);
    expect(heir.events.of('jobRecovered')).toEqual([]);
    await engine.stopWorkers();
    await proxy.close();
  }, 60_000);
});
