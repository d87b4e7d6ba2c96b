import { JobTimeoutError, type JobOptions } from '../../lib/job/index.js';
import { EARLINESS, LATENESS } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const never = () => new Promise(() => undefined);

describe('a job that takes longer than its timeout', () => {
  it.each<[JobOptions['timeout'], number]>([
    ['100ms', 100],
    [0.25, 250],
    [1, 1000],
  ])('of %j fails in time, not early, not late', async (timeout, milliseconds) => {
    let began = 0;
    let aborted = 0;
    await engine.work({
      slow: (_, job) => {
        began = performance.now();
        job.signal.addEventListener('abort', () => (aborted = performance.now()));
        return never();
      },
    });
    const job = await engine.queue().enqueue('slow', undefined, { timeout });

    await expect(job.result({ timeout: 7 })).rejects.toMatchObject({
      reason: expect.stringMatching(/^JobTimeoutError: Job .* exceeded its timeout/) as string,
    });

    // The time runs from a moment before the handler begins.
    expect(aborted - began).toBeGreaterThanOrEqual(milliseconds - EARLINESS);
    expect(aborted - began).toBeLessThan(milliseconds + LATENESS);
  });

  it('is told by its signal, with the reason', async () => {
    const reason = deferred<unknown>();
    await engine.work({
      slow: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          expect(signal.aborted).toBe(false);
          signal.addEventListener('abort', () => {
            reason.resolve(signal.reason);
            reject(signal.reason as Error);
          });
        }),
    });
    const job = await engine.queue().enqueue('slow', undefined, { timeout: 0.05 });
    await expect(job.result({ timeout: 5 })).rejects.toThrow('exceeded its timeout of 0.05 s');

    expect(await reason.promise).toBeInstanceOf(JobTimeoutError);
    expect(await reason.promise).toMatchObject({ code: 'RQ_JOB_TIMEOUT', jobId: job.id });
  });

  it('frees its slot although the handler never returns', async () => {
    await engine.work({ slow: never, quick: () => 'quick' }, { concurrency: 1 });
    const queue = engine.queue();
    const slow = await queue.enqueue('slow', undefined, { timeout: 0.1 });
    const quick = await queue.enqueue('quick');

    expect(await quick.result({ timeout: 5 })).toBe('quick');
    expect(await slow.status()).toBe('failed');
  });

  it('spends a retry and runs again, each time with the whole timeout', async () => {
    const signals: AbortSignal[] = [];
    await engine.work({
      slow: (_, job) => {
        signals.push(job.signal);
        return job.attempt === 1 ? never() : 'done';
      },
    });
    const options = { timeout: 0.05, retry: { max: 1, interval: 0 } };
    const job = await engine.queue().enqueue('slow', undefined, options);

    expect(await job.result({ timeout: 5 })).toBe('done');

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(await job.results()).toMatchObject([
      { outcome: 'retrying', error: expect.stringMatching(/^JobTimeoutError/) as string },
      { outcome: 'finished' },
    ]);
  });

  it('is failed for good: what the handler returns later changes nothing', async () => {
    const gate = deferred<string>();
    const worker = await engine.work({ slow: () => gate.promise, quick: () => 'quick' });
    const job = await engine.queue().enqueue('slow', undefined, { timeout: 0.05 });
    await worker.events.waitFor('jobFailed');

    gate.resolve('too late');
    const quick = await engine.queue().enqueue('quick');
    await quick.result({ timeout: 5 });

    expect(await job.status()).toBe('failed');
    expect(worker.events.of('jobFinished')).toHaveLength(1);
  });

  it('can be retried by the class of the error', async () => {
    let runs = 0;
    await engine.work({
      slow: {
        retry: { max: 2, interval: 0, on: [JobTimeoutError] },
        timeout: 0.03,
        run: () => {
          runs += 1;
          return never();
        },
      },
    });
    const job = await engine.queue().enqueue('slow');
    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({ code: 'RQ_JOB_FAILED' });
    expect(runs).toBe(3);
  });
});

describe('jobs that run side by side', () => {
  it('each end by their own timeout, whichever started first', async () => {
    const worker = await engine.work({ slow: never }, { concurrency: 4 });
    const order: string[] = [];
    // They start in one step, so that their times begin at one moment.
    const timeouts = { longest: '900ms', shortest: '150ms', long: '600ms', short: '350ms' };
    const jobs = await engine.queue().enqueueMany(
      Object.entries(timeouts).map(([id, timeout]) => ({
        name: 'slow',
        options: { id, timeout },
      })),
    );
    for (const job of jobs) void job.result({ timeout: 9 }).catch(() => order.push(job.id));
    await worker.events.waitFor('jobFailed', 4);
    await eventually(() => order.length === 4, { what: 'four failures' });
    expect(order).toEqual(['shortest', 'short', 'long', 'longest']);
  });
});

describe('a job with enough time', () => {
  it('leaves no timer of its timeout behind', async () => {
    const worker = await engine.work({ quick: () => 1 });
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    const before = timers().length;
    for (let count = 0; count < 20; count += 1) {
      await engine.queue().enqueue('quick', undefined, { timeout: 600 });
    }
    await worker.events.waitFor('jobFinished', 20);
    await eventually(() => timers().length <= before + 1, { what: 'timers to be gone' });
  });

  it('may have no limit at all', async () => {
    const gate = deferred<string>();
    await engine.work({ slow: { timeout: 0.01, run: () => gate.promise } });
    const options = { timeout: false } as const;
    const job = await engine.queue().enqueue('slow', undefined, options);
    await eventually(async () => (await job.status()) === 'started', { what: 'the start' });

    // The handler's own timeout does not count; a second job shows that its time would be over.
    const limited = await engine.queue().enqueue('slow');
    await expect(limited.result({ timeout: 5 })).rejects.toThrow('exceeded its timeout');
    expect(await job.status()).toBe('started');
    gate.resolve('done');
    expect(await job.result({ timeout: 5 })).toBe('done');
  });
});
