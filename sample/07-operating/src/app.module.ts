import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { RqMetricsModule } from 'nestjs-rq/metrics';
import { HealthController } from './health.controller.js';
import { Pager } from './pager.js';
import { PaymentJobs } from './payment.jobs.js';

@Module({
  imports: [
    RqModule.forRoot({
      connection: process.env.REDIS_URL ?? 'redis://localhost:6379',
      worker: { concurrency: 2 },
      alerts: {
        // Short, so that the tour is: leave it out, and it is 15 seconds.
        every: '200ms',
        queues: {
          payments: { oldest: '500ms', backlog: 3, retrying: 2, paused: '500ms' },
          payouts: { exhausted: { max: 0, per: '1m' } },
          reports: { overdue: '300ms' },
        },
      },
    }),
    RqModule.registerQueue('payments', 'payouts', 'reports'),
    RqMetricsModule.forRoot({ path: 'metrics' }),
  ],
  controllers: [HealthController],
  providers: [PaymentJobs, Pager],
})
export class AppModule {}
