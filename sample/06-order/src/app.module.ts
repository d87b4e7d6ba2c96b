// Four queues in one application. Jobs may wait for jobs of any queue of the same Redis.
import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { ShippingJobs } from './shipping.jobs.js';
import { Cards, Warehouse } from './shop.js';
import { LabelJobs, PaymentJobs, StockJobs } from './step.jobs.js';

@Module({
  imports: [
    RqModule.forRoot({
      connection: process.env.REDIS_URL ?? 'redis://localhost:6379',
      // What is kept of a job after its end, so that GET /orders/:id can still show it.
      defaultJobOptions: { resultTtl: '10m', failureTtl: '1h' },
    }),
    RqModule.registerQueue('stock', 'payments', 'labels', 'shipping'),
  ],
  controllers: [OrdersController],
  providers: [OrdersService, StockJobs, PaymentJobs, LabelJobs, ShippingJobs, Warehouse, Cards],
})
export class AppModule {}
