// The work: it takes a while and stops when the job is to stop.
import { Injectable, Logger } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import { Job, type RunningJob } from 'nestjs-rq';
import { setTimeout as pause } from 'node:timers/promises';

export interface Video {
  title: string;
  /** How long it takes. */
  seconds: number;
}

@Injectable()
export class VideoJobs {
  private readonly logger = new Logger('Videos');

  constructor(private readonly cls: ClsService) {}

  @Job({ queue: 'videos', retry: { max: 3, interval: 5 } })
  async encode({ title, seconds }: Video, job: RunningJob) {
    this.logger.log(`request ${this.cls.getId()}: encoding ${title}, attempt ${job.attempt}`);
    await pause(seconds * 1000, undefined, { signal: job.signal });
    this.logger.log(`request ${this.cls.getId()}: ${title} is ready`);
    return { title, for: this.cls.getId() };
  }
}
