// Runs the jobs until it is told to end; what a user would have to know is written to the output.
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

async function main() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  process.send?.({ ready: true });
  process.once('message', () => void app.close().then(() => process.disconnect()));
}

void main();
