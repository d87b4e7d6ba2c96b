import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { LoggingObserver } from '../../lib/nest/root/logging-observer.js';
import { LogLines } from './support/applications.js';

const job = { queue: 'work', name: 'resize', jobId: 'a1', attempt: 2 };
const times = { duration: 30, wait: undefined };

let logs: LogLines;
beforeEach(() => {
  logs = new LogLines();
  Logger.overrideLogger(logs);
});
afterAll(() => Logger.overrideLogger(false));

it('what happens to jobs beside success and failure is a warn line', () => {
  const log = new LoggingObserver('default');
  log.jobLost(job);
  log.jobRecovered({ ...job, outcome: 'requeued' });
  log.jobRecovered({ ...job, name: '', outcome: 'requeued' });
  log.jobDropped({ queue: 'work', jobId: 'a1', reason: 'no such job' });
  log.jobCanceled({ ...job, reason: 'nobody wants it' });
  expect(logs.lines).toEqual([
    'warn RqWorker: Job resize (queue work, id a1): lost its lease in attempt 2; what the handler did there is not recorded, the job runs or ran elsewhere',
    'warn RqWorker: Job resize (queue work, id a1) was running when its worker died: it runs again',
    'warn RqWorker: Job a1 (queue work) was running when its worker died: it runs again',
    'warn RqWorker: Job a1 (queue work) was dropped: no such job',
    'warn RqWorker: Job resize (queue work, id a1): canceled in attempt 2: nobody wants it',
  ]);
});

it('a job that fails since its workers died is an error line', () => {
  new LoggingObserver('default').jobRecovered({ ...job, outcome: 'failed' });
  expect(logs.lines).toEqual([
    'error RqWorker: Job resize (queue work, id a1) was running when its worker died: it failed, since that has happened too often (maxCrashes). Requeue it when the cause is known',
  ]);
});

it('jobs that a shutdown cuts off are one line for each queue', () => {
  const log = new LoggingObserver('default');
  for (let number = 1; number <= 7; number += 1)
    log.jobReleased({ ...job, jobId: `a${number}`, reason: 'shutdown' });
  log.jobReleased({ ...job, jobId: 'ahead', reason: 'prefetched' });
  log.jobReleased({ ...job, queue: 'mail', name: 'send', reason: 'shutdown' });
  expect(logs.lines).toEqual([]);
  log.stopped(['work', 'mail']);
  expect(logs.lines).toEqual([
    'warn RqWorker: 7 jobs given back to queue work, not done within shutdownTimeout: resize a1, resize a2, resize a3, resize a4, resize a5, ...',
    'warn RqWorker: 1 job given back to queue mail, not done within shutdownTimeout: send a1',
    'log RqWorker: Worker stopped: queues work, mail',
  ]);
});

