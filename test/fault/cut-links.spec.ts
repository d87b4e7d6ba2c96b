import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RqConnectionError } from '../../lib/index.js';
import { EARLINESS, LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Load } from './load.js';
import { useProxiedScene } from './proxied-scene.js';
import { type Act, Scene } from './scene.js';

const connection = { commandTimeout: 1000, connectTimeout: 2000 };

describe('links that are cut', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  it('again and again under load lose nothing', async () => {
    await Promise.all([scene.worker('first'), scene.worker('second')]);
    const load = new Load(scene.queue());
    for (let round = 1; round <= 10; round++) {
      await scene.when('finished', { count: scene.journal.of('finished').length + 40 });
      await scene.cutLinks('normal');
      if (round % 3 === 0) await scene.cutLinks('pubsub');
    }
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
  });

  it('do not keep an idle worker from hearing of new and of delayed jobs', async () => {
    await scene.worker('idle', { lease: 15 });
    const queue = scene.queue();
    const first = await queue.enqueue('act', {}, { id: 'first' });
    await first.result({ timeout: 10 });
    await scene.cutLinks('normal');
    await scene.cutLinks('pubsub');

    const begun = Date.now();
    const producer = scene.queue();
    const now = await producer.enqueue('act', {}, { id: 'now' });
    await now.result({ timeout: 10 });
    expect((await scene.when('run', { id: 'now' })).at - begun).toBeLessThan(LATENESS);
    const later = await producer.enqueueIn(1, 'act', {}, { id: 'later' });
    await later.result({ timeout: 10 });
    const { at } = await scene.when('run', { id: 'later' });
    expect(at - begun).toBeGreaterThanOrEqual(1000 - EARLINESS);
    expect(at - begun).toBeLessThan(1000 + LATENESS);
    expect(await scene.audit([first, now, later])).toEqual([]);
  });
});

