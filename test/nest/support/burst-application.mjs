// The recipe of docs/deployment.md: runs all that is there and ends, with a right exit code.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Job, RqModule, RqService } from 'nestjs-rq';

class Jobs {
  fine() {}

  broken() {
    throw new Error('boom');
  }
}
for (const name of ['fine', 'broken']) {
  const descriptor = Object.getOwnPropertyDescriptor(Jobs.prototype, name);
  Job('nightly')(Jobs.prototype, name, descriptor);
}

class AppModule {}
Module({
  imports: [
    RqModule.forRoot({ connection: process.env.REDIS_URL, worker: { burst: true } }),
    RqModule.registerQueue('nightly'),
  ],
  providers: [Jobs],
})(AppModule);

const app = await NestFactory.createApplicationContext(AppModule);
app.enableShutdownHooks();
const rq = app.get(RqService);
const why = await rq.worker().done;
const { failed } = await rq.queue('nightly').counts();
console.log(`the worker has ended: ${why}`);
await app.close();
process.exitCode = why === 'drained' && failed === 0 ? 0 : 1;
