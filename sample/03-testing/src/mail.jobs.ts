// Jobs of the queue `mail`.
import { Injectable } from '@nestjs/common';
import { Job } from 'nestjs-rq';
import { Language } from './language.js';
import { Mailer } from './mailer.js';
import { Members } from './members.js';

@Injectable()
export class MailJobs {
  constructor(
    private readonly mailer: Mailer,
    private readonly members: Members,
    private readonly language: Language,
  ) {}

  @Job('mail')
  async sendWelcome({ to }: { to: string }): Promise<void> {
    await this.mailer.send(to, `${this.language.greeting}, ${this.members.find(to)?.name}!`);
  }

  /** A day after the signup; there may be nothing to remind of any more. */
  @Job('mail')
  async remind({ to }: { to: string }): Promise<'sent' | 'not needed'> {
    if (this.members.find(to)?.confirmed !== false) return 'not needed';
    await this.mailer.send(to, 'Please confirm your address.');
    return 'sent';
  }
}
