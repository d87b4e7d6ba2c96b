import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { Reports } from './reports.js';

@Module({
  imports: [
    RqModule.forRoot({
      connection: process.env.REDIS_URL ?? 'redis://localhost:6379',
      // After this time the jobs of a process that was killed run in another one.
      worker: { lease: process.env.WORKER_LEASE ?? '15s' },
    }),
  ],
  providers: [Reports],
})
export class AppModule {}
