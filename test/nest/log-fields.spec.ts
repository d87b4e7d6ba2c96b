// The log by fields, for machines; and few lines of many failures.
import { jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { LoggingObserver } from '../../lib/nest/root/logging-observer.js';

const job = { queue: 'work', name: 're\u001b[2Jsize', jobId: 'a1', attempt: 2 };
const failure = {
  name: 'RangeError',
  message: 'no answer from 10.0.0.1',
  stack: 'RangeError: no\n  at x',
};
const failed = {
  ...job,
  failure,
  error: undefined,
  why: 'no retries are left',
  duration: 30.4,
  wait: 1200,
};

const said: unknown[][] = [];
const note =
  (level: string) =>
  (...words: unknown[]) =>
    void said.push([level, ...words.filter((word) => word !== undefined)]);
beforeEach(() => {
  said.splice(0);
  Logger.overrideLogger({ log: note('log'), warn: note('warn'), error: note('error') });
});
afterAll(() => Logger.overrideLogger(false));

it('lines about jobs are objects, with the sentence as message, clean and without data', () => {
  const log = new LoggingObserver('default', undefined, 'fields', () => ({ worker: 'w1' }));
  log.jobFailed(failed);
  log.jobRetrying({ ...failed, wait: undefined, delay: 5000, retriesLeft: 1 });
  log.jobLost(job);
  expect(said).toEqual([
    [
      'error',
      {
        event: 'job.failed',
        message: expect.stringContaining(
          'Job resize (queue work, id a1): attempt 2 failed',
        ) as string,
        queue: 'work',
        job: 'resize',
        jobId: 'a1',
        attempt: 2,
        why: 'no retries are left',
        durationMs: 30,
        waitMs: 1200,
        worker: 'w1',
        error: {
          name: 'RangeError',
          message: 'no answer from 10.0.0.1',
          cause: expect.stringMatching(/^[0-9a-f]{10}$/) as string,
        },
        stack: 'RangeError: no\n  at x',
      },
      'RqWorker',
    ],
    [
      'warn',
      expect.objectContaining({ event: 'job.retrying', retriesLeft: 1, delayMs: 5000 }),
      'RqWorker',
    ],
    ['warn', expect.objectContaining({ event: 'job.lost', jobId: 'a1' }), 'RqWorker'],
  ]);
});

it("Nest's own JSON logger takes them", () => {
  const written: string[] = [];
  const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    Logger.overrideLogger(new ConsoleLogger({ json: true, colors: false }));
    new LoggingObserver('default', undefined, 'fields').jobLost(job);
  } finally {
    stdout.mockRestore();
  }
  const [line = ''] = written;
  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    message: { event: 'job.lost', queue: 'work' },
  });
});

it('ten failures of one kind are told within a minute, the others as a number', () => {
  jest.useFakeTimers();
  try {
    const log = new LoggingObserver('default');
    for (let times = 0; times < 1213; times += 1) log.jobFailed(failed);
    log.jobFailed({ ...failed, failure: { ...failure, name: 'TypeError' } });
    expect(said).toHaveLength(11);
    jest.advanceTimersByTime(60_000);
    expect(said.slice(11)).toEqual([
      [
        'error',
        '1203 more failures of resize (queue work) within a minute, such as RangeError: no answer from 10.0.0.1',
        'RqWorker',
      ],
    ]);
    log.jobFailed(failed);
    log.stopped(['work']);
    expect(said).toHaveLength(14);
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
