// Strict order: while a job waits for its retry, the later jobs of its key wait for it, whatever becomes of it.
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Queue } from '../../lib/queue/index.js';
import { eventually } from '../support/wait.js';
import { Engine, type HandlerParts } from './support/engine.js';

const engine = Engine.forThisFile();

let order: string[] = [];
afterEach(() => {
  order = [];
});

/** Runs the jobs of a key in strict order; those named in `failing` fail once. */
function strictly(failing: readonly string[] = [], interval: number | string = 0.1): HandlerParts {
  const left = new Set(failing);
  return {
    strictOrder: true,
    retry: { max: 2, interval: interval as never },
    run: (_, job) => {
      const { id } = job as { id: string };
      order.push(id);
      if (left.delete(id)) throw new Error('once');
    },
  };
}

const jobs = (...ids: string[]) =>
  ids.map((id) => ({ name: 'sync', data: {}, options: { id, key: id[0] as string } }));

/** `a1` waits for its retry, for an hour; `a2` waits for it. */
async function heldBack(): Promise<Queue> {
  const queue = engine.queue();
  const worker = await engine.work({ sync: strictly(['a1'], '1h') }, { lease: 1 });
  await queue.enqueueMany(jobs('a1', 'a2', 'b1'));
  await worker.events.waitFor('jobRetrying');
  await eventually(() => order.includes('b1'), { what: 'the other key' });
  await eventually(async () => (await queue.lanes())[0]?.why === 'retry', {
    what: 'the lane to wait',
  });
  return queue;
}

const runs = (id: string) =>
  eventually(() => order.includes(id), { what: `${id} to run`, timeout: 15_000 });

describe('in strict order', () => {
  it('the jobs of a key wait while one of them waits for its retry; other keys go on', async () => {
    await engine.work({ sync: strictly(['a1', 'a2', 'b2']) }, { concurrency: 4 });
    await engine.queue().enqueueMany(jobs('a1', 'b1', 'a2', 'b2', 'a3', 'b3'));
    await eventually(() => order.length === 9, { what: 'all runs' });
    expect(order.filter((id) => id[0] === 'a')).toEqual(['a1', 'a1', 'a2', 'a2', 'a3']);
    expect(order.filter((id) => id[0] === 'b')).toEqual(['b1', 'b2', 'b2', 'b3']);
    await eventually(async () => (await engine.client.keys('rq:nrq:strict:*')).length === 0, {
      what: 'nothing to be left over',
    });
  });

  it('a handler without keys runs all its jobs so', async () => {
    await engine.work({ sync: strictly(['one']) }, { concurrency: 4 });
    await engine
      .queue()
      .enqueueMany(
        ['one', 'two', 'three'].map((id) => ({ name: 'sync', data: {}, options: { id } })),
      );
    await eventually(() => order.length === 4, { what: 'all runs' });
    expect(order).toEqual(['one', 'one', 'two', 'three']);
  });

  it('a waiting job holds its key and no slot of its handler', async () => {
    const handler = { ...strictly(['a1'], '1h'), concurrency: { total: 1 } };
    await engine.work({ sync: handler }, { concurrency: 4 });
    await engine.queue().enqueueMany(jobs('a1', 'a2', 'b1', 'c1'));
    await eventually(async () => (await engine.queue().counts()).finished === 2, {
      what: 'the other keys',
    });
    expect(order).toEqual(['a1', 'b1', 'c1']);
    const [lane] = await engine.queue().lanes();
    expect(lane).toMatchObject({ key: 'a', waiting: 1, running: 0, why: 'retry' });
    expect(lane?.opensAt?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  });

  it('a job that goes to the head of its lane waits, too', async () => {
    const queue = await heldBack();
    await queue.enqueueMany([
      { name: 'sync', data: {}, options: { id: 'a0', key: 'a', atFront: true } },
    ]);
    await queue.job('a1').promote();
    await runs('a2');
    expect(order.filter((id) => id[0] === 'a')).toEqual(['a1', 'a1', 'a0', 'a2']);
  });

  it.each<[string, (queue: Queue) => Promise<unknown>]>([
    ['is canceled', (queue) => queue.job('a1').cancel()],
    ['is deleted', (queue) => queue.job('a1').delete()],
    ['is canceled in bulk', (queue) => queue.cancel({ in: 'scheduled' })],
    ['is run now', (queue) => queue.job('a1').promote()],
  ])('the others go on when it %s', async (_, act) => {
    const queue = await heldBack();
    await act(queue);
    await runs('a2');
    expect(order.indexOf('a2')).toBeGreaterThan(0);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'cancels it',
      () =>
        engine.client
          .multi()
          .hset('rq:job:a1', 'status', 'canceled')
          .zrem('rq:scheduled:jobs', 'a1')
          .zadd('rq:canceled:jobs', Date.now() / 1000, 'a1')
          .exec(),
    ],
    [
      'deletes it',
      () => engine.client.multi().zrem('rq:scheduled:jobs', 'a1').del('rq:job:a1').exec(),
    ],
    [
      'has taken it out of the queue and left its status',
      () =>
        engine.client
          .multi()
          .zrem('rq:scheduled:jobs', 'a1')
          .hset('rq:job:a1', 'status', 'queued')
          .exec(),
    ],
  ])('the others go on within a sweep when Python %s', async (_, act) => {
    await heldBack();
    await act();
    // The sweep takes its turn each ten seconds.
    await engine.client.del('rq:nrq:swept:jobs');
    await runs('a2');
    expect(order.filter((id) => id === 'a1')).toHaveLength(1);
  });

  it('a job that Python puts back through the list comes before those that wait for it', async () => {
    await heldBack();
    await engine.client
      .multi()
      .zrem('rq:scheduled:jobs', 'a1')
      .hset('rq:job:a1', 'status', 'queued')
      .rpush('rq:queue:jobs', 'a1')
      .exec();
    await runs('a2');
    expect(order.filter((id) => id[0] === 'a')).toEqual(['a1', 'a1', 'a2']);
  });

  it('the key is free when a job has no retries left', async () => {
    const handler: HandlerParts = {
      strictOrder: true,
      retry: { max: 1, interval: 0.05 },
      run: (_, job) => {
        const { id } = job as { id: string };
        order.push(id);
        if (id === 'a1') throw new Error('always');
      },
    };
    await engine.work({ sync: handler });
    await engine.queue().enqueueMany(jobs('a1', 'a2'));
    await runs('a2');
    expect(order).toEqual(['a1', 'a1', 'a2']);
  });

  it('holds over a crash of the worker that runs the retry', async () => {
    const store = await engine.openStore();
    let isRetry = false;
    const hangs: HandlerParts = {
      strictOrder: true,
      retry: { max: 3, interval: 0.05 },
      run: (_, job) => {
        const { id } = job as { id: string };
        order.push(id);
        if (!isRetry) {
          isRetry = true;
          throw new Error('once');
        }
        return new Promise(() => undefined);
      },
    };
    await engine.work({ sync: hangs }, { lease: 1, store });
    await engine.queue().enqueueMany(jobs('a1', 'a2'));
    await eventually(() => order.length === 2, { what: 'the retry' });
    await store.connections.close();
    await engine.work({ sync: strictly() }, { lease: 1 });
    await runs('a2');
    expect(order).toEqual(['a1', 'a1', 'a1', 'a2']);
  });
});
