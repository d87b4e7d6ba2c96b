import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RqConnectionError } from 'nestjs-rq';
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
  log.problemSolved({ message: bad, problem: bad });
  log.stopped([bad]);
  expect(logs.lines).toHaveLength(11);
  expect(logs.lines.filter((line) => !/^\w+ RqWorker: .*x\?forged\?/i.test(line))).toEqual([]);
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(logs.lines.join('')).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/);
  expect(logs.stacks[0]).toBe('Error\n  at x\nforged  ');
});

it('trouble and its end are an error and a log line, without URLs', () => {
  const log = new LoggingObserver('default');
  const error = new Error('connect to redis://user:secret@host:6379 refused\nat once');
  const problem = 'schedules cannot be fired';
  log.problem({ message: problem, error });
  log.problemSolved({ message: 'schedules are fired again', problem });
  expect(logs.lines).toEqual([
    'error RqWorker: Schedules cannot be fired: connect to <url> refused?at once',
    'log RqWorker: Schedules are fired again',
  ]);
});

describe('an outage of Redis', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const log = () => new LoggingObserver('default');
  const reason = new Error('connect ECONNREFUSED redis://user:secret@host:6379');
  const away = (queue?: string) => {
    const about = queue === undefined ? {} : { queue };
    const error = new RqConnectionError({ action: `serve ${queue}`, reason });
    return { message: `${queue ?? 'schedules'} stands still`, error, ...about };
  };
  const back = (queue?: string) => ({
    message: `${queue ?? 'schedules'} goes on`,
    problem: `${queue ?? 'schedules'} stands still`,
  });

  it('is one line, and one at its end, whatever stands still for it', () => {
    const one = log();
    for (const queue of ['mail', 'images']) one.problem(away(queue));
    one.problem(away());
    one.problem({ ...away('mail'), message: 'leases of mail' });
    jest.advanceTimersByTime(1000);
    one.problem({ ...away(), message: 'more' });
    jest.advanceTimersByTime(60_000);
    one.problem(away('mail'));
    jest.advanceTimersByTime(1000);
    expect(logs.lines).toEqual([
      expect.stringMatching(
        /^error RqWorker: Queues images, mail cannot be served: connect ECONNREFUSED <url>/,
      ),
    ]);
    for (const queue of ['images', undefined, 'mail']) one.problemSolved(back(queue));
    one.problemSolved({ message: 'leases', problem: 'leases of mail' });
    expect(logs.lines.slice(1)).toEqual([
      'log RqWorker: Queues images, mail are served again, after 1m 2s',
    ]);
    // The next one is another.
    one.problem(away('mail'));
    jest.advanceTimersByTime(1000);
    expect(logs.lines).toHaveLength(3);
  });

  it('is told again after five minutes, and of queues that follow', () => {
    const one = log();
    one.problem(away('mail'));
    jest.advanceTimersByTime(5000);
    one.problem(away('images'));
    jest.advanceTimersByTime(301_000);
    for (const queue of ['mail', 'images']) one.problem(away(queue));
    jest.advanceTimersByTime(1000);
    expect(logs.lines.map((line) => line.slice(0, 50))).toEqual([
      'error RqWorker: Queue mail cannot be served: conne',
      'error RqWorker: Queue images cannot be served: con',
      'error RqWorker: Queues images, mail cannot be serv',
    ]);
  });

  it('may be over for some queues only; short ones and other reasons are told as well', () => {
    const one = log();
    one.problem(away('mail'));
    one.problem(away('images'));
    one.problem({ queue: 'full', message: 'full stands still', error: new Error('OOM') });
    one.problemSolved(back('mail'));
    jest.advanceTimersByTime(16_000);
    expect(logs.lines.slice(1)).toEqual([
      'error RqWorker: Queue full cannot be served: OOM',
      'log RqWorker: Queue mail is served again, after 15s',
    ]);
    one.problem(away('mail'));
    one.stopped(['mail']);
    expect(logs.lines.at(-2)).toMatch(/^error RqWorker: Queue mail cannot be served/);
  });

  it('of something else than queues is told by itself', () => {
    const one = log();
    one.problem(away());
    jest.advanceTimersByTime(1000);
    one.problemSolved(back());
    expect(logs.lines).toEqual([
      expect.stringMatching(/^error RqWorker: Schedules stands still: Could not serve/),
      'log RqWorker: Schedules goes on',
    ]);
  });
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
