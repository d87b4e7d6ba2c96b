// The process that users talk to: it enqueues, and runs no job. `PORT` is its port.
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule.for('api'), {
  logger: new ConsoleLogger({ prefix: 'api' }),
});
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
