// The process that runs the jobs, without HTTP. Start as many as there is work for; `WORKER_NAME` tells
// them apart. On SIGTERM a worker takes no more jobs, finishes those it has, and ends.
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.createApplicationContext(AppModule.for('worker'), {
  logger: new ConsoleLogger({ prefix: process.env.WORKER_NAME ?? 'worker' }),
});
app.enableShutdownHooks();
