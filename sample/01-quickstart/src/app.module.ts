// The whole set-up: one connection, two queues, and ordinary providers whose @Job methods run the jobs.
import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { AttemptCounts } from './attempt-log.js';
import { ImageJobs } from './image.jobs.js';
import { JobsController } from './jobs.controller.js';
import { MailJobs } from './mail.jobs.js';
import { UploadService } from './upload.service.js';

@Module({
  imports: [
    RqModule.forRoot({
      connection: process.env.REDIS_URL ?? 'redis://localhost:6379',
      worker: { concurrency: 10 },
      // What is kept of a job after its end, so that GET /jobs/... can still show it.
      defaultJobOptions: { resultTtl: '10m', failureTtl: '1h' },
    }),
    RqModule.registerQueue('images', { name: 'mail', defaultJobOptions: { timeout: '30s' } }),
  ],
  controllers: [JobsController],
  providers: [ImageJobs, MailJobs, UploadService, AttemptCounts],
})
export class AppModule {}
