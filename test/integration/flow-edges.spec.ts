// The edge cases of limits, keys and turns, and where each is tested:
//
// | Case | Test |
// |---|---|
// | a limit is lowered or raised at a deploy | here |
// | two versions with different limits; what an operator has set wins over both | here |
// | limits are removed | here, and flow-lanes.spec.ts (what nobody declares leaves nothing behind) |
// | a handler gains limits while many jobs wait in RQ's list | here |
// | the key function throws | flow-lanes.spec.ts (in the worker), nest/limits.spec.ts (at enqueue) |
// | no key, null, empty text | nest/limits.spec.ts |
// | the key function is another one | here: what waits keeps its key |
// | retry, snooze, shutdown | flow-lanes.spec.ts, flow-limits.spec.ts, strict-order.spec.ts, batches.spec.ts |
// | delayed and limited | flow-lanes.spec.ts |
// | a paused queue | flow-lanes.spec.ts |
// | requeue of a failed job | flow-lanes.spec.ts (to the end), here (to the head) |
// | cancel, delete while waiting | flow-lanes.spec.ts; as Python does it: fault/flow-model.spec.ts |
// | the same id deleted and enqueued again | here |
// | its `ttl` ends while it waits | here |
// | `perWorker` beside a gate | concurrency.spec.ts, unit/worker/serve/own-rooms.spec.ts |
// | a crash between the blocking read and the claim | fault/flow-model.spec.ts (pop) |
// | Redis's clock steps back | here |
// | FIFO per key over crashes, releases, suspects; three processes of which one is killed | here, fault/flow-order.spec.ts |
import { afterEach, describe, expect, it } from '@jest/globals';
import { DuplicateJobError, InvalidOptionError } from '../../lib/job/index.js';
import type { Queue } from '../../lib/queue/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine, type HandlerParts } from './support/engine.js';

const engine = Engine.forThisFile();

let order: string[] = [];
afterEach(() => {
  order = [];
});

const noting: HandlerParts = {
  run: (_, job) => void order.push(job.id),
};

const jobs = (...ids: string[]) =>
  ids.map((id) => ({ name: 'sync', data: {}, options: { id, key: id[0] as string } }));

const done = (count: number) =>
  eventually(() => order.length === count, { what: `${count} runs`, timeout: 15_000 });

/** What has run of a key, in its order. */
const of = (key: string) => order.filter((id) => id.startsWith(key));

