import { Injectable, Module } from '@nestjs/common';
import {
  InjectQueue,
  Job,
  JobFailedError,
  type JobHandlerOptions,
  Queue,
  RqModule,
  type RunningJob,
} from 'nestjs-rq';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

interface ImageDto {
  path: string;
}

@Injectable()
class Thumbnails {
  readonly made: string[] = [];
}

@Injectable()
class ImageJobs {
  constructor(private readonly thumbnails: Thumbnails) {}

  @Job({ queue: 'images', retry: { max: 3, interval: 0 } })
  async processImage(data: ImageDto, job: RunningJob) {
    if (job.attempt < 3) throw new Error(`attempt ${job.attempt}`);
    this.thumbnails.made.push(data.path);
    return { path: data.path, attempts: job.attempt };
  }

  @Job('images')
  async breakImage(): Promise<void> {
    throw new TypeError('no image');
  }

  @Job({ queue: 'images', retry: { max: 1, interval: 0 } } satisfies JobHandlerOptions)
  async shortImage(_: ImageDto, job: RunningJob) {
    if (job.attempt < 3) throw new Error('again');
    return job.attempt;
  }
}

@Injectable()
class UploadService {
  constructor(@InjectQueue('images') private readonly images: Queue<ImageJobs>) {}

  upload(path: string) {
    return this.images.enqueue('processImage', { path });
  }

  break() {
    return this.images.enqueue('breakImage');
  }

  uploadWithOwnPolicy(path: string) {
    return this.images.enqueue('shortImage', { path }, { retry: { max: 2, interval: 0 } });
  }
}

async function start() {
  @Module({
    imports: [
      RqModule.forRoot(applications.root()),
      RqModule.registerQueue('images', { name: 'mail', defaultJobOptions: { timeout: '30s' } }),
    ],
    providers: [Thumbnails, ImageJobs, UploadService],
  })
  class AppModule {}
  const { app } = await applications.start({ imports: [AppModule] });
  return app;
}

it('a job is enqueued by a service, retried as its handler says, and gives its result', async () => {
  const app = await start();
  const job = await app.get(UploadService).upload('/a.png');
  expect(await job.result({ timeout: 10 })).toEqual({ path: '/a.png', attempts: 3 });
  expect(app.get(Thumbnails).made).toEqual(['/a.png']);
  expect(await job.status()).toBe('finished');
});

it('a policy given when enqueuing wins over the handler', async () => {
  const app = await start();
  const job = await app.get(UploadService).uploadWithOwnPolicy('/a.png');
  expect(await job.result({ timeout: 10 })).toBe(3);
});

it('a job that fails for good rejects its result with the reason', async () => {
  const app = await start();
  const job = await app.get(UploadService).break();
  const result = job.result({ timeout: 10 });
  await expect(result).rejects.toThrow(JobFailedError);
  await expect(result).rejects.toThrow(/TypeError: no image/);
});
