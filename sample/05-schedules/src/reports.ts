// A report each minute, one for all processes. In the tour, where nobody wants to wait for that, each second.
import { Injectable, Logger } from '@nestjs/common';
import { Job, JobsOf, type RunningJob, Schedule } from 'nestjs-rq';

@Injectable()
@JobsOf('reports')
export class Reports {
  private readonly logger = new Logger('Reports');

  @Job()
  @Schedule({ every: process.env.REPORT_EVERY ?? '1m' }, { data: { format: 'short' } })
  visitors(options: { format: string }, job: RunningJob): void {
    // The moment that it is for: the same in every process, and when it is late.
    const at = job.tick?.at.toISOString() ?? 'now';
    this.logger.log(`${options.format} report of ${at}`);
  }
}