describe('at a deploy', () => {
  /** A handler whose jobs run until they are let go. */
  function holding(total: number) {
    const gate = deferred();
    const handler: HandlerParts = {
      concurrency: { total },
      run: async (_, job) => {
        order.push(job.id);
        await gate.promise;
      },
    };
    return { gate, handler };
  }

  const many = (count: number) => Array.from({ length: count }, () => ({ name: 'sync', data: {} }));

  it('a limit that is raised holds at once, and one that is lowered when jobs have ended', async () => {
    const queue = engine.queue();
    const ends: (() => void)[] = [];
    const version = (total: number): HandlerParts => ({
      concurrency: { total },
      run: (_, job) => {
        order.push(job.id);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    });
    await engine.work({ sync: version(2) });
    await queue.enqueueMany(many(8));
    await done(2);
    await engine.work({ sync: version(4) });
    await done(4);
    await engine.work({ sync: version(1) });
    expect(await queue.limits()).toMatchObject([{ concurrency: { total: 1 } }]);
    for (let ended = 1; ended <= 3; ended += 1) {
      ends.shift()?.();
      await eventually(async () => (await queue.counts()).finished === ended, { what: 'an end' });
      expect(order).toHaveLength(4);
    }
    ends.shift()?.();
    await done(5);
    expect(await queue.counts()).toMatchObject({ started: 1, queued: 3 });
  });

  it('what an operator has set wins over what any version declares', async () => {
    const queue = engine.queue();
    await engine.work({ sync: holding(2).handler });
    await queue.setLimits({ handler: 'sync', concurrency: { total: 1 } });
    const later = holding(5);
    await engine.work({ sync: later.handler });
    await queue.enqueueMany(many(3));
    await done(1);
    await queue.setLimits({ handler: 'sync' });
    await done(3);
    expect(await queue.counts()).toMatchObject({ started: 3 });
    later.gate.resolve();
  });

  it('a handler whose limits are removed runs what waits in its lanes, and has no gate in the end', async () => {
    const queue = engine.queue();
    const worker = await engine.work({ sync: { ...holding(1).handler, ...noting } });
    await worker.stop();
    await queue.enqueueMany(many(5));
    expect(await queue.lanes()).toHaveLength(1);
    await engine.work({ sync: noting }, { lease: 1 });
    await done(5);
    await eventually(
      async () => {
        await engine.client.del('rq:nrq:swept:jobs');
        return (await engine.client.exists('rq:nrq:flags:jobs')) === 0;
      },
      { what: 'no gate' },
    );
  });

  it('a handler that gains keys sorts what waits in the list, and serves other handlers meanwhile', async () => {
    const queue = engine.queue();
    const waiting = Array.from({ length: 1500 }, (_, n) => ({ name: 'sync', data: { n } }));
    await queue.enqueueMany(waiting);
    await queue.enqueue('other', {}, { id: 'other' });
    const seen = new Map<number, number>();
    const sync: HandlerParts = {
      key: (data: unknown) => (data as { n: number }).n % 3,
      concurrency: { perKey: 1 },
      run: (data, job) => {
        const { n } = data as { n: number };
        if (n < (seen.get(n % 3) ?? -1)) order.push(`${job.id} is late`);
        seen.set(n % 3, n);
      },
    };
    await engine.work({ sync, other: noting }, { concurrency: 20 });
    await eventually(async () => (await queue.counts()).finished === 1501, {
      what: 'all jobs',
      timeout: 60_000,
    });
    expect(order).toContain('other');
  }, 90_000);
});

describe('what waits in a lane', () => {
  it('keeps its key when the function is another one', async () => {
    const queue = engine.queue();
    await queue.enqueueMany(jobs('a1'));
    await engine.work({ sync: { ...noting, key: () => 'other', concurrency: { perKey: 1 } } });
    await done(1);
    expect(await engine.client.hget('rq:job:a1', 'nrq_lane')).toBe('sync\ta');
  });

  it('runs once, although its id was deleted and enqueued again', async () => {
    const queue = engine.queue();
    await queue.enqueueMany(jobs('a1', 'a2'));
    // As Python deletes: the lane keeps the id.
    await engine.client.del('rq:job:a1');
    await queue.enqueueMany(jobs('a1'));
    await engine.work({ sync: noting });
    await eventually(async () => (await queue.counts()).finished === 2, { what: 'both jobs' });
    await eventually(async () => (await queue.lanes()).length === 0, { what: 'no lane' });
    expect(order.toSorted()).toEqual(['a1', 'a2']);
  });

  it('is gone when its time to live is over, and nobody is held up by it', async () => {
    const queue = engine.queue();
    await queue.enqueue('sync', {}, { id: 'a1', key: 'a', ttl: 1 });
    await queue.enqueueMany(jobs('a2'));
    await eventually(async () => (await engine.client.exists('rq:job:a1')) === 0, {
      what: 'the job to vanish',
    });
    await engine.work({ sync: noting });
    await done(1);
    expect(order).toEqual(['a2']);
  });

  it('goes to the head of its lane when it is requeued there', async () => {
    const queue = engine.queue();
    const worker = await engine.work({
      sync: () => {
        throw new Error('once');
      },
    });
    await queue.enqueueMany(jobs('a1'));
    await worker.events.waitFor('jobFailed');
    await worker.stop();
    await queue.enqueueMany(jobs('a2', 'a3'));
    await queue.job('a1').requeue({ front: true });
    await engine.work({ sync: { ...noting, concurrency: { perKey: 1 } } });
    await done(3);
    expect(order).toEqual(['a1', 'a2', 'a3']);
  });

  it('opens after a sweep when the clock of Redis was set back', async () => {
    const queue = engine.queue();
    await queue.enqueueMany(jobs('a1'));
    const inAnHour = `${(Date.now() + 3_600_000) * 1000}`;
    await engine.client.zadd('rq:nrq:lanes:jobs\tsync', inAnHour, 'a');
    await engine.client.zadd('rq:nrq:gates:jobs', inAnHour, 'sync');
    await engine.work({ sync: noting }, { lease: 1 });
    await done(1);
    expect(order).toEqual(['a1']);
  });
});

describe('the first job with a key of a queue that had none', () => {
  it('starts at once, although all workers sleep at the list', async () => {
    await engine.work({ sync: noting });
    await engine.queue().enqueue('sync', {}, { id: 'plain' });
    await done(1);
    const at = performance.now();
    await engine.queue().enqueueMany(jobs('a1'));
    await done(2);
    // A sweep would come ten seconds later.
    expect(performance.now() - at).toBeLessThan(5000);
  });
});

describe('a key whose jobs run one by one', () => {
  it('keeps its order when workers die or stop, also where a job is suspected of it', async () => {
    const handler = (act: (id: string) => unknown): HandlerParts => ({
      concurrency: { perKey: 1 },
      run: (_, job) => {
        order.push(job.id);
        return act(job.id);
      },
    });
    const queue = engine.queue();
    await queue.enqueueMany(jobs('a1', 'b1', 'a2', 'b2', 'a3', 'b3'));
    // Two workers die of what they run: from then on these are suspects, and run one at a time.
    for (let dead = 0; dead < 2; dead += 1) {
      const store = await engine.openStore();
      order = [];
      await engine.work({ sync: handler(() => new Promise(() => undefined)) }, { lease: 1, store });
      await done(2);
      expect(order.toSorted()).toEqual(['a1', 'b1']);
      await store.connections.close();
      await eventually(
        async () => {
          await engine.store.recover('jobs', { maxCrashes: 3, leaseMs: 1000 });
          return (await queue.counts()).started === 0;
        },
        { what: 'the leases to end' },
      );
    }
    // One that stops in good order gives back what it runs.
    order = [];
    const stopping = await engine.work({ sync: handler(() => new Promise(() => undefined)) });
    await eventually(() => order.length > 0, { what: 'a run' });
    await stopping.stop();
    order = [];
    await engine.work({ sync: handler(() => undefined) });
    await done(6);
    expect([of('a'), of('b')]).toEqual([
      ['a1', 'a2', 'a3'],
      ['b1', 'b2', 'b3'],
    ]);
  });
});

describe('priority', () => {
  /** A queue whose handler `sync` has a gate without keys. */
  async function gated(): Promise<Queue> {
    const worker = await engine.work({ sync: { ...noting, concurrency: { total: 1 } } });
    await worker.stop();
    return engine.queue();
  }

  it('`high` is the head of the lane, also of a job that was delayed or requeued', async () => {
    const queue = await gated();
    const high = { priority: 'high' } as const;
    await queue.enqueue('sync', {}, { id: 'a1' });
    await queue.enqueue('sync', {}, { id: 'a2', ...high });
    await queue.enqueue('sync', {}, { id: 'a3', ...high, delay: '1h' });
    await queue.job('a3').promote();
    expect((await queue.jobs()).map(({ id }) => id)).toEqual(['a3', 'a2', 'a1']);
    await queue.enqueueMany([
      { name: 'sync', data: {}, options: { id: 'b1', key: 'b' } },
      { name: 'sync', data: {}, options: { id: 'b2', key: 'b', ...high } },
    ]);
    expect(await queue.job('b2').position()).toBe(0);
  });

  it('`low` is refused for jobs with a key or behind a gate, and nothing is stored', async () => {
    const queue = await gated();
    const low = { priority: 'low' } as const;
    await expect(queue.enqueue('sync', {}, low)).rejects.toThrow(InvalidOptionError);
    await expect(queue.enqueue('other', {}, { ...low, key: 'a' })).rejects.toMatchObject({
      option: 'priority',
    });
    const both = [
      { name: 'other', data: {} },
      { name: 'sync', data: {}, options: low },
    ];
    await expect(queue.enqueueMany(both)).rejects.toMatchObject({ option: 'priority' });
    expect(await engine.client.keys('rq:job:*')).toEqual([]);
    await queue.enqueue('other', {}, low);
    expect(await queue.count()).toBe(1);
  });
});

describe('`unique` with `replace`', () => {
  const unique = { by: 'one', replace: true } as const;

  it('refuses a job of another key, and nothing is changed', async () => {
    const queue = engine.queue();
    await queue.enqueue('sync', 1, { id: 'kept', key: 'a', unique });
    const other = queue.enqueue('sync', 2, { key: 'b', unique });
    await expect(other).rejects.toThrow(/key is another one than that of job "kept"/);
    const step = [
      { name: 'sync', data: 3 },
      { name: 'sync', data: 4, options: { key: 'b', unique } },
    ];
    await expect(queue.enqueueMany(step)).rejects.toMatchObject({ option: 'key' });
    expect(await queue.count()).toBe(1);
    expect((await queue.enqueue('sync', 5, { key: 'a', unique })).id).toBe('kept');
    expect((await engine.fields('kept'))['data']).toContain('5');
    expect(await engine.client.hget('rq:job:kept', 'nrq_lane')).toBe('sync\ta');
  });

  it('without replace another key is a duplicate as ever', async () => {
    const queue = engine.queue();
    await queue.enqueue('sync', 1, { key: 'a', unique: { by: 'one' } });
    const again = queue.enqueue('sync', 1, { key: 'b', unique: { by: 'one', else: 'error' } });
    await expect(again).rejects.toThrow(DuplicateJobError);
  });
});

describe('the key of a schedule', () => {
  it('is that of its jobs, of those made beside the ticks, too', async () => {
    const queue = engine.queue();
    const options = { key: 'tenant-7' };
    const schedule = await queue.schedule('nightly', { every: '1h' }, 'sync', {}, options);
    const job = await schedule.runNow();
    expect(await engine.client.hget(`rq:job:${job.id}`, 'nrq_lane')).toBe('sync\ttenant-7');
    expect(await queue.lanes()).toMatchObject([{ handler: 'sync', key: 'tenant-7', waiting: 1 }]);
  });

  it("has no meaning for a call of Python's", async () => {
    const options = { key: 'a', call: { args: [1] } };
    const schedule = engine
      .queue()
      .schedule('nightly', { every: '1h' }, 'tasks.add', undefined, options);
    await expect(schedule).rejects.toMatchObject({ option: 'key' });
  });
});
