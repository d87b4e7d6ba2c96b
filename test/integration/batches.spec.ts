// Handlers that take several jobs at once: how their jobs gather, and that each job has an outcome of its own.
import { afterEach, describe, expect, it } from '@jest/globals';
import { BatchResultError, CancelJob, FailJob, SnoozeJob } from '../../lib/job/index.js';
import type { BatchHandler, BatchedJob } from '../../lib/worker/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine, type HandlerParts } from './support/engine.js';

const engine = Engine.forThisFile();

/** The batches that a handler got: of each the numbers in the data, and the jobs. */
let batches: { data: number[]; jobs: readonly BatchedJob[] }[] = [];
afterEach(() => {
  batches = [];
});

type Act = (data: number[], jobs: readonly BatchedJob[]) => unknown;

/** A handler of batches that notes what it gets. */
function taking(size: number, act: Act = () => undefined, wait = 0): HandlerParts {
  const handler: Omit<BatchHandler, 'name' | 'owner' | 'queue'> = {
    batch: { size, wait },
    run: (data, jobs) => {
      const batch = { data: data as number[], jobs };
      batches.push(batch);
      return act(batch.data, batch.jobs);
    },
  };
  return handler as unknown as HandlerParts;
}

const jobs = (count: number, options: object = {}, first = 0) =>
  Array.from({ length: count }, (_, index) => ({ name: 'index', data: first + index, options }));

const numbers = () => batches.map(({ data }) => data);
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** All of them have ended. */
async function settled(count: number) {
  await eventually(
    async () => {
      const { finished, failed, canceled } = await engine.queue().counts();
      return finished + failed + canceled === count;
    },
    { what: `${count} jobs to end` },
  );
}

describe('a handler of batches', () => {
  it('gets as many jobs at once as there are, and at most its size, in their order', async () => {
    await engine.work({ index: taking(4) });
    await engine.queue().enqueueMany(jobs(10));
    await settled(10);
    expect(numbers().flat()).toEqual(range(0, 10));
    expect(Math.max(...numbers().map(({ length }) => length))).toBe(4);
  });

  it('takes one slot with each batch, and of several workers each gets whole ones', async () => {
    const gate = deferred();
    const handler = taking(5, () => gate.promise);
    await engine.queue().enqueueMany(jobs(20));
    // The first worker that is asked knows the handler: its jobs are in a lane from then on.
    const first = await engine.work({ index: handler }, { concurrency: 2 });
    await eventually(() => batches.length === 2, { what: 'two batches' });
    expect(numbers()).toEqual([range(0, 5), range(5, 10)]);
    expect(first.running).toBe(10);
    await engine.work({ index: handler }, { concurrency: 2 });
    await eventually(() => batches.length === 4, { what: 'four batches' });
    expect(numbers().slice(2)).toEqual([range(10, 15), range(15, 20)]);
    gate.resolve();
    await settled(20);
  });

  it('gets jobs of one key at a time', async () => {
    await engine
      .queue()
      .enqueueMany([
        ...jobs(3, { key: 'a' }),
        ...jobs(3, { key: 'b' }, 10),
        ...jobs(2, { key: 'a' }, 3),
      ]);
    await engine.work({ index: taking(10) }, { concurrency: 1 });
    await settled(8);
    expect(numbers().toSorted(([one = 0], [other = 0]) => one - other)).toEqual([
      range(0, 5),
      range(10, 13),
    ]);
  });

  it('waits for more jobs until the first has waited for long enough', async () => {
    const queue = engine.queue();
    // One that waits for as long as it takes until its third job is there.
    const patient = await engine.work({ index: taking(3, undefined, 60) });
    await queue.enqueueMany(jobs(2));
    expect(await queue.lanes()).toMatchObject([{ handler: 'index', waiting: 2, why: 'batch' }]);
    await queue.enqueue('index', 2);
    await eventually(() => batches.length === 1, { what: 'a whole batch' });
    expect(numbers()).toEqual([range(0, 3)]);
    await settled(3);
    await patient.stop();
    await engine.work({ index: taking(3, undefined, 0.4) });

    const at = performance.now();
    await queue.enqueue('index', 3);
    await eventually(() => batches.length === 2, { what: 'a batch of one' });
    expect(performance.now() - at).toBeGreaterThan(300);
    await settled(4);
    const left = await engine.client.keys('rq:nrq:*');
    expect(left.filter((key) => /:(lanes?|gates|held|gathers):/.test(key))).toEqual([]);
  });

  it('never gets more at once than the limits allow: they count jobs', async () => {
    const gate = deferred();
    const handler = { ...taking(10, () => gate.promise), concurrency: { total: 7, perKey: 4 } };
    await engine.queue().enqueueMany([...jobs(9, { key: 'a' }), ...jobs(9, { key: 'b' }, 20)]);
    await engine.work({ index: handler }, { concurrency: 10 });
    await eventually(() => numbers().flat().length === 7, { what: 'seven jobs' });
    expect(numbers().map(({ length }) => length)).toEqual([4, 3]);
    gate.resolve();
    await settled(18);
  });

  it('runs as many batches at once as its `concurrency` within a worker says', async () => {
    const gate = deferred();
    const handler = { ...taking(3, () => gate.promise), concurrency: 1 };
    await engine.queue().enqueueMany(jobs(9));
    const worker = await engine.work({ index: handler }, { concurrency: 10 });
    await eventually(() => batches.length === 1, { what: 'a batch' });
    await engine.queue().enqueueMany(jobs(1, {}, 9));
    expect(worker.running).toBe(3);
    gate.resolve();
    await settled(10);
    expect(numbers().flat()).toEqual(range(0, 10));
  });

  it('takes no more jobs than `maxJobs` leaves', async () => {
    await engine.queue().enqueueMany(jobs(30));
    const worker = await engine.work({ index: taking(10) }, { maxJobs: 12, concurrency: 4 });
    expect(await worker.done).toBe('maxJobs');
    expect(numbers().flat()).toHaveLength(12);
    expect(await engine.queue().counts()).toMatchObject({ finished: 12, queued: 18, started: 0 });
  });

  it('gets jobs of Python and of producers that do not know it, as soon as a worker has sorted them', async () => {
    await engine.queue().enqueueMany(jobs(6));
    await engine.work({ index: { ...taking(3, undefined, 0.2), key: (n) => `${n % 2}` } });
    await settled(6);
    expect(numbers().toSorted(([one = 0], [other = 0]) => one - other)).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
  });
});

