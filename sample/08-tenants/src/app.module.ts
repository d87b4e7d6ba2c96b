import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { SyncJobs } from './sync.jobs.js';

@Module({
  imports: [
    RqModule.forRoot({
      connection: process.env.REDIS_URL ?? 'redis://localhost:6379',
      worker: { concurrency: 4 },
    }),
    RqModule.registerQueue('sync'),
  ],
  providers: [SyncJobs],
})
export class AppModule {}
