// The inspector in an application: injected by its class, or by the name of its root.
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectRqInspector, RqInspector, RqModule, getRqInspectorToken } from 'nestjs-rq';
import { type RedisServer, startRedis } from '../support/redis-server.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

it('is injected by its class and by the name of a root, and sees the queues of each', async () => {
  @Injectable()
  class Watch {
    constructor(
      readonly main: RqInspector,
      @InjectRqInspector('reports') readonly reports: RqInspector,
    ) {}
  }
  @Module({
    imports: [
      RqModule.forRoot({ connection: redis.url, worker: false }),
      RqModule.forRoot({ name: 'reports', connection: `${redis.url}/1`, worker: false }),
    ],
    providers: [Watch],
  })
  class AppModule {}
  const app = await Test.createTestingModule({ imports: [AppModule] }).compile();
  await app.init();
  const { main, reports } = app.get(Watch);
  await main.queue('mail').enqueue('send');
  await reports.queue('pdf').enqueue('print');
  expect((await main.overview()).queues).toMatchObject([{ queue: 'mail', queued: 1 }]);
  expect((await reports.overview()).queues).toMatchObject([{ queue: 'pdf', queued: 1 }]);
  expect(app.get(getRqInspectorToken('reports'))).toBe(reports);
  expect(app.get(getRqInspectorToken())).toBe(main);
  await app.close();
});
