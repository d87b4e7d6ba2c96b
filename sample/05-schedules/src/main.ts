import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.createApplicationContext(AppModule, {
  logger: new ConsoleLogger({ prefix: process.env.PROCESS_NAME ?? 'app' }),
});
app.enableShutdownHooks();
