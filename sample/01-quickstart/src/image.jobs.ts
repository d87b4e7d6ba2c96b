// Jobs of the queue `images`: an ordinary provider, with an ordinary method for each kind of job.
import { Injectable, UseInterceptors } from '@nestjs/common';
import { IsInt, IsOptional, IsString, Min } from 'class-validator';
import { Job, type RunningJob } from 'nestjs-rq';
import { AttemptLog } from './attempt-log.js';
import { simulateOutage } from './simulated-outage.js';

export class ImageUpload {
  @IsString()
  path!: string;

  /** How many attempts fail, to see retries at work. */
  @IsOptional()
  @IsInt()
  @Min(0)
  failures?: number;
}

export interface Thumbnail {
  path: string;
  width: number;
}

@Injectable()
@UseInterceptors(AttemptLog)
export class ImageJobs {
  @Job({ queue: 'images' })
  async processImage(image: ImageUpload, job: RunningJob): Promise<Thumbnail> {
    await simulateOutage(image.failures, job.attempt, `the image store did not answer`);
    return { path: image.path.replace(/(\.\w+)?$/, '.small$1'), width: 320 };
  }
}
