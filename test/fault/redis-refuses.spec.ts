import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RqConnectionError } from '../../lib/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { enqueueUntilStored } from './enqueue-until-stored.js';
import type { AcknowledgedJob } from './auditor.js';
import { Load } from './load.js';
import { type Act, Scene } from './scene.js';

describe('a Redis that answers, but refuses to write', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  const setMemory = (limit: string) => scene.client.config('SET', 'maxmemory', limit);

  /** How often Redis has given this error so far. */
  async function refusals(error: string): Promise<number> {
    const text = await scene.client.info('errorstats');
    return Number(new RegExp(`errorstat_${error}:count=(\\d+)`).exec(text)?.[1] ?? 0);
  }

  async function blockedClients(): Promise<string> {
    const clients = (await scene.client.client('LIST')) as string;
    return clients
      .split('\n')
      .filter((line) => / flags=\w*b/.test(line))
      .join('\n');
  }

  async function refusedAtLeast(error: string, times: number): Promise<void> {
    const before = await refusals(error);
    await eventually(async () => (await refusals(error)) >= before + times, {
      what: `${times} refusals (${error})`,
      every: 50,
    });
  }

  /**
   * Jobs end while Redis refuses to write: their outcomes must arrive after `relieve`, without a second run.
   * @param others whether there are also a job that is to be deleted and one that becomes due meanwhile
   */
  async function expectOutcomesToSurvive(
    error: string,
    others: boolean,
    refuse: () => Promise<unknown>,
    relieve: () => Promise<unknown>,
  ): Promise<void> {
    const worker = await scene.worker('worker', { lease: 15 });
    const queue = scene.queue();
    const jobs: (AcknowledgedJob & Act)[] = [
      { id: 'good-1' },
      { id: 'good-2' },
      { id: 'fails-once', fails: 1 },
      { id: 'fails', fails: 9 },
    ];
    if (others) jobs.push({ id: 'vanishes', vanishes: true });
    for (const { id, fails, vanishes } of jobs) {
      const retry = id === 'fails' ? undefined : { max: 3, interval: 0 };
      const options = { id, retry, resultTtl: vanishes ? 0 : 60 };
      await queue.enqueue('act', { waits: true, fails }, options);
    }
    await scene.when('run', { count: jobs.length });
    if (others) await queue.enqueueIn('200ms', 'act', {}, { id: 'due' });
    await refuse();
    // The one that is due is refused first.
    if (others) await refusedAtLeast(error, 1);
    worker.go();
    await scene.when('end', { count: jobs.length });
    const refused: unknown = await queue.enqueue('act', {}, { id: 'more' }).catch((e) => e);
    expect(refused).toBeInstanceOf(RqConnectionError);
    expect((refused as RqConnectionError).message).toContain(error);
    expect((refused as RqConnectionError).uncertain).toBe(false);
    await refusedAtLeast(error, 5);
    await relieve();

    await enqueueUntilStored(queue, {}, { id: 'more' });
    await scene.drained();
    const expected = [
      ...jobs.map(({ id }) => id),
      'fails-once',
      'more',
      ...(others ? ['due'] : []),
    ];
    expect(scene.journal.ids('run').toSorted()).toEqual(expected.toSorted());
    expect(scene.journal.of('lost')).toEqual([]);
    expect(scene.journal.of('canceled')).toEqual([]);
    // The worker hears of it a moment later than we see it.
    const settled = await eventually(
      () => {
        const told = [...scene.journal.ids('finished'), ...scene.journal.ids('failed')];
        return told.length >= new Set(expected).size && told;
      },
      { what: 'the worker to be told of all jobs' },
    );
    expect(settled.toSorted()).toEqual([...new Set(expected)].toSorted());
    const acknowledged = [...jobs, { id: 'more' }, ...(others ? [{ id: 'due' }] : [])];
    expect(await scene.audit(acknowledged)).toEqual([]);
  }

  it('for lack of memory, is settled and renewed by what runs, and emptied of what waits', async () => {
    const worker = await scene.worker('worker', { lease: 3, concurrency: 4 });
    const queue = scene.queue();
    const jobs: (AcknowledgedJob & Act)[] = [
      { id: 'good' },
      { id: 'fails-once', fails: 1 },
      { id: 'fails', fails: 9 },
      { id: 'vanishes', vanishes: true },
    ];
    for (const { id, fails, vanishes } of jobs) {
      const retry = id === 'fails' ? undefined : { max: 3 };
      await queue.enqueue(
        'act',
        { waits: true, fails },
        { id, retry, resultTtl: vanishes ? 0 : 60 },
      );
    }
    await scene.when('run', { count: jobs.length });
    await queue.enqueue('act', {}, { id: 'waits' });
    await queue.enqueueIn('200ms', 'act', {}, { id: 'due' });
    await setMemory('1');
    const leaseEnd = async () =>
      Number((await scene.client.zrange('rq:wip:work', '0', '0', 'WITHSCORES'))[1]);
    const before = await leaseEnd();
    await eventually(async () => (await leaseEnd()) > before + 1.5, {
      what: 'leases to be renewed while memory is full',
    });
    const refused: unknown = await queue.enqueue('act', {}, { id: 'more' }).catch((e) => e);
    expect(refused).toBeInstanceOf(RqConnectionError);
    expect((refused as RqConnectionError).message).toContain('OOM');
    expect((refused as RqConnectionError).uncertain).toBe(false);
    expect(await scene.client.exists('rq:job:more')).toBe(0);
    worker.go();

    await scene.drained();
    await scene.when('finished', { count: 5 });
    await scene.when('failed');
    expect(scene.journal.ids('finished').toSorted()).toEqual([
      'due',
      'fails-once',
      'good',
      'vanishes',
      'waits',
    ]);
    expect(scene.journal.ids('failed')).toEqual(['fails']);
    expect(scene.journal.of('run')).toHaveLength(7);
    expect(scene.journal.of('lost')).toEqual([]);
    const acknowledged = [...jobs, { id: 'waits' }, { id: 'due' }];
    expect(await scene.audit(acknowledged)).toEqual([]);
    await setMemory('0');
  });

  it.each([['alone', false] as const, ['with other jobs', true] as const])(
    'because it has become a replica, gets the outcomes when it is a master again (%s)',
    async (_, others) => {
      // Of a master that does not exist: what it holds stays as it is.
      const follow = () => scene.client.replicaof('127.0.0.1', 1);
      await expectOutcomesToSurvive('READONLY', others, follow, () =>
        scene.client.replicaof('NO', 'ONE'),
      );
    },
  );

  it('because it has become a replica, gets the outcomes later although the link is cut in the meantime', async () => {
    await scene.worker('worker', { lease: 15 });
    const queue = scene.queue();
    // They end one after the other, so that at any moment some outcomes travel and others wait to be sent again.
    const ids = Array.from({ length: 10 }, (_, number) => `job-${number}`);
    await Promise.all(
      ids.map((id, number) => queue.enqueue('act', { takes: 100 + 100 * number }, { id })),
    );
    await scene.when('run', { count: ids.length });
    await scene.client.replicaof('127.0.0.1', 1);
    await scene.when('end', { count: ids.length });
    await refusedAtLeast('READONLY', 5);
    await scene.client.client('PAUSE', 60_000, 'WRITE');
    await eventually(async () => /cmd=evalsha/.test(await blockedClients()), {
      what: 'outcomes to be on their way',
    });
    await scene.cutLinks('normal');
    await scene.client.replicaof('NO', 'ONE');
    await scene.client.client('UNPAUSE');

    await scene.when('finished', { count: ids.length });
    expect(scene.journal.of('run')).toHaveLength(ids.length);
    expect(scene.journal.of('returned')).toEqual([]);
    await scene.drained();
    expect(await scene.audit(ids.map((id) => ({ id, retries: 0 })))).toEqual([]);
  });

  it('for lack of memory under load, loses nothing', async () => {
    await Promise.all([scene.worker('first'), scene.worker('second')]);
    const load = new Load(scene.queue(), 4);
    for (let round = 1; round <= 3; round++) {
      await scene.when('finished', { count: scene.journal.of('finished').length + 50 });
      await setMemory('1');
      await refusedAtLeast('OOM', 40);
      await setMemory('0');
    }
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(load.uncertain).toBe(0);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
  });

  it('because it is still loading its data, is waited for', async () => {
    await scene.close();
    // 40 ms per key, with time for clients in between.
    const args = ['--key-load-delay', '40000', '--loading-process-events-interval-bytes', '1024'];
    scene = await Scene.open({ args });
    const queue = scene.queue('work', { commandTimeout: 500 });
    await scene.worker('worker', { connection: { commandTimeout: 500 } });
    const later = Array.from({ length: 75 }, (_, number) => ({
      name: 'act',
      data: {},
      // What runs before the data are saved would run again.
      options: { id: `later-${number}`, delay: 4 },
    }));
    await queue.enqueueMany(later);
    await scene.client.save();
    await scene.redis.restart();

    const begun = performance.now();
    await expect(queue.enqueue('act', {}, { id: 'early' })).rejects.toThrow(RqConnectionError);
    expect(performance.now() - begun).toBeLessThan(500 + LATENESS);
    expect(await scene.client.info('persistence').catch(String)).toContain('loading:1');
    await scene.when('finished', { count: later.length, timeout: 20_000 });
    await scene.drained();
    expect(await scene.audit(later.map(({ options }) => ({ id: options.id })))).toEqual([]);
  });
});
