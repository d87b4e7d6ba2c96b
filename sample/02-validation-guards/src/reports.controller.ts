// POST hands a report over and answers at once, GET tells what became of it.
import { Body, Controller, Get, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { InjectQueue, Queue } from 'nestjs-rq';
import type { ReportOrder } from './report-order.js';
import type { ReportJobs } from './report.jobs.js';

@Controller('reports')
export class ReportsController {
  constructor(@InjectQueue('reports') private readonly reports: Queue<ReportJobs>) {}

  /** Without a look at the order (its type is no class here), to show that the job has one. */
  @Post()
  @HttpCode(202)
  async order(@Body() order: ReportOrder) {
    const job = await this.reports.enqueue('makeReport', order);
    return { id: job.id, see: `/reports/${job.id}` };
  }

  @Get(':id')
  async report(@Param('id') id: string) {
    const job = await this.reports.getJob(id);
    if (job === undefined) throw new NotFoundException(`There is no report ${id}`);
    // In this order: a job that has ended has all its attempts.
    const status = await job.status();
    const attempts = await job.results();
    return {
      status,
      attempts: attempts.map(({ outcome, value, error }) => ({ outcome, value, error })),
    };
  }
}
