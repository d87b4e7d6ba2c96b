import { CancelJob, FailJob, Retry, RetryJob, SnoozeJob } from '../../lib/job/index.js';
import { Engine } from './support/engine.js';
import { expectGaps, Runs } from './support/gaps.js';

const engine = Engine.forThisFile();

/** Throws what is given for each run; undefined: the run succeeds. */
function script(...steps: readonly unknown[]) {
  let step = 0;
  return () => {
    const thrown = steps[step];
    step += 1;
    if (thrown !== undefined) throw thrown;
    return 'done';
  };
}

describe('RetryJob', () => {
  it("takes its own wait instead of the policy's, and spends a retry", async () => {
    const runs = new Runs();
    const worker = await engine.work({
      picky: runs.of(script(new RetryJob({ in: 0.1 }), new RetryJob({ in: '200ms' }), undefined)),
    });
    const retry = { max: 2, interval: 60 };
    const job = await engine.queue().enqueue('picky', undefined, { retry });

    expect(await job.result({ timeout: 5 })).toBe('done');

    expectGaps(runs.gaps, [100, 200]);
    const left = worker.events.of('jobRetrying').map(({ retriesLeft }) => retriesLeft);
    expect(left).toEqual([1, 0]);
  });

  it("waits as the policy says when it says nothing, and keeps the policy's order", async () => {
    const runs = new Runs();
    await engine.work({
      picky: runs.of(script(new RetryJob(), new RetryJob({ in: 0 }), new RetryJob(), undefined)),
    });
    const retry = { max: 3, interval: [0.1, 60, 0.15] };
    const job = await engine.queue().enqueue('picky', undefined, { retry });

    expect(await job.result({ timeout: 5 })).toBe('done');
    expectGaps(runs.gaps, [100, 0, 150]);
  });

  it('fails the job when no retry is left, with its reason', async () => {
    await engine.work({ picky: script(new RetryJob({ reason: 'the printer is busy' })) });

    const job = await engine.queue().enqueue('picky');

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({
      code: 'RQ_JOB_FAILED',
      reason: expect.stringMatching(/^RetryJob: the printer is busy\n/) as string,
    });
  });

  it('may go to the head of the queue', async () => {
    const order: unknown[] = [];
    await engine.work(
      {
        pushy: (_, job) => {
          order.push(`pushy ${job.attempt}`);
          if (job.attempt === 1) throw new RetryJob({ front: true });
        },
        other: () => void order.push('other'),
      },
      { concurrency: 1, prefetch: 0 },
    );
    const jobs = await engine
      .queue()
      .enqueueMany([
        { name: 'pushy', options: { retry: { max: 1, interval: 0 } } },
        { name: 'other' },
      ]);
    await Promise.all(jobs.map((job) => job.result({ timeout: 5 })));

    expect(order).toEqual(['pushy 1', 'pushy 2', 'other']);
  });
});

describe('SnoozeJob', () => {
  it('puts the job off without spending a retry or counting an attempt', async () => {
    const runs = new Runs();
    const seen: unknown[] = [];
    const steps = script(new SnoozeJob({ for: 0.1 }), new SnoozeJob({ for: '150ms' }), undefined);
    const worker = await engine.work({
      sleepy: runs.of((_, job) => {
        seen.push([job.attempt, job.retriesLeft]);
        return steps();
      }),
    });
    const job = await engine
      .queue()
      .enqueue('sleepy', undefined, { retry: { max: 1, interval: 0 } });

    expect(await job.result({ timeout: 5 })).toBe('done');

    expectGaps(runs.gaps, [100, 150]);
    expect(seen).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(worker.events.of('jobSnoozed')).toMatchObject([
      { reason: 'snoozed', delay: 100 },
      { reason: 'snoozed', delay: 150 },
    ]);
    expect(worker.events.of('jobRetrying')).toEqual([]);
    expect(await job.results()).toMatchObject([{ attempt: 1, outcome: 'finished' }]);
  });

  it('works for a job without any policy, and waits in `scheduled`', async () => {
    const worker = await engine.work({ sleepy: script(new SnoozeJob({ for: 60 })) });
    const job = await engine.queue().enqueue('sleepy');
    await worker.events.waitFor('jobSnoozed');

    expect(await job.status()).toBe('scheduled');
    expect(await engine.places(job.id)).toEqual(['scheduled']);
  });
});

describe('FailJob', () => {
  it('fails the job at once: its retries are not used', async () => {
    const runs = new Runs();
    const worker = await engine.work({
      nonRetryable: runs.of(script(new FailJob('gone', { cause: new Error('404') }))),
    });
    const job = await engine
      .queue()
      .enqueue('nonRetryable', undefined, { retry: { max: 5, interval: 0 } });

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({
      reason: expect.stringMatching(/^FailJob: gone\n[^]*Caused by: Error: 404/) as string,
    });

    expect(runs.count).toBe(1);
    expect(await engine.places(job.id)).toEqual(['failed']);
    expect(worker.events.of('jobFailed')).toMatchObject([{ why: 'the handler threw FailJob' }]);
  });
});

