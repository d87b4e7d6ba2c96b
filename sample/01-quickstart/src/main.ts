// Producer and worker in one process, as most projects begin.
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
// On SIGTERM running jobs may finish, and those that cannot are put back into their queue.
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