it('many dropped ids are one line, and one with their number when a minute is over or the worker stops', () => {
  jest.useFakeTimers();
  try {
    const log = new LoggingObserver('default');
    const drop = (count: number, reason: string) => {
      for (let number = 1; number <= count; number += 1)
        log.jobDropped({ queue: 'work', jobId: `${reason}-${number}`, reason });
    };
    drop(1000, 'missing');
    drop(1, 'canceled');
    expect(logs.lines).toEqual([
      'warn RqWorker: Job missing-1 (queue work) was dropped: missing',
      'warn RqWorker: Job canceled-1 (queue work) was dropped: canceled',
    ]);
    jest.advanceTimersByTime(60_000);
    expect(logs.lines.slice(2)).toEqual([
      'warn RqWorker: 999 more jobs of queue work were dropped: missing',
    ]);
    drop(3, 'missing');
    log.stopped(['work']);
    expect(logs.lines.slice(4, 5)).toEqual([
      'warn RqWorker: 2 more jobs of queue work were dropped: missing',
    ]);
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

it('reasons out of Redis do not fill the log either', () => {
  const log = new LoggingObserver('default');
  for (let number = 1; number <= 1000; number += 1)
    log.jobDropped({ queue: 'work', jobId: 'a', reason: `status ${number}` });
  log.stopped([]);
  expect(logs.lines.length).toBeLessThan(105);
  expect(logs.lines.at(-2)).toMatch(/899 more jobs of queue work were dropped: other reasons$/);
});

it('the end of an error is no end of the line', () => {
  const log = new LoggingObserver('default');
  const failure = {
    name: 'JobTimeoutError',
    message: 'let it stop when job.signal aborts.',
    stack: '',
  };
  log.jobRetrying({ ...job, failure, error: undefined, ...times, delay: 0, retriesLeft: 1 });
  log.jobFailed({ ...job, failure, error: undefined, ...times, why: 'no retries left' });
  expect(logs.lines).toEqual([
    expect.stringMatching(
      / failed: JobTimeoutError: let it stop when job.signal aborts; runs again now$/,
    ),
    expect.stringMatching(/ aborts; it does not run again: no retries left$/),
  ]);
});

it('no text of strangers is obeyed by a log or terminal', () => {
  const log = new LoggingObserver('default');
  const bad = 'x\u001B[2J\nforged\u202E';
  const failure = { name: bad, message: bad, stack: `Error\n  at ${bad}\r` };
  const about = { queue: bad, name: bad, jobId: bad, attempt: 1 };
  log.started([bad]);
  log.jobRetrying({ ...about, failure, error: undefined, ...times, delay: 0, retriesLeft: 0 });
  log.jobFailed({ ...about, failure, error: undefined, ...times, why: bad });
  log.jobCanceled({ ...about, reason: bad });
  log.jobLost(about);
  log.jobRecovered({ ...about, outcome: 'failed' });
  log.jobReleased({ ...about, reason: 'shutdown' });
  log.jobDropped({ ...about, reason: `its status is ${bad}` });
  log.problem({ message: bad, error: new Error(bad) });
  log.problemSolved({ message: bad });
  log.stopped([bad]);
  expect(logs.lines).toHaveLength(11);
  expect(logs.lines.filter((line) => !/^\w+ RqWorker: .*x\?forged\?/i.test(line))).toEqual([]);
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(logs.lines.join('')).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/);
  expect(logs.stacks[0]).toBe('Error\n  at x\nforged  ');
});

it('trouble with Redis and its end are an error and a log line, without URLs', () => {
  const log = new LoggingObserver('default');
  const error = new Error('connect to redis://user:secret@host:6379 refused\nat once');
  log.problem({ message: 'queue "work" cannot be served', error });
  log.problemSolved({ message: 'queue "work" is served again' });
  expect(logs.lines).toEqual([
    'error RqWorker: Queue "work" cannot be served: connect to <url> refused?at once',
    'log RqWorker: Queue "work" is served again',
  ]);
});

it('the worker of a root with a name says so', () => {
  const log = new LoggingObserver('reports');
  log.started(['images', 'mail'], 5);
  log.stopped(['images']);
  expect(logs.lines).toEqual([
    'log RqWorker: Worker of root "reports" started: queues images, mail, concurrency 5',
    'log RqWorker: Worker of root "reports" stopped: queue images',
  ]);
});

it('a name out of Redis never makes a line of its own', () => {
  const log = new LoggingObserver('default');
  const failure = { name: 'Error', message: '', stack: 'Error' };
  log.jobRetrying({
    ...job,
    name: 'a\nerror forged\u2028'.padEnd(2000, 'x'),
    failure,
    error: undefined,
    ...times,
    delay: 90_000,
    retriesLeft: 0,
  });
  expect(logs.lines[0]).toMatch(
    /^warn RqWorker: Job a\?error forged\?x+ \(queue work, id a1\): attempt 2 of 3 failed: Error; runs again in 1m 30s$/,
  );
  expect(logs.lines[0]!.length).toBeLessThan(700);
});