describe('CancelJob', () => {
  it('ends the job as canceled, which is no failure', async () => {
    const worker = await engine.work({ moot: script(new CancelJob('nobody wants it')) });
    const job = await engine.queue().enqueue('moot', undefined, { retry: { max: 5, interval: 0 } });

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({
      code: 'RQ_JOB_CANCELED',
      message: expect.stringContaining('nobody wants it') as string,
    });

    // Again, from what is stored.
    await expect(job.result({ timeout: 5 })).rejects.toThrow('nobody wants it');
    expect(await job.status()).toBe('canceled');
    expect(await engine.places(job.id)).toEqual(['canceled']);
    expect(worker.events.of('jobCanceled')).toMatchObject([{ reason: 'nobody wants it' }]);
    expect(worker.events.of('jobFailed')).toEqual([]);
  });

  it('can be taken back by requeueing', async () => {
    await engine.work({ moot: script(new CancelJob(), undefined) });
    const job = await engine.queue().enqueue('moot');
    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({ code: 'RQ_JOB_CANCELED' });

    await job.requeue();

    expect(await job.result({ timeout: 5 })).toBe('done');
    expect(await engine.places(job.id)).toEqual(['finished']);
  });
});

describe('a returned Retry', () => {
  it("runs the job again by RQ's second counter, beside the policy", async () => {
    const runs = new Runs();
    const seen: unknown[] = [];
    await engine.work({
      patient: runs.of((_, job) => {
        seen.push([job.attempt, job.retriesLeft]);
        return job.attempt < 3 ? Retry({ max: 5, interval: [0.1, 0.2] }) : 'done';
      }),
    });
    const job = await engine
      .queue()
      .enqueue('patient', undefined, { retry: { max: 4, interval: 0 } });

    expect(await job.result({ timeout: 5 })).toBe('done');

    expectGaps(runs.gaps, [100, 200]);
    expect(seen).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
    ]);
    expect(await engine.fields(job.id)).toMatchObject({
      number_of_retries: '2',
      retries_left: '4',
    });
  });

  it('fails the job when its own count is used up', async () => {
    const runs = new Runs();
    await engine.work({ patient: runs.of(() => Retry({ max: 2 })) });

    const job = await engine.queue().enqueue('patient');

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({ code: 'RQ_JOB_FAILED' });
    expect(runs.count).toBe(3);
    expect(await engine.places(job.id)).toEqual(['failed']);
  });
});

describe('which errors are worth a retry', () => {
  class TimeoutError extends Error {}
  class ConnectTimeoutError extends TimeoutError {}
  class ValidationError extends Error {}

  it.each([
    ['on: one of them', { on: [TimeoutError] }, new TimeoutError('x'), 3],
    ['on: a subclass', { on: [TimeoutError] }, new ConnectTimeoutError('x'), 3],
    ['on: another', { on: [TimeoutError] }, new ValidationError('x'), 1],
    ['on: no error at all', { on: [TimeoutError] }, 'text', 1],
    ['except: one of them', { except: [ValidationError] }, new ValidationError('x'), 1],
    ['except: another', { except: [ValidationError] }, new TimeoutError('x'), 3],
    [
      'on and except',
      { on: [TimeoutError], except: [ConnectTimeoutError] },
      new ConnectTimeoutError('x'),
      1,
    ],
    [
      'when: yes',
      { when: (error: unknown) => (error as Error).message === 'x' },
      new Error('x'),
      3,
    ],
    ['when: no', { when: () => false }, new Error('x'), 1],
    [
      'when: it throws itself',
      {
        when: () => {
          throw new Error('in when');
        },
      },
      new Error('x'),
      1,
    ],
    ['RetryJob asks for itself', { on: [TimeoutError] }, new RetryJob(), 3],
  ])('%s', async (_, filter, thrown, runCount) => {
    const runs = new Runs();
    await engine.work({
      picky: {
        retry: { max: 2, interval: 0, ...filter },
        run: runs.of(() => {
          throw thrown;
        }),
      },
    });

    const job = await engine.queue().enqueue('picky');

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({ code: 'RQ_JOB_FAILED' });
    expect(runs.count).toBe(runCount);
  });

  it("is the handler's word also for jobs that bring their own policy", async () => {
    const runs = new Runs();
    await engine.work({
      picky: {
        retry: { except: [ValidationError] },
        run: runs.of(() => {
          throw new ValidationError('x');
        }),
      },
    });
    const job = await engine
      .queue()
      .enqueue('picky', undefined, { retry: { max: 5, interval: 0 } });

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({ code: 'RQ_JOB_FAILED' });
    expect(runs.count).toBe(1);
  });

  it('`when` sees the running job', async () => {
    const seen: unknown[] = [];
    await engine.work({
      picky: {
        retry: {
          max: 5,
          interval: 0,
          when: (_, job) => {
            seen.push([job.name, job.data, job.attempt]);
            return job.attempt < 2;
          },
        },
        run: () => {
          throw new Error('x');
        },
      },
    });
    const job = await engine.queue().enqueue('picky', { a: 1 });
    await expect(job.result({ timeout: 5 })).rejects.toThrow('x');

    expect(seen).toEqual([
      ['picky', { a: 1 }, 1],
      ['picky', { a: 1 }, 2],
    ]);
  });
});
