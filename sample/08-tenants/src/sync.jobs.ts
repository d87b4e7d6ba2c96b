// All that is needed for turns is the key: whose job it is.
import { Injectable } from '@nestjs/common';
import { Job } from 'nestjs-rq';
import { setTimeout as pause } from 'node:timers/promises';

export interface Contact {
  readonly tenant: string;
  readonly number: number;
}

@Injectable()
export class SyncJobs {
  /** The tenants of the jobs that ran, in their order. */
  readonly ran: string[] = [];

  @Job({
    queue: 'sync',
    key: (contact: Contact) => contact.tenant,
    concurrency: { perKey: 2 },
  })
  async sync(contact: Contact) {
    await pause(20);
    this.ran.push(contact.tenant);
  }
}
