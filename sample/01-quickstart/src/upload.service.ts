// A service that hands slow and unreliable work over to the queues, with the retries that suit it.
import { Injectable } from '@nestjs/common';
import { InjectQueue, Queue, type RqJob } from 'nestjs-rq';
import type { ImageJobs, ImageUpload, Thumbnail } from './image.jobs.js';
import type { Mail, MailJobs } from './mail.jobs.js';

/** Seconds between two tries to send a mail. */
const mailRetryInterval = Number(process.env.MAIL_RETRY_INTERVAL ?? 60);

@Injectable()
export class UploadService {
  constructor(
    @InjectQueue('images') private readonly images: Queue<ImageJobs>,
    @InjectQueue('mail') private readonly mail: Queue<MailJobs>,
  ) {}

  /** Makes a thumbnail in the background: up to 4 runs, 5 seconds apart. */
  addImage(image: ImageUpload): Promise<RqJob<Thumbnail>> {
    return this.images.enqueue('processImage', image, { retry: { max: 3, interval: 5 } });
  }

  /** Sends a mail in the background: up to 3 runs, a minute apart. */
  sendMail(mail: Mail): Promise<RqJob<string>> {
    return this.mail.enqueue('sendMail', mail, {
      retry: { max: 2, interval: mailRetryInterval },
    });
  }
}
