// What a call may do when a job that is the same waits or runs: replace its data, wait behind it, be an error.
import { DuplicateJobError } from '../../lib/job/index.js';
import type { RqJob } from '../../lib/queue/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { expectGaps, Runs } from './support/gaps.js';
import { BY, uniqueJobs } from './support/unique-jobs.js';

const engine = Engine.forThisFile();
const { unique, dataOf, keys, stored, blockedWorker } = uniqueJobs(engine);

describe('replace', () => {
  it('gives the newest data to the job that waits, which keeps id, place and options', async () => {
    const queue = engine.queue();
    const first = await unique(
      1,
      { replace: true },
      { meta: { a: 1 }, timeout: 7, description: 'one' },
    );
    await queue.enqueue('f', 'behind');
    const second = await unique(
      2,
      { replace: true },
      { meta: { b: 2 }, timeout: 9, atFront: true },
    );
    expect(second).toMatchObject({ id: first.id, isNew: false });
    expect(await second.position()).toBe(0);
    expect(await second.refresh()).toMatchObject({
      data: 2,
      meta: { b: 2 },
      description: undefined,
    });
    expect(await engine.fields(first.id)).toMatchObject({ timeout: '7' });

    await unique(3, { replace: true });
    expect(await first.refresh()).toMatchObject({ data: 3, meta: {} });
    expect(await stored()).toBe(2);
  });

  it('leaves parents and group of a job that waits for others as they are', async () => {
    const parent = await engine.queue().enqueue('p');
    const first = await unique(1, { replace: true }, { dependsOn: parent, group: 'g' });
    const other = { group: 'other', delay: 60 };
    expect(await unique(2, { replace: true }, other)).toMatchObject({
      id: first.id,
      isNew: false,
    });
    expect(await first.refresh()).toMatchObject({
      status: 'deferred',
      data: 2,
      waitsFor: { jobs: [parent.id] },
    });
    expect(await engine.client.smembers('rq:group:g')).toEqual([first.id]);
    expect(await engine.queue().group('other').status()).toMatchObject({ total: 0 });
    await engine.work({ p: () => 'parent', f: (_, job) => job.parentResults() });
    expect(await first.result({ timeout: 5 })).toEqual(['parent']);
  });

  it('debounce: runs once, with the newest data, so long after the last call', async () => {
    const runs = new Runs();
    const seen: unknown[] = [];
    const options = { delay: '300ms', ttl: 60 };
    const job = await unique(0, { replace: true }, options);
    let last = 0;
    for (let data = 1; data <= 5; data += 1) {
      const before = Date.now();
      await eventually(() => Date.now() >= before + 60, { what: '60 ms to pass' });
      last = Date.now();
      expect((await unique(data, { replace: true }, options)).id).toBe(job.id);
    }
    // Its time to live counts from when it is due.
    const due = Number(await engine.client.zscore('rq:scheduled:jobs', job.id)) * 1000;
    const over = Date.now() + (await engine.client.pttl(`rq:job:${job.id}`));
    expect(Math.abs(over - due - 60_000)).toBeLessThan(LATENESS);
    // Not earlier: a busy machine might be late with the next call, and the job would run.
    await engine.work({ f: runs.of((data) => void seen.push(data)) });
    await job.result({ timeout: 5 });

    expect(seen).toEqual([5]);
    expectGaps([runs.since(last)], [300]);
  });

  it('an earlier time is told to workers that wait for a later one', async () => {
    const worker = await engine.work({ f: () => 'done' });
    const job = await unique(0, { replace: true }, { delay: 60 });
    await worker.events.waitFor('jobStarted', 0);
    await unique(1, { replace: true }, { delay: '50ms' });
    expect(await job.result({ timeout: 5 })).toBe('done');
  });

  it('without a delay the time stays as it is', async () => {
    const job = await unique(0, { replace: true }, { delay: 60 });
    const due = await engine.client.zscore('rq:scheduled:jobs', job.id);
    await unique(1, { replace: true });
    expect(await engine.client.zscore('rq:scheduled:jobs', job.id)).toBe(due);
    expect(await dataOf(job)).toBe(1);
    expect(await engine.places(job.id)).toEqual(['scheduled']);
  });

  it('several in one call: the last one wins', async () => {
    const before = Date.now() / 1000;
    const jobs = await Promise.all(
      [0, 1, 2, 3].map((data) => unique(data, { replace: true }, { delay: 60 + data })),
    );
    const after = Date.now() / 1000;
    expect(jobs.map(({ isNew }) => isNew)).toEqual([true, false, false, false]);
    expect(await dataOf(jobs[0]!)).toBe(3);
    const due = Number(await engine.client.zscore('rq:scheduled:jobs', jobs[0]!.id));
    expect(due).toBeGreaterThan(before + 62.9);
    expect(due).toBeLessThan(after + 63.1);
  });

  it('keep last: one runs, the newest waits', async () => {
    const worker = await blockedWorker({ concurrency: 1, prefetch: 0 });
    await unique(1, { until: 'started', replace: true });
    await worker.events.waitFor('jobStarted');
    const jobs: RqJob[] = [];
    for (const data of [2, 3, 4])
      jobs.push(await unique(data, { until: 'started', replace: true }));
    expect(jobs.map(({ isNew }) => isNew)).toEqual([true, false, false]);
    worker.gate.resolve('done');
    await jobs[0]?.result({ timeout: 5 });
    expect(worker.ran).toEqual([1, 4]);
  });

  it('a job that a worker has taken out of the queue counts as started: no data are lost', async () => {
    const first = await unique(1, { replace: true });
    await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');
    const second = await unique(2, { replace: true });
    expect(second.isNew).toBe(true);
    expect([await dataOf(first), await dataOf(second)]).toEqual([1, 2]);
    // Until it has ended, where that is asked for.
    await engine.client.hset('rq:nrq:unique:jobs', `by:${BY}`, first.id);
    await engine.client.hset(`rq:job:${first.id}`, 'nrq_unique', `ended by:${BY}`);
    const third = await unique(3, { replace: true, until: 'ended' });
    expect(third).toMatchObject({ id: first.id, isNew: false });
    expect(await dataOf(first)).toBe(1);
  });
});

