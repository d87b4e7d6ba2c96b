import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Job, type RunningJob, SnoozeJob } from 'nestjs-rq';
import { closeApplicationsAfterEach, startMail } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Jobs {
  readonly ran: string[] = [];

  @Job({ queue: 'mail', retry: { max: 3, interval: ['5m', '30m'] } })
  failing(_: unknown, job: RunningJob) {
    this.ran.push(`attempt ${job.attempt}`);
    throw new Error('never well');
  }

  @Job('mail')
  note(text: string) {
    this.ran.push(text);
  }

  @Job({ queue: 'mail', retry: { interval: '10m', within: '25m' } })
  urgent(_: unknown, job: RunningJob) {
    this.ran.push(`attempt ${job.attempt}`);
    throw new Error('never well');
  }

  @Job('mail')
  everyHour(): void {
    this.ran.push('looked');
    throw new SnoozeJob({ for: '1h' });
  }
}

const startJobs = () => startMail(Jobs);

// The connections and the worker need real timers.
const ALL_BUT_DATE = [
  ...(['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'performance'] as const),
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'hrtime'] as const),
];

it('retries after minutes run as their time comes, each at its own', async () => {
  const { rq, mail, ran } = await startJobs();
  const job = await mail.enqueue('failing');
  await rq.drain();
  expect(ran).toEqual(['attempt 1']);
  expect(await rq.enqueued('mail')).toMatchObject([
    {
      name: 'failing',
      status: 'scheduled',
      dueIn: expect.closeTo(300, -1),
      retriesLeft: 2,
      attempts: 1,
    },
  ]);

  await rq.advance('4m');
  expect(ran).toHaveLength(1);
  await rq.advance('1m');
  expect(ran).toHaveLength(2);
  expect(await rq.advance('60m')).toMatchObject({ retrying: 1, failed: 1 });
  expect(ran).toEqual(['attempt 1', 'attempt 2', 'attempt 3', 'attempt 4']);
  expect(await job.status()).toBe('failed');
});

it('intervals fit into their sum', async () => {
  const { rq, mail, ran } = await startJobs();
  await mail.enqueue('failing', undefined, { retry: { max: 5, interval: '1m' } });
  expect(await rq.advance('5m')).toMatchObject({ retrying: 5, failed: 1 });
  expect(ran).toHaveLength(6);
});

it('all that becomes due meanwhile runs in its order, once for each time', async () => {
  const { rq, mail, ran } = await startJobs();
  await mail.enqueueIn('90m', 'note', 'after 90 minutes');
  await mail.enqueue('everyHour');
  await mail.enqueueIn('30m', 'note', 'after 30 minutes');
  await mail.enqueueIn('4h', 'note', 'after 4 hours');
  await rq.advance('3h');
  expect(ran).toEqual([
    'looked',
    'after 30 minutes',
    'looked',
    'after 90 minutes',
    'looked',
    'looked',
  ]);
});

it('a window for retries is measured in the time that has passed', async () => {
  const { rq, mail, ran } = await startJobs();
  const job = await mail.enqueue('urgent');
  await rq.advance('10h');
  expect(ran).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
  expect(await job.status()).toBe('failed');
});

it('what is kept for a while is gone when that has passed', async () => {
  const { rq, mail } = await startJobs();
  const job = await mail.enqueue('note', 'short', { resultTtl: '10m' });
  await rq.advance('9m');
  expect(await job.status()).toBe('finished');
  await rq.advance('2m');
  await expect(job.status()).rejects.toThrow('No job');
});

it('the clock goes on, and is told', async () => {
  const { rq } = await startJobs();
  const before = await rq.now();
  expect(Math.abs(before.getTime() - Date.now())).toBeLessThan(10_000);
  await rq.advance('1d');
  const passed = (await rq.now()).getTime() - before.getTime();
  expect(passed).toBeGreaterThanOrEqual(86_400_000);
  expect(passed).toBeLessThan(86_410_000);
});

it('time passes for paused queues, too, whose jobs stay where they are', async () => {
  const { rq, mail, ran } = await startJobs();
  await mail.pause();
  await mail.enqueueIn('5m', 'note', 'paused');
  await rq.advance('1h');
  expect(ran).toEqual([]);
  await mail.resume();
  await rq.drain();
  expect(ran).toEqual(['paused']);
});

it('drain: false moves the clock alone', async () => {
  const { rq, mail, ran } = await startJobs();
  await mail.enqueueIn('5m', 'note', 'later');
  await mail.enqueue('note', 'short-lived', { ttl: '2m' });
  await rq.advance('5m', { drain: false });
  expect(ran).toEqual([]);
  await rq.drain();
  expect(ran).toEqual(['later']);
});

it('Date in the application moves when the test moves it, too', async () => {
  const { rq, mail, ran } = await startJobs();
  jest.useFakeTimers({ doNotFake: ALL_BUT_DATE });
  try {
    await mail.enqueue('urgent');
    await rq.advance('1d');
    expect(ran).toHaveLength(3);
    jest.setSystemTime(await rq.now());
    await mail.enqueueAt(new Date(Date.now() + 3_600_000), 'note', 'in an hour');
    expect(await rq.enqueued('mail')).toMatchObject([
      { name: 'note', dueIn: expect.closeTo(3600, -1) },
    ]);
    await rq.advance('1h');
    expect(ran.at(-1)).toBe('in an hour');
  } finally {
    jest.useRealTimers();
  }
});

it('a job may be due in a hundred years', async () => {
  const { rq, mail, ran } = await startJobs();
  await mail.enqueueIn('36000d', 'note', 'at last');
  await rq.advance('36000d');
  expect(ran).toEqual(['at last']);
});

it.each([
  ['a duration that is none', ['soon'], /RqTesting\.advance: duration must be a duration/],
  ['an unknown option', ['1m', { drian: true }], /RqTesting\.advance: drian is not an option/],
  ['an impossible timeout', ['1m', { timeout: -1 }], /timeout must not be negative/],
])('advance refuses %s', async (_, args, message) => {
  const { rq } = await startJobs();
  await expect(rq.advance(...(args as Parameters<typeof rq.advance>))).rejects.toThrow(message);
});
