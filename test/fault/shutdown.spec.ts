import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

describe('a worker that is asked to stop', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  function waiting(): Promise<string[]> {
    return scene.client.lrange('rq:queue:work', 0, -1);
  }

  async function enqueue(ids: readonly string[], data: object): Promise<{ id: string }[]> {
    const queue = scene.queue();
    const jobs = ids.map((id) => ({
      name: 'act',
      data,
      options: { id, retry: { max: 3, interval: 0 } },
    }));
    await queue.enqueueMany(jobs);
    return ids.map((id) => ({ id, retries: 3 }));
  }

  it('lets the running jobs finish and takes no others', async () => {
    const worker = await scene.worker('worker', { concurrency: 2 });
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const acknowledged = await enqueue(ids, { waits: true });
    await scene.when('run', { count: 2 });

    const stopped = worker.stop();
    // It has stopped to claim when its blocking connection and its place in the list of workers are of no use any
    // more; the sign for us is that the jobs that run are the only ones that ever will.
    worker.go();
    await stopped;

    expect(scene.journal.ids('finished')).toEqual(['a', 'b']);
    expect(await waiting()).toEqual(['c', 'd', 'e']);
    expect(await scene.audit(acknowledged, { atRest: false })).toEqual([]);
    expect(await scene.client.smembers('rq:workers')).toEqual([]);
  });

  it('puts what has not finished in time back to the head, in order, as if it had never run', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const acknowledged = await enqueue(ids, { waits: true });
    const worker = await scene.worker('worker', { concurrency: 5, shutdownTimeout: '300ms' });
    await scene.when('run', { count: 5 });

    const took = await worker.stop();

    expect(took).toBeGreaterThanOrEqual(300);
    expect(took).toBeLessThan(300 + LATENESS);
    expect(await waiting()).toEqual(ids);
    const aborted = scene.journal.of('aborted');
    expect(aborted.map(({ reason }) => reason)).toEqual(Array(5).fill('ShutdownError'));
    expect(await scene.audit(acknowledged, { atRest: false })).toEqual([]);

    const next = await scene.worker('next', { concurrency: 1 });
    next.go();
    await scene.when('finished', { count: ids.length });
    const runs = scene.journal.of('run', { worker: 'next' });
    expect(scene.journal.ids('run', { worker: 'next' })).toEqual(ids);
    for (const { attempt, retriesLeft } of runs) {
      expect({ attempt, retriesLeft }).toEqual({ attempt: 1, retriesLeft: 3 });
    }
    expect(await scene.audit(acknowledged)).toEqual([]);
  });

  it('gives back what it had prefetched', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    const acknowledged = await enqueue(ids, { waits: true });
    const settings = { concurrency: 1, prefetch: 3, shutdownTimeout: '100ms' };
    const worker = await scene.worker('worker', settings);
    await scene.when('run');

    await worker.stop();

    expect(await waiting()).toEqual(ids);
    expect(scene.journal.of('run')).toHaveLength(1);
    const returned = scene.journal.of('returned').map(({ id, reason }) => [id, reason]);
    expect(returned).toEqual([
      ['d', 'prefetched'],
      ['c', 'prefetched'],
      ['b', 'prefetched'],
      ['a', 'shutdown'],
    ]);
    const attempts = await Promise.all(
      ids.map((id) => scene.client.hget(`rq:job:${id}`, 'nrq_attempts')),
    );
    expect(attempts.map(Number)).toEqual([0, 0, 0, 0]);
    expect(await scene.audit(acknowledged, { atRest: false })).toEqual([]);
  });

  it('while Redis is down ends in bounded time, and its jobs are not lost', async () => {
    await scene.close();
    scene = await Scene.open({ appendonly: true, args: ['--appendfsync', 'always'] });
    const connection = { commandTimeout: 1000 };
    const worker = await scene.worker('worker', { shutdownTimeout: '200ms', connection });
    const acknowledged = await enqueue(['a', 'b', 'c'], { waits: true });
    await scene.when('run', { count: 3 });
    await scene.redis.kill();

    const took = await worker.stop();

    // The deadline for the jobs, two seconds for the last words to Redis, and a command that may have been under way.
    expect(took).toBeLessThan(200 + 2000 + 1000 + LATENESS);
    await scene.redis.restart();
    const next = await scene.worker('next');
    next.go();
    await scene.when('finished', { worker: 'next', count: 3 });
    await scene.drained();
    expect(await scene.audit(acknowledged)).toEqual([]);
  });

  it('while Redis is frozen ends in bounded time, too', async () => {
    const worker = await scene.worker('worker', { shutdownTimeout: '200ms' });
    await enqueue(['a'], { waits: true });
    await scene.when('run');
    process.kill(scene.redis.pid, 'SIGSTOP');
    try {
      // Two seconds for each half of the goodbye: no answer tells that nothing more comes in.
      expect(await worker.stop()).toBeLessThan(200 + 2 * 2000 + LATENESS);
    } finally {
      process.kill(scene.redis.pid, 'SIGCONT');
    }
    await eventually(async () => (await scene.client.ping()) === 'PONG', { what: 'Redis' });
  });
});
