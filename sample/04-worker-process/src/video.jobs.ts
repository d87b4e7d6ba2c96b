// The work: it takes a while and stops when the job is to stop.
import { Injectable, Logger, UseInterceptors } from '@nestjs/common';
import { Job, type RunningJob } from 'nestjs-rq';
import { setTimeout as pause } from 'node:timers/promises';
import { requestId, RequestIdOfJob } from './request-id.js';

export interface Video {
  title: string;
  /** How long it takes. */
  seconds: number;
}

@Injectable()
@UseInterceptors(RequestIdOfJob)
export class VideoJobs {
  private readonly logger = new Logger('Videos');

  @Job({ queue: 'videos', retry: { max: 3, interval: 5 } })
  async encode({ title, seconds }: Video, job: RunningJob) {
    this.logger.log(`request ${requestId()}: encoding ${title}, attempt ${job.attempt}`);
    await pause(seconds * 1000, undefined, { signal: job.signal });
    this.logger.log(`request ${requestId()}: ${title} is ready`);
    return { title, for: requestId() };
  }
}
