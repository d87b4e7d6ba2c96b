// Guards, interceptors, pipes and filters are providers like any other, and are injected like any other.
import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { Ledger } from './ledger.js';
import { ReportJobs } from './report.jobs.js';
import { ReportsController } from './reports.controller.js';
import { TenantOfJob } from './tenant-of-job.js';
import { Tenants } from './tenants.js';

@Module({
  imports: [
    RqModule.forRoot({ connection: process.env.REDIS_URL ?? 'redis://localhost:6379' }),
    RqModule.registerQueue({
      name: 'reports',
      // What is kept of a job after its end, so that GET /reports/:id can still show it.
      defaultJobOptions: { resultTtl: '10m', failureTtl: '1h' },
    }),
  ],
  controllers: [ReportsController],
  providers: [ReportJobs, TenantOfJob, Tenants, Ledger],
})
export class AppModule {}