describe('a network that fails without a word', () => {
  const place = useProxiedScene();

  it('makes enqueue fail in time, and repeating it with the same id is harmless', async () => {
    const { scene, proxy } = place;
    const queue = scene.queue('work', { ...connection, url: proxy.url });
    await queue.enqueue('act', {}, { id: 'before' });
    proxy.loseAnswers();

    const begun = performance.now();
    const refused: unknown = await queue.enqueue('act', {}, { id: 'unknown' }).catch((e) => e);

    expect(performance.now() - begun).toBeLessThan(connection.commandTimeout + LATENESS);
    expect(refused).toBeInstanceOf(RqConnectionError);
    expect((refused as RqConnectionError).uncertain).toBe(true);
    // It was carried out, which the caller cannot know.
    await eventually(() => scene.client.exists('rq:job:unknown'), { what: 'the job to be stored' });

    // Also when the link is known to be dead and no new one works.
    for (let attempt = 1; attempt <= 3; attempt++) {
      const again = performance.now();
      await expect(queue.enqueue('act', {}, { id: 'unknown' })).rejects.toThrow(RqConnectionError);
      expect(performance.now() - again).toBeLessThan(2 * connection.commandTimeout + LATENESS);
    }
    proxy.heal();
    await eventually(() => queue.enqueue('act', {}, { id: 'unknown' }), {
      what: 'the job to be enqueued again',
    });
    expect(await scene.client.lrange('rq:queue:work', 0, -1)).toEqual(['before', 'unknown']);
  });

  it('is noticed by a worker, which serves on when it is healed', async () => {
    const { scene, proxy } = place;
    // It has no slot left to wait with: its link for that is idle, and dies all the same.
    const worker = await scene.worker('worker', { connection, url: proxy.url, concurrency: 3 });
    const queue = scene.queue();
    const jobs = await queue.enqueueMany(
      ['a', 'b', 'c'].map((id) => ({
        name: 'act',
        data: { waits: true },
        options: { id, retry: { max: 9, interval: 0 } },
      })),
    );
    await scene.when('run', { count: 3 });
    proxy.fallSilent();
    // They end while nobody can be told.
    worker.go();
    await scene.when('end', { count: 3 });
    await scene.when('problem');
    proxy.heal();

    await scene.drained();
    const begun = Date.now();
    const next = await queue.enqueue('act', {}, { id: 'next' });
    await next.result({ timeout: 10 });
    expect((await scene.when('run', { id: 'next' })).at - begun).toBeLessThan(LATENESS);
    expect(await scene.audit([...jobs, next].map(({ id }) => ({ id, retries: 9 })))).toEqual([]);
  });

  it('does not leave an idle worker deaf', async () => {
    const { scene, proxy } = place;
    await scene.worker('idle', { connection, url: proxy.url });
    const queue = scene.queue();
    await (await queue.enqueue('act', {}, { id: 'first' })).result({ timeout: 10 });
    proxy.fallSilent();
    // Nobody has to do anything: the worker looks after the queue now and then.
    await scene.when('problem');
    proxy.heal();
    await scene.when('problemSolved');

    for (const id of ['second', 'third']) {
      const begun = Date.now();
      const job = await queue.enqueue('act', {}, { id });
      await job.result({ timeout: 10 });
      // The one job that the dead link has swallowed is found when it is stale, a lease later.
      const { at } = await scene.when('run', { id });
      expect(at - begun).toBeLessThan(1000 + LATENESS);
    }
    const ids = ['first', 'second', 'third'];
    expect(await scene.audit(ids.map((id) => ({ id })))).toEqual([]);
  });

  it('that loses an answer with new jobs costs neither these nor the settled ones anything', async () => {
    const { scene, proxy } = place;
    const settings = { connection, url: proxy.url, concurrency: 4, lease: 15, prefetch: 0 };
    const worker = await scene.worker('worker', settings);
    const queue = scene.queue();
    const enqueue = (id: string, act: Act, resultTtl = 60) =>
      queue.enqueue('act', act, { id, resultTtl, retry: { max: 3, interval: 0.1 } });
    await enqueue('kept', { waits: true });
    await enqueue('vanishes', { waits: true }, 0);
    await enqueue('fails-once', { waits: true, fails: 1 });
    await enqueue('fails-late', { waits: true, fails: 1 });
    await scene.when('run', { count: 4 });
    for (const id of ['next-1', 'next-2', 'next-3', 'next-4']) await enqueue(id, {});
    proxy.loseAnswers();
    worker.go();
    // Redis has done it all, and nobody knows.
    await eventually(
      async () => (await scene.client.hget('rq:job:next-1', 'status')) === 'started',
      {
        what: 'the next jobs to be claimed',
      },
    );
    await scene.when('problem');
    proxy.heal();

    await scene.drained();
    await scene.when('finished', { count: 8 });
    const runs = scene.journal.of('run').map(({ id, attempt }) => `${id} ${attempt}`);
    expect(runs.toSorted()).toEqual([
      'fails-late 1',
      'fails-late 2',
      'fails-once 1',
      'fails-once 2',
      'kept 1',
      'next-1 1',
      'next-2 1',
      'next-3 1',
      'next-4 1',
      'vanishes 1',
    ]);
    expect(scene.journal.of('lost')).toEqual([]);
    expect(scene.journal.of('canceled')).toEqual([]);
    const ids = scene.journal.ids('finished');
    const jobs = ids.map((id) => ({ id, retries: 3, vanishes: id === 'vanishes' }));
    expect(await scene.audit(jobs)).toEqual([]);
  });

  it('that loses answers under load loses no jobs', async () => {
    const { scene, proxy } = place;
    await Promise.all([
      scene.worker('near', { connection }),
      scene.worker('far', { connection, url: proxy.url }),
    ]);
    const load = new Load(scene.queue('work', { ...connection, url: proxy.url }), 4);
    for (let round = 1; round <= 2; round++) {
      await scene.when('finished', {
        worker: 'far',
        count: scene.journal.of('finished', { worker: 'far' }).length + 20,
      });
      const troubles = load.uncertain;
      proxy.loseAnswers();
      await scene.when('finished', {
        worker: 'near',
        count: scene.journal.of('finished', { worker: 'near' }).length + 1,
      });
      await load.trouble(troubles + 1);
      proxy.heal();
    }
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
  });
});
