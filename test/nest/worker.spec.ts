import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Job, RqModule, RqService, type RqWorkerOptions, type RunningJob } from 'nestjs-rq';
import { startChild } from '../support/children.js';
import { deferred, eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

// Some of them start a process.
jest.setTimeout(90_000);

const applications = Applications.forThisFile();

@Injectable()
class Jobs {
  running = 0;
  most = 0;
  readonly gate = deferred();

  @Job('images')
  image() {
    return 'image';
  }

  @Job('mail')
  mail() {
    return 'mail';
  }

  @Job({ queue: 'images', concurrency: 2 })
  async limited() {
    this.most = Math.max(this.most, ++this.running);
    await this.gate.promise;
    this.running -= 1;
  }

  @Job({ queue: 'images', timeout: '100ms' })
  slow(_: unknown, job: RunningJob) {
    return new Promise((_resolve, reject) => {
      job.signal.addEventListener('abort', () => reject(job.signal.reason));
    });
  }

  @Job('images')
  async *generated(_: unknown, job: RunningJob) {
    yield 1;
    yield { last: job.id };
  }
}

const start = async (worker?: RqWorkerOptions) => {
  const application = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker }))],
    providers: [Jobs],
  });
  return { ...application, rq: application.app.get(RqService), jobs: application.app.get(Jobs) };
};

it('consumes all queues that have a handler', async () => {
  const { rq } = await start();
  const [image, mail] = await Promise.all([
    rq.queue('images').enqueue('image'),
    rq.queue('mail').enqueue('mail'),
  ]);
  expect(await image.result({ timeout: 10 })).toBe('image');
  expect(await mail.result({ timeout: 10 })).toBe('mail');
});

it('worker.queues consumes only those', async () => {
  const { rq, logs } = await start({ queues: [{ name: 'mail', weight: 2 }], order: 'weighted' });
  const image = await rq.queue('images').enqueue('image');
  const mail = await rq.queue('mail').enqueue('mail');
  expect(await mail.result({ timeout: 10 })).toBe('mail');
  expect(await image.status()).toBe('queued');
  expect(logs.ours).toEqual([
    expect.stringMatching(/Mapped {mail, mail} to Jobs.mail/),
    expect.stringMatching(/started: queue mail, concurrency 10/),
  ]);
});

it("a handler's concurrency and timeout are kept", async () => {
  const { rq, jobs } = await start();
  const images = rq.queue<Jobs>('images');
  const limited = await images.enqueueMany(
    Array.from({ length: 6 }, () => ({ name: 'limited' as const })),
  );
  const slow = await images.enqueue('slow');
  await expect(slow.result({ timeout: 10 })).rejects.toThrow(/timeout of 0\.1 s/);
  expect(jobs.most).toBe(2);
  jobs.gate.resolve();
  await Promise.all(limited.map((job) => job.result({ timeout: 10 })));
  expect(jobs.most).toBe(2);
});

it("a generator's last value is the result", async () => {
  const { rq } = await start();
  const job = await rq.queue<Jobs>('images').enqueue('generated');
  expect(await job.result({ timeout: 10 })).toEqual({ last: job.id });
});

it('RqService makes queues at run time, lists, pauses and resumes them', async () => {
  const { rq } = await start();
  expect(rq.queue('images')).toBe(rq.queue('images'));
  expect(
    rq
      .queues()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['images', 'mail']);
  expect(() => rq.queue('a,b')).toThrow(/RqService\.queue: queue must not contain a comma/);

  await rq.pause('images');
  const paused = await rq.queue('images').enqueue('image');
  const mail = await rq.queue('mail').enqueue('mail');
  expect(await mail.result({ timeout: 10 })).toBe('mail');
  expect(await paused.status()).toBe('queued');
  await rq.resume('images');
  expect(await paused.result({ timeout: 10 })).toBe('image');
});

it('RqService.worker() is the worker at run time: more slots, a pause, and the end', async () => {
  const { app, rq, jobs, logs } = await start({ queues: ['images', 'mail'], concurrency: 1 });
  const worker = rq.worker();
  expect(worker.queues).toEqual(['images', 'mail']);
  await rq.queue('images').enqueueMany([{ name: 'limited' }, { name: 'limited' }]);
  await eventually(() => jobs.running === 1, { what: 'the first job' });
  worker.setConcurrency(5);
  await eventually(() => worker.running === 2, { what: 'the second job' });

  await worker.pause();
  const mail = await rq.queue('mail').enqueue('mail');
  jobs.gate.resolve();
  await eventually(() => worker.running === 0, { what: 'both to end' });
  expect(await mail.status()).toBe('queued');
  worker.resume();
  expect(await mail.result({ timeout: 10 })).toBe('mail');

  await app.close();
  expect(await worker.done).toBe('stopped');
  expect(logs.ours.at(-1)).toMatch(/Worker stopped: queues images, mail/);
});

it('a worker that has drained its queues says what it leaves, and the application goes on', async () => {
  const queue = { name: 'mail', concurrency: 2 };
  const later = RqModule.registerQueue('mail');
  const { app, logs } = await applications.create({
    imports: [
      later,
      RqModule.forRoot(applications.root({ worker: { burst: true, queues: [queue] } })),
    ],
    providers: [Jobs],
  });
  const rq = app.get(RqService);
  expect(() => rq.worker()).toThrow(/RqService.worker: worker is not there: it starts when/);
  await rq.queue('mail').enqueueIn('1h', 'mail');
  const job = await rq.queue('mail').enqueue('mail');
  await app.init();
  expect(await rq.worker().done).toBe('drained');
  expect(await job.status()).toBe('finished');
  expect(logs.ours.at(-1)).toMatch(
    /Worker has ended, since nothing was left .* \(burst\): queue mail; left in mail \(0 queued, 1 scheduled\)/,
  );
  expect(await rq.queue('mail').counts()).toMatchObject({ scheduled: 1, finished: 1 });
});

it('an application that only enqueues has no worker', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: false }))],
  });
  expect(() => app.get(RqService).worker()).toThrow(/worker is false: this application enqueues/);
});

it.each<[string, string, number]>([
  ['all have finished', 'fine', 0],
  ['one has failed', 'broken', 1],
])('a burst worker as a process ends with a right exit code: %s', async (_, name, code) => {
  const { rq } = await applications
    .start({ imports: [RqModule.forRoot(applications.root({ worker: false }))] })
    .then(({ app }) => ({ rq: app.get(RqService) }));
  const queue = rq.queue('nightly');
  await queue.enqueueMany([{ name: 'fine' }, { name }, { name: 'fine' }]);
  const child = startChild(new URL('support/burst-application.mjs', import.meta.url), {
    env: { REDIS_URL: applications.redis.url },
  });
  expect(await child.exited).toEqual({ code, signal: null });
  expect(child.output).toContain('the worker has ended: drained');
  expect(await queue.counts()).toMatchObject({ queued: 0, started: 0, failed: code });
});

it('opens one connection more for each consumed queue, and none for each producer', async () => {
  const { rq } = await start();
  for (let i = 0; i < 5; i++) await rq.queue(`producer-${i}`).enqueue('work');
  await eventually(
    async () => (await applications.connections()).filter((one) => one === 'blocking').length === 2,
    { what: 'two blocking connections' },
  );
  const others = (await applications.connections()).filter((one) => one !== 'blocking');
  expect(others.length).toBeLessThanOrEqual(2);
});
