// Health: plain results for Terminus that come in time, throw nothing and hold no secret.
import { Injectable } from '@nestjs/common';
import { InjectRqHealth, Job, RqHealth, RqModule, RqService } from 'nestjs-rq';
import { deferred, eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();
const held = deferred();

@Injectable()
class Jobs {
  @Job('mail')
  send() {}

  @Job('slow')
  wait() {
    return held.promise;
  }

  @Job('slow')
  block() {
    const end = performance.now() + 2600;
    while (performance.now() < end);
  }
}

it('the worker is up, and down from the moment on at which the application begins to close', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ shutdownTimeout: '5s' }))],
    providers: [Jobs],
  });
  const health = app.get(RqHealth);
  expect(await health.worker()).toEqual({
    worker: { status: 'up', queues: ['mail', 'slow'], running: 0 },
  });
  await app.get(RqService).queue('slow').enqueue('wait');
  await eventually(() => app.get(RqService).worker().running === 1, { what: 'the job to run' });
  const closing = app.close();
  // Hooks begin a turn later.
  await eventually(async () => (await health.worker('x'))['x']?.status === 'down', {
    what: 'the worker to be down',
    timeout: 900,
  });
  held.resolve();
  await closing;
});

it('a worker whose event loop was blocked for a third of its lease is down for a while', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: { lease: '3s' } }))],
    providers: [Jobs],
  });
  await app.get(RqService).queue('slow').enqueue('block');
  await eventually(
    async () => {
      const { worker } = await app.get(RqHealth).worker();
      return worker?.status === 'down' && /blocked for [1-9]/.test(String(worker['message']));
    },
    { what: 'the blocked loop to be told' },
  );
});

it('a process without a worker has nothing to be ill with', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: false }))],
  });
  expect((await app.get(RqHealth).worker())['worker']?.status).toBe('up');
});

it('a queue is held against limits, and an impossible limit is told by name', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: false }))],
  });
  const health = app.get(RqHealth);
  await app.get(RqService).queue('pdf').enqueue('print');
  expect(await health.queue('pdf')).toMatchObject({ pdf: { status: 'up', queued: 1, workers: 0 } });
  expect(await health.queue('pdf', { workers: 1, backlog: 0 }, 'prints')).toMatchObject({
    prints: { status: 'down', message: '1 jobs wait, 0 workers serve it' },
  });
  expect(await health.queue('pdf', { oldst: 1 } as never)).toMatchObject({
    pdf: { status: 'down', message: expect.stringContaining('oldst') as string },
  });
});

it('Redis is up when it can hold jobs; otherwise it is said why, within a second, without a secret', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: false }))],
  });
  const health = app.get(RqHealth);
  const client = applications.redis.client();
  expect(await health.redis()).toEqual({ redis: { status: 'up' } });
  await client.replicaof('127.0.0.1', '1');
  await eventually(async () => (await health.redis())['redis']?.status === 'down', {
    what: 'the replica to be seen',
  });
  expect(String((await health.redis())['redis']?.['message'])).toContain('replica');
  await client.replicaof('NO', 'ONE');
  client.disconnect();
  await applications.redis.kill();
  await eventually(
    async () => {
      const asked = performance.now();
      const { redis } = await health.redis();
      expect(performance.now() - asked).toBeLessThan(3000);
      const text = JSON.stringify(redis);
      expect(text).not.toContain('127.0.0.1');
      return redis?.status === 'down' && !text.includes('replica');
    },
    { what: 'Redis to be down' },
  );
  const { worker } = await health.worker();
  expect(worker?.status).toBe('up');
});

it('one answer stands for a second, and each root has its own', async () => {
  @Injectable()
  class Watch {
    constructor(@InjectRqHealth('reports') readonly health: RqHealth) {}
  }
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(applications.root({ worker: false })),
      RqModule.forRoot({ ...applications.root({ worker: false }), name: 'reports' }),
    ],
    providers: [Watch],
  });
  const { health } = app.get(Watch);
  expect(JSON.stringify(health)).toBe('{"root":"reports"}');
  const client = applications.redis.client();
  await client.config('RESETSTAT');
  await Promise.all(Array.from({ length: 50 }, () => health.queue('pdf')));
  const stats = await client.info('commandstats');
  expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)).toBeLessThan(5);
});