describe('each job of a batch', () => {
  it('has a result of its own', async () => {
    await engine.work({ index: taking(5, (data) => data.map((n) => n * 2)) });
    const handles = await engine.queue().enqueueMany(jobs(4));
    expect(await Promise.all(handles.map((job) => job.result({ timeout: 10 })))).toEqual([
      0, 2, 4, 6,
    ]);
  });

  it('may fail by itself, and is tried again by its own policy, in a later batch', async () => {
    let isFirst = true;
    const act: Act = (_, [, ...others]) => {
      if (!isFirst) return;
      isFirst = false;
      others[0]?.fail(new Error('broken'));
      others[1]?.fail(new FailJob('for good'));
      others[2]?.fail(new SnoozeJob({ for: 0.05 }));
      others[3]?.fail(new CancelJob('not wanted'));
    };
    const worker = await engine.work({
      index: { ...taking(10, act), retry: { max: 1, interval: 0.05 } },
    });
    await engine.queue().enqueueMany(jobs(6));
    await settled(6);
    expect(await engine.queue().counts()).toMatchObject({ finished: 4, failed: 1, canceled: 1 });
    expect(worker.events.of('jobRetrying')).toHaveLength(1);
    expect(worker.events.of('jobSnoozed')).toHaveLength(1);
    expect(numbers()[0]).toEqual(range(0, 6));
    expect(
      numbers()
        .slice(1)
        .flat()
        .toSorted((one, other) => one - other),
    ).toEqual([1, 3]);
  });

  it('fails with what the handler throws, unless it is decided: then that counts', async () => {
    const act: Act = (_, [first]) => {
      first?.finish('done');
      first?.fail(new Error('too late'));
      throw new Error('the index is gone');
    };
    await engine.work({ index: taking(10, act) });
    const handles = await engine.queue().enqueueMany(jobs(3));
    await settled(3);
    expect(await handles[0]?.result()).toBe('done');
    const failures = await engine.queue().jobs('failed');
    expect(failures.map(({ failure }) => failure)).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining('the index is gone')),
    );
  });

  it('keeps its place when all are tried again at once', async () => {
    let isFirst = true;
    const act: Act = () => {
      if (!isFirst) return;
      isFirst = false;
      throw new Error('once');
    };
    await engine.queue().enqueueMany(jobs(4, { retry: { max: 1, interval: 0 } }));
    await engine.work({ index: taking(10, act) });
    await settled(4);
    expect(numbers()).toEqual([range(0, 4), range(0, 4)]);
  });

  it('fails for good when the handler returns something else than a result for each', async () => {
    const worker = await engine.work({ index: { ...taking(5, () => ['one']), retry: { max: 3 } } });
    await engine.queue().enqueueMany(jobs(3));
    const failed = await worker.events.waitFor('jobFailed', 3);
    expect(failed[0]?.error).toBeInstanceOf(BatchResultError);
    expect(failed[0]?.failure.message).toMatch(/returned 1 results for a batch of 3 jobs/);
  });

  it('can be canceled, stopped or deleted by itself; the others go on', async () => {
    const gate = deferred();
    const worker = await engine.work({ index: taking(5, () => gate.promise) });
    const queue = engine.queue();
    const handles = await queue.enqueueMany(jobs(4));
    await eventually(() => worker.running === 4, { what: 'the batch' });
    await handles[0]?.cancel();
    await handles[1]?.stop();
    await handles[2]?.delete();
    await eventually(() => worker.running === 1, { what: 'three to end' });
    const [{ jobs: running } = { jobs: [] }] = batches;
    expect(running.map(({ signal }) => (signal.reason as Error | undefined)?.name)).toEqual([
      'JobCanceledError',
      'JobStoppedError',
      'JobCanceledError',
      undefined,
    ]);
    gate.resolve();
    await settled(3);
    expect(await queue.counts()).toMatchObject({ canceled: 1, failed: 1, finished: 1 });
    expect(worker.running).toBe(0);
  });

  it('has its own timeout, which a sign of life of any of them renews', async () => {
    const gate = deferred();
    const act: Act = async (_, [job]) => {
      for (let beat = 0; beat < 4; beat += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        job?.heartbeat();
      }
      await gate.promise;
    };
    const worker = await engine.work({ index: taking(5, act) });
    const at = performance.now();
    await engine.queue().enqueueMany([...jobs(2, { timeout: 0.15 }), ...jobs(1, {}, 2)]);
    await worker.events.waitFor('jobFailed', 2);
    expect(performance.now() - at).toBeGreaterThan(300);
    expect(worker.running).toBe(1);
    gate.resolve();
    await settled(3);
  });

  it('goes back in its order when the worker stops or dies', async () => {
    const gate = deferred();
    const worker = await engine.work({ index: taking(10, () => gate.promise) });
    const queue = engine.queue();
    await queue.enqueueMany(jobs(8));
    await eventually(() => worker.running === 8, { what: 'the batch' });
    await worker.stop();
    expect(await queue.counts()).toMatchObject({ queued: 8, started: 0 });
    batches = [];

    // As if the next one were killed: its leases end.
    const store = await engine.openStore();
    await engine.work({ index: taking(10, () => gate.promise) }, { lease: 1, store });
    await eventually(() => batches.length === 1, { what: 'the batch again' });
    expect(numbers()).toEqual([range(0, 8)]);
    await store.connections.close();
    batches = [];
    await engine.work({ index: taking(10) }, { lease: 1 });
    await eventually(() => numbers().flat().length === 8, { what: 'all jobs', timeout: 15_000 });
    expect(numbers().flat()).toEqual(range(0, 8));
    gate.resolve();
  });

  it('is an ordinary job to everybody else: counted, listed, told and waited for by itself', async () => {
    const worker = await engine.work({ index: taking(5) });
    const queue = engine.queue();
    await queue.enqueueMany(jobs(3));
    await settled(3);
    expect(worker.events.of('jobStarted')).toHaveLength(3);
    await eventually(() => worker.events.of('jobFinished').length === 3, {
      what: 'the worker to tell of all three',
    });
    expect((await queue.jobs('finished')).map(({ name }) => name)).toEqual(Array(3).fill('index'));
  });
});
