import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JobFailedError } from '../../lib/index.js';
import { LATENESS } from '../support/timing.js';
import { Load } from './load.js';
import { Scene } from './scene.js';

describe('a worker process that is killed', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  /**
   * Starts `count` jobs on a worker that is then killed while another one is idle. Gives when it was killed.
   * @param lease seconds; undefined: the worker's default
   */
  async function killWhileRunning(count: number, lease: number | undefined): Promise<number> {
    const doomed = await scene.worker('doomed', { lease });
    const queue = scene.queue();
    for (let number = 1; number <= count; number++) {
      const retry = number === 1 ? undefined : { max: 3, interval: 0 };
      await queue.enqueue('act', { waits: true }, { id: `job-${number}`, retry });
    }
    await scene.when('run', { count });
    const survivor = await scene.worker('survivor', { lease });
    survivor.go();
    await doomed.kill();
    return Date.now();
  }

  it('has its jobs run elsewhere when their leases end, each spending a retry', async () => {
    const killed = await killWhileRunning(5, 2);
    await scene.when('finished', { worker: 'survivor', count: 5 });

    const reruns = scene.journal.of('run', { worker: 'survivor' });
    const ids = scene.journal.ids('run', { worker: 'survivor' });
    expect(ids.toSorted()).toEqual([1, 2, 3, 4, 5].map((number) => `job-${number}`));
    for (const { at, attempt, id, retriesLeft } of reruns) {
      expect(at - killed).toBeLessThan(2000 + LATENESS);
      expect(attempt).toBe(2);
      // The first job has no policy: it runs again all the same.
      expect(retriesLeft).toBe(id === 'job-1' ? undefined : 2);
    }
    await scene.drained();
    const acknowledged = ids.map((id) => ({ id, retries: 3 }));
    expect(await scene.audit(acknowledged)).toEqual([]);
  });

  it('has its jobs run elsewhere within 15 seconds by default', async () => {
    const killed = await killWhileRunning(3, undefined);
    const last = await scene.when('run', { worker: 'survivor', count: 3, timeout: 30_000 });

    expect(last.at - killed).toBeLessThan(15_000 + LATENESS);
    await scene.drained();
    const jobs = [1, 2, 3].map((number) => ({ id: `job-${number}` }));
    expect(await scene.audit(jobs)).toEqual([]);
  });

  it('again and again under load loses nothing', async () => {
    await scene.worker('survivor');
    const load = new Load(scene.queue(), 3);
    for (const label of ['doomed-1', 'doomed-2', 'doomed-3']) {
      const doomed = await scene.worker(label);
      await scene.when('end', { worker: label, count: 50 });
      await doomed.kill();
    }
    await load.stop();
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
  });

  it('by one and the same job is protected from it after three times', async () => {
    const queue = scene.queue();
    const poison = await queue.enqueue(
      'act',
      { dies: true },
      { id: 'poison', retry: { max: 9, interval: 0 } },
    );
    for (const label of ['first', 'second', 'third']) {
      const victim = scene.begin(label, { lease: 0.5 });
      victim.wasKilled = true;
      expect(await victim.child.exited).toEqual({ code: null, signal: 'SIGKILL' });
      // The others are not harmed for ever: this one is just another job of the queue.
      if (label === 'first') await queue.enqueue('act', {}, { id: 'harmless' });
    }
    await scene.worker('fourth', { lease: 0.5 });

    await expect(poison.result({ timeout: 20 })).rejects.toThrow(JobFailedError);
    await expect(poison.result()).rejects.toThrow('PoisonJobError');
    await scene.drained();
    expect(scene.journal.of('run', { id: 'poison' }).map(({ worker }) => worker)).toEqual([
      'first',
      'second',
      'third',
    ]);
    expect(await scene.client.hget('rq:job:harmless', 'status')).toBe('finished');
    // A victim may have died by the answer that told of this end and brought the poison.
    expect(scene.journal.of('finished', { id: 'harmless' }).length).toBeLessThanOrEqual(1);
    expect(await poison.status()).toBe('failed');
    const acknowledged = [{ id: 'poison', retries: 9 }, { id: 'harmless' }];
    expect(await scene.audit(acknowledged)).toEqual([]);
  });

  it('by one job takes no other with it: those that ran beside it finish', async () => {
    const queue = scene.queue();
    const beside = Array.from({ length: 5 }, (_, number) => ({
      name: 'act',
      data: { takes: 100 },
      options: { id: `beside-${number}` },
    }));
    await queue.enqueueMany(beside);
    const poison = await queue.enqueue('act', { dies: true }, { id: 'poison' });
    let isOver = false;
    const over = poison.result({ timeout: 60 }).catch(() => (isOver = true));
    for (let number = 1; !isOver && number <= 5; number += 1) {
      const victim = scene.begin(`victim-${number}`, { lease: 0.5 });
      const died = victim.child.exited.then(() => (victim.wasKilled = true));
      await Promise.race([died, over]);
    }

    await expect(poison.result({ timeout: 10 })).rejects.toThrow('PoisonJobError');
    await scene.drained();
    expect(scene.journal.of('run', { id: 'poison' })).toHaveLength(3);
    expect((await queue.counts()).finished).toBe(beside.length);
  });

  it('has all its jobs run elsewhere side by side, as they ran before', async () => {
    const doomed = await scene.worker('doomed', { concurrency: 50 });
    const jobs = Array.from({ length: 50 }, () => ({ name: 'act', data: { waits: true } }));
    const stored = await scene.queue().enqueueMany(jobs);
    await scene.when('run', { count: 50 });
    const survivor = await scene.worker('survivor', { concurrency: 50 });
    await doomed.kill();
    // None of them ends before all run.
    await scene.when('run', { worker: 'survivor', count: 50 });
    survivor.go();
    await scene.drained();
    expect(await scene.audit(stored.map(({ id }) => ({ id })))).toEqual([]);
  });

  it('leaves the data that its job has written to the next attempt', async () => {
    await scene.queue().enqueue('act', { updates: { value: 7 }, dies: true }, { id: 'cursor' });
    const doomed = scene.begin('doomed');
    await doomed.child.exited;
    doomed.wasKilled = true;
    await scene.worker('survivor');
    await scene.when('finished', { id: 'cursor' });
    const runs = scene.journal.of('run', { id: 'cursor' });
    expect(runs.map(({ attempt, value }) => ({ attempt, value }))).toEqual([
      { attempt: 1, value: undefined },
      { attempt: 2, value: 7 },
    ]);
  });

  it('in a later round of a job that repeats: that round runs again, and the next ones come', async () => {
    const doomed = await scene.worker('doomed', { lease: 2 });
    const data = { updates: { waits: true } };
    await scene.queue().enqueue('act', data, { id: 'repeats', repeat: { times: 2 } });
    await scene.when('run', { id: 'repeats', count: 2 });
    await doomed.kill();
    const survivor = await scene.worker('survivor');
    survivor.go();
    await scene.drained();

    const runs = scene.journal.of('run', { id: 'repeats' });
    expect(runs.map(({ worker }) => worker)).toEqual(['doomed', 'doomed', 'survivor', 'survivor']);
    expect(await scene.client.hget('rq:job:repeats', 'repeats_left')).toBe('0');
    expect(await scene.audit([{ id: 'repeats' }])).toEqual([]);
  });

  it('between taking an id and claiming the job costs the job nothing', async () => {
    const queue = scene.queue();
    await queue.enqueue('act', {}, { id: 'taken', retry: { max: 1, interval: 0 } });
    // The blocking read of a worker that died right after it.
    await scene.client.lmove('rq:queue:work', 'rq:queue:work:intermediate', 'LEFT', 'RIGHT');

    await scene.worker('other');
    const { attempt, retriesLeft } = await scene.when('run', { id: 'taken' });

    expect({ attempt, retriesLeft }).toEqual({ attempt: 1, retriesLeft: 1 });
    await scene.drained();
    expect(await scene.audit([{ id: 'taken', retries: 1 }])).toEqual([]);
  });
});