describe("until: 'started'", () => {
  it('one waits, however many run', async () => {
    const worker = await blockedWorker();
    const jobs: RqJob[] = [];
    for (const count of [1, 2, 3]) {
      jobs.push(await unique(count, { until: 'started' }));
      await worker.events.waitFor('jobStarted', count);
    }
    expect(jobs.every(({ isNew }) => isNew)).toBe(true);
    expect(worker.ran).toEqual([1, 2, 3]);
    worker.gate.resolve('done');
    for (const job of jobs) await job.result({ timeout: 5 });
    expect(await keys()).toEqual({});
  });
});

describe("else: 'error'", () => {
  it('is a DuplicateJobError that names the other job', async () => {
    const first = await unique(1);
    const refused = await unique(2, { else: 'error' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DuplicateJobError);
    expect(refused).toMatchObject({ code: 'RQ_DUPLICATE_JOB', jobId: first.id });
    expect(String(refused)).not.toContain(BY);
    expect(await stored()).toBe(1);
  });

  it('refuses all jobs of enqueueMany', async () => {
    const first = await unique(1);
    const many = engine
      .queue()
      .enqueueMany([
        { name: 'f' },
        { name: 'f', options: { unique: { by: 'another' } } },
        { name: 'f', options: { unique: { by: BY, else: 'error' } } },
      ]);
    await expect(many).rejects.toMatchObject({ code: 'RQ_DUPLICATE_JOB', jobId: first.id });
    expect(await stored()).toBe(1);
    expect(await keys()).toEqual({ [`by:${BY}`]: first.id });
  });

  it('is none where the data were replaced', async () => {
    await unique(1, { replace: true, else: 'error' });
    expect(await dataOf(await unique(2, { replace: true, else: 'error' }))).toBe(2);
  });
});
