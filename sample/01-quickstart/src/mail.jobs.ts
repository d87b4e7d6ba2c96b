// Jobs of the queue `mail`.
import { Injectable, UseInterceptors } from '@nestjs/common';
import { IsInt, IsOptional, IsString, Min } from 'class-validator';
import { Job, type RunningJob } from 'nestjs-rq';
import { AttemptLog } from './attempt-log.js';
import { simulateOutage } from './simulated-outage.js';

export class Mail {
  @IsString()
  to!: string;

  @IsString()
  subject!: string;

  /** How many attempts fail, to see retries at work. */
  @IsOptional()
  @IsInt()
  @Min(0)
  failures?: number;
}

@Injectable()
@UseInterceptors(AttemptLog)
export class MailJobs {
  @Job({ queue: 'mail' })
  async sendMail(mail: Mail, job: RunningJob): Promise<string> {
    await simulateOutage(mail.failures, job.attempt, 'the mail server refused the connection');
    return `"${mail.subject}" delivered to ${mail.to}`;
  }
}
