import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

/** Seconds, of workers of which a test says nothing else: shorter than each outage, longer than a busy machine stands still. */
const LEASE = 1;

/** An outage is as long as it is: here the time itself is what is tested. */
const outage = (milliseconds: number) => pause(milliseconds);

/** Time in which Redis could not be written to is nobody's fault: no lease ends in it. */
describe('an outage that is longer than a lease', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    process.kill(scene.redis.pid, 'SIGCONT');
    await scene.close();
  });

  const ids = Array.from({ length: 10 }, (_, number) => `job-${number}`);

  async function enqueueTen(): Promise<void> {
    const retry = { max: 3, interval: 0 };
    const jobs = ids.map((id) => ({
      name: 'act',
      data: { waits: true },
      options: { id, retry },
    }));
    await scene.queue().enqueueMany(jobs);
  }

  async function startTen(): Promise<void> {
    await enqueueTen();
    await scene.when('run', { count: ids.length });
  }

  async function freeze(milliseconds: number): Promise<void> {
    process.kill(scene.redis.pid, 'SIGSTOP');
    await outage(milliseconds);
    process.kill(scene.redis.pid, 'SIGCONT');
  }

  /** Every lease was renewed after this moment. */
  async function allRenewed(lease: number): Promise<void> {
    const [seconds] = await scene.client.time();
    await eventually(
      async () => {
        const ends = await scene.client.zrange('rq:wip:work', '0', '-1', 'WITHSCORES');
        const scores = ends.filter((_, index) => index % 2 === 1).map(Number);
        return scores.length === ids.length && Math.min(...scores) > Number(seconds) + lease;
      },
      { what: 'all leases to be renewed' },
    );
  }

  /** All ran once, in all that happened. */
  async function expectOneRunEach(): Promise<void> {
    await scene.when('finished', { count: ids.length });
    await scene.drained();
    expect(scene.journal.ids('run').toSorted()).toEqual(ids);
    for (const event of ['requeued', 'poisoned', 'lost', 'aborted', 'retrying'] as const) {
      expect(scene.journal.of(event)).toEqual([]);
    }
    expect(await scene.audit(ids.map((id) => ({ id, retries: 0 })))).toEqual([]);
  }

  it('Redis stands still, five times: nothing runs again, and none is taken for poison', async () => {
    const [first, second] = await Promise.all([
      scene.worker('first', { concurrency: 5, lease: LEASE }),
      scene.worker('second', { concurrency: 5, lease: LEASE }),
    ]);
    await startTen();
    for (const length of [2100, 1200, 1100, 1100, 1100]) {
      await freeze(length);
      await allRenewed(LEASE);
    }
    first.go();
    second.go();
    await expectOneRunEach();
  });

  it('jobs that end while Redis stands still ran once', async () => {
    const workers = await Promise.all([
      scene.worker('first', { concurrency: 5, lease: LEASE }),
      scene.worker('second', { concurrency: 5, lease: LEASE, connection: { commandTimeout: 400 } }),
    ]);
    await startTen();
    process.kill(scene.redis.pid, 'SIGSTOP');
    for (const worker of workers) worker.go();
    await scene.when('end', { count: ids.length });
    await outage(1500);
    process.kill(scene.redis.pid, 'SIGCONT');
    await expectOneRunEach();
  });

  it('a worker with long leases does not take the short ones of others, nor the other way round', async () => {
    const [long, short] = await Promise.all([
      scene.worker('long', { concurrency: 5, lease: 2 }),
      scene.worker('short', { concurrency: 5, lease: LEASE }),
    ]);
    await startTen();
    // Longer than the short leases, no time for the long ones; then too long for both.
    for (const length of [1300, 2700]) {
      await freeze(length);
      await allRenewed(LEASE);
    }
    long.go();
    short.go();
    await expectOneRunEach();
  });

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    [
      'memory is full',
      () => scene.client.config('SET', 'maxmemory', '1'),
      () => scene.client.config('SET', 'maxmemory', '0'),
    ],
    [
      'Redis is a replica',
      () => scene.client.replicaof('127.0.0.1', 1),
      () => scene.client.replicaof('NO', 'ONE'),
    ],
  ])('%s: what runs and what ends meanwhile ran once', async (_, refuse, relieve) => {
    const [first, second] = await Promise.all([
      scene.worker('first', { concurrency: 5, lease: LEASE }),
      scene.worker('second', { concurrency: 5, lease: LEASE }),
    ]);
    await startTen();
    await refuse();
    await outage(500);
    first.go();
    await scene.when('end', { worker: 'first', count: 5 });
    await outage(1500);
    await relieve();
    await scene.when('finished', { worker: 'first', count: 5 });
    second.go();
    await expectOneRunEach();
  });

  it('a worker that dies in it is recovered afterwards, the other keeps what it runs', async () => {
    const doomed = await scene.worker('doomed', { concurrency: 5, lease: LEASE });
    await enqueueTen();
    await scene.when('run', { count: 5 });
    const survivor = await scene.worker('survivor', { concurrency: 10, lease: LEASE });
    await scene.when('run', { count: ids.length });
    process.kill(scene.redis.pid, 'SIGSTOP');
    await doomed.kill();
    await outage(1500);
    process.kill(scene.redis.pid, 'SIGCONT');
    const back = Date.now();

    const last = await scene.when('run', { count: ids.length + 5 });

    // The grace of half a lease and more, and a look.
    expect(last.at - back).toBeLessThan(2 * LEASE * 1000 + LATENESS);
    survivor.go();
    await scene.when('finished', { worker: 'survivor', count: ids.length });
    await scene.drained();
    const kept = scene.journal.of('run', { worker: 'survivor' });
    const took = scene.journal.ids('run', { worker: 'doomed' });
    expect(kept).toHaveLength(ids.length);
    expect(kept.filter(({ attempt }) => attempt === 2).map(({ id }) => id)).toEqual(
      expect.arrayContaining(took),
    );
    expect(scene.journal.of('requeued')).toHaveLength(5);
    expect(await scene.audit(ids.map((id) => ({ id, retries: 3 })))).toEqual([]);
  });

  it('the only worker is killed and started again: its jobs run after a lease and a moment', async () => {
    const doomed = await scene.worker('doomed', { concurrency: 10, lease: LEASE });
    await startTen();
    await doomed.kill();
    const killed = Date.now();
    const next = await scene.worker('next', { concurrency: 10, lease: LEASE });
    next.go();
    const possible = Math.max(Date.now(), killed + LEASE * 1000);

    const last = await scene.when('run', { worker: 'next', count: ids.length });

    expect(last.at - possible).toBeLessThan(LATENESS);
    await scene.drained();
    expect(await scene.audit(ids.map((id) => ({ id, retries: 3 })))).toEqual([]);
  });
});
