// A signup is answered at once; its mails are the queue's business.
import { Injectable } from '@nestjs/common';
import { InjectQueue, Queue } from 'nestjs-rq';
import type { MailJobs } from './mail.jobs.js';
import { Members } from './members.js';

@Injectable()
export class SignupService {
  constructor(
    private readonly members: Members,
    @InjectQueue('mail') private readonly mail: Queue<MailJobs>,
  ) {}

  async signup(email: string, name: string, language: string): Promise<void> {
    this.members.add(email, name);
    const meta = { language };
    const retry = { max: 3, interval: ['1m', '10m', '1h'] };
    await this.mail.enqueue('sendWelcome', { to: email }, { meta, retry });
    await this.mail.enqueueIn('1d', 'remind', { to: email }, { meta });
  }
}
