import { Injectable } from '@nestjs/common';
import { FailJob, Job } from 'nestjs-rq';
import { setTimeout as pause } from 'node:timers/promises';

@Injectable()
export class PaymentJobs {
  /** The bank answers. */
  isBankUp = true;

  /** Retries wait until somebody asks for them. */
  @Job({ queue: 'payments', retry: { max: 5, interval: 3600 } })
  remind() {
    if (!this.isBankUp) throw new Error('the bank does not answer');
  }

  @Job('payments')
  async report() {
    await pause(800);
  }

  /** Each of these that fails for good is an alert at once. */
  @Job({ queue: 'payouts', critical: true })
  pay() {
    throw new FailJob('the account is closed');
  }
}
