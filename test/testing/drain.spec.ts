import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  CancelJob,
  FailJob,
  InjectQueue,
  Job,
  Queue,
  RedisJobStore,
  RqModule,
  type RunningJob,
  SnoozeJob,
} from 'nestjs-rq';
import { DrainTimeoutError } from 'nestjs-rq/testing';
import { deferred, eventually, within } from '../support/wait.js';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Jobs {
  readonly ran: string[] = [];
  readonly started = deferred();
  readonly mayEnd = deferred();

  constructor(
    @InjectQueue('mail') private readonly mail: Queue<Jobs>,
    @InjectQueue('reports') private readonly reports: Queue<Jobs>,
  ) {}

  @Job('mail')
  sendMail(to: string) {
    this.ran.push(`mail to ${to}`);
  }

  @Job('mail')
  async welcome(to: string) {
    await this.reports.enqueue('report', `${to} is new`);
    await this.mail.enqueue('sendMail', to);
  }

  @Job('reports')
  async report(text: string) {
    this.ran.push(text);
    if (text.length < 20) await this.reports.enqueue('report', `${text}!`);
  }

  @Job('mail')
  async hangs() {
    this.started.resolve();
    await this.mayEnd.promise;
    this.ran.push('hung');
  }

  @Job({ queue: 'mail', retry: { max: 2, interval: 0 } })
  flaky(_: unknown, job: RunningJob) {
    if (job.attempt < 3) throw new Error('again');
  }

  @Job('mail')
  ends(how: 'fail' | 'cancel' | 'snooze') {
    if (how === 'fail') throw new FailJob('as it was told');
    if (how === 'cancel') throw new CancelJob('as it was told');
    throw new SnoozeJob({ for: '1h' });
  }

  @Job({ queue: 'mail', concurrency: 1 })
  async oneByOne(number: number) {
    await new Promise((resolve) => setImmediate(resolve));
    this.ran.push(`number ${number}`);
  }
}

const metadata = (worker: object | false = {}) => ({
  imports: [
    RqModule.forRoot({ connection: NOWHERE, worker }),
    RqModule.registerQueue('mail', 'reports', 'unserved'),
  ],
  providers: [Jobs],
});

it('nothing runs before a drain, and everything that is due in it, also what jobs enqueue', async () => {
  const { app, rq } = await start(metadata());
  const { ran } = app.get(Jobs);
  await rq.queue('mail').enqueue('welcome', 'ann');
  expect(await rq.queue('mail').count()).toBe(1);
  expect(ran).toEqual([]);

  const summary = await rq.drain();
  expect(ran.toSorted()).toEqual([
    'ann is new',
    'ann is new!',
    'ann is new!!',
    'ann is new!!!',
    'ann is new!!!!',
    'ann is new!!!!!',
    'ann is new!!!!!!',
    'ann is new!!!!!!!',
    'ann is new!!!!!!!!',
    'ann is new!!!!!!!!!',
    'ann is new!!!!!!!!!!',
    'mail to ann',
  ]);
  expect(summary).toEqual({ finished: 13, failed: 0, retrying: 0, snoozed: 0, canceled: 0 });
});

it.each([
  ['before the first drain', false],
  ['between two drains', true],
])('a worker that looks at its queue %s runs nothing', async (_, drains) => {
  const looked = jest.spyOn(RedisJobStore.prototype, 'exchange');
  const { app, rq } = await start(metadata());
  const mail = rq.queue('mail');
  if (drains) await rq.drain();
  const job = await mail.enqueue('sendMail', 'bob');
  const before = looked.mock.calls.length;
  await mail.resume();
  await eventually(() => looked.mock.calls.length > before, { what: 'the worker to look' });
  await Promise.all(looked.mock.results.map(({ value }) => value));
  looked.mockRestore();

  expect(await job.status()).toBe('queued');
  expect(await mail.count()).toBe(1);
  await rq.drain();
  expect(app.get(Jobs).ran).toEqual(['mail to bob']);
  expect(await job.result()).toBeNull();
});

it('hundreds of jobs are run in one drain', async () => {
  const { app, rq } = await start(metadata());
  await rq
    .queue('mail')
    .enqueueMany(Array.from({ length: 300 }, (_, data) => ({ name: 'sendMail', data })));
  expect(await rq.drain()).toMatchObject({ finished: 300 });
  expect(app.get(Jobs).ran).toHaveLength(300);
});

it('a drain is quick', async () => {
  const { rq } = await start(metadata());
  const times: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    await rq.queue('mail').enqueue('sendMail', 'bob');
    const begun = performance.now();
    await rq.drain();
    times.push(performance.now() - begun);
  }
  // Nothing in it waits for a look that comes now and then.
  expect(Math.min(...times)).toBeLessThan(500);
});

it('tells how the attempts ended', async () => {
  const { rq } = await start(metadata());
  const mail = rq.queue('mail');
  await mail.enqueue('flaky');
  for (const how of ['fail', 'cancel', 'snooze']) await mail.enqueue('ends', how);
  expect(await rq.drain()).toEqual({
    finished: 1,
    failed: 1,
    retrying: 2,
    snoozed: 1,
    canceled: 1,
  });
});

it('rejects in time when a handler hangs, naming what runs and what waits', async () => {
  const { app, rq } = await start(metadata({ concurrency: 1 }));
  const mail = rq.queue('mail');
  const hanging = await mail.enqueue('hangs');
  const waiting = await mail.enqueue('sendMail', 'eve');

  const error = await rq.drain({ timeout: '2s' }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DrainTimeoutError);
  expect(error).toMatchObject({
    code: 'RQ_DRAIN_TIMEOUT',
    started: [`mail: hangs (${hanging.id})`],
    waiting: [`mail: sendMail (${waiting.id})`],
  });
  expect((error as Error).message).toContain('did not come to rest within 2s');

  app.get(Jobs).mayEnd.resolve();
  await hanging.result();
  expect(await waiting.status()).toBe('queued');
  await rq.drain();
  expect(app.get(Jobs).ran).toEqual(['hung', 'mail to eve']);
});

it('waits for what a handler of limited concurrency puts off', async () => {
  const { app, rq } = await start(metadata());
  await rq
    .queue('mail')
    .enqueueMany(Array.from({ length: 8 }, (_, data) => ({ name: 'oneByOne', data })));
  await rq.drain();
  expect(app.get(Jobs).ran).toHaveLength(8);
});

it('leaves alone what nobody here serves, and what is paused', async () => {
  const { app, rq } = await start(metadata());
  await rq.queue('unserved').enqueue('anything');
  await rq.queue('mail').pause();
  await rq.queue('mail').enqueue('sendMail', 'bob');
  await rq.drain();
  expect(app.get(Jobs).ran).toEqual([]);
  await rq.queue('mail').resume();
  await rq.drain();
  expect(app.get(Jobs).ran).toEqual(['mail to bob']);
  expect(await rq.queue('unserved').count()).toBe(1);
});

it('has nothing to run without a worker, or before the application has started', async () => {
  const { rq } = await start(metadata(false));
  await rq.queue('mail').enqueue('sendMail', 'bob');
  await within(rq.drain(), { what: 'the drain' });
  expect(await rq.queue('mail').count()).toBe(1);
});

it('ends a waiting result() as soon as the job has run', async () => {
  const { rq } = await start(metadata());
  const job = await rq.queue('mail').enqueue('sendMail', 'bob');
  const result = job.result();
  await rq.drain();
  expect(await result).toBeNull();
});
