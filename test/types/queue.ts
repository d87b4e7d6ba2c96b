import { Injectable } from '@nestjs/common';
import {
  InjectQueue,
  Job,
  type JobResult,
  type JobWait,
  type LimitScope,
  type LimitUse,
  Queue,
  RetryJob,
  RqInspector,
  RqModule,
  type RqJob,
  type RunningJob,
} from 'nestjs-rq';
import { type Observable, of } from 'rxjs';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: what a user
 * gets wrong here is found before the program runs.
 */

interface ImageDto {
  path: string;
  width?: number;
}

@Injectable()
class ImageJobs {
  @Job({ queue: 'images', retry: { max: 3, interval: 5 } })
  async processImage(data: ImageDto, job: RunningJob) {
    return { path: data.path, attempt: job.attempt };
  }

  @Job('images')
  cleanUp(): void {}

  @Job('images')
  count(_data: { deep?: boolean } | undefined): Observable<number> {
    return of(1);
  }

  @Job('images')
  async *scan(_data: string) {
    yield 1;
    yield 'last';
  }

  readonly notAMethod = 5;
}

class MailJobs {
  @Job('mail')
  send(_data: { to: string }) {
    return true;
  }
}

@Injectable()
export class UploadService {
  constructor(@InjectQueue('images') private readonly images: Queue<ImageJobs>) {}

  async right() {
    const job = await this.images.enqueue('processImage', { path: '/a' }, { retry: { max: 2 } });
    const result: { path: string; attempt: number } = await job.result({ timeout: '1m' });
    await this.images.enqueueIn('5m', 'processImage', { path: '/a', width: 3 });
    await this.images.enqueueAt(new Date(), 'processImage', { path: result.path });
    await this.images.enqueue('cleanUp');
    await this.images.enqueue('cleanUp', undefined, { delay: 3 });
    await this.images.enqueue('count');
    const count: RqJob<number> = await this.images.enqueue('count', { deep: true });
    const scan: RqJob<number | string> = await this.images.enqueue('scan', 'all');
    await this.images.enqueueMany([
      { name: 'processImage', data: { path: '/a' }, options: { atFront: true } },
      { name: 'scan', data: 'all' },
      { name: 'cleanUp' },
    ]);
    return [count, scan];
  }

  async wrong() {
    // @ts-expect-error -- no such job
    await this.images.enqueue('processImages', { path: '/a' });
    // @ts-expect-error -- not a method
    await this.images.enqueue('notAMethod');
    // @ts-expect-error -- the data is missing
    await this.images.enqueue('processImage');
    // @ts-expect-error -- a property is missing
    await this.images.enqueue('processImage', {});
    // @ts-expect-error -- a property is misspelt
    await this.images.enqueue('processImage', { path: '/a', wdith: 3 });
    // @ts-expect-error -- a property has another type
    await this.images.enqueue('processImage', { path: 5 });
    // @ts-expect-error -- the job takes no data
    await this.images.enqueue('cleanUp', { path: '/a' });
    // @ts-expect-error -- no such option
    await this.images.enqueue('processImage', { path: '/a' }, { retires: 3 });
    await this.images.enqueue('processImage', { path: '/a' }, { retry: false });
    // @ts-expect-error -- only false switches retries off
    await this.images.enqueue('processImage', { path: '/a' }, { retry: true });
    // @ts-expect-error -- an option has another type
    await this.images.enqueue('processImage', { path: '/a' }, { retry: { max: '3' } });
    // @ts-expect-error -- the data of enqueueIn is checked too
    await this.images.enqueueIn(5, 'processImage', { path: 5 });
    // @ts-expect-error -- so is that of enqueueAt
    await this.images.enqueueAt(new Date(), 'scan', 5);
    // @ts-expect-error -- and that of enqueueMany
    await this.images.enqueueMany([{ name: 'processImage', data: 'all' }]);
    const job = await this.images.enqueue('processImage', { path: '/a' });
    // @ts-expect-error -- the result has another type
    const result: string = await job.result();
    return result;
  }
}

export async function severalClassesOnOneQueue(queue: Queue<ImageJobs & MailJobs>) {
  await queue.enqueue('processImage', { path: '/a' });
  const sent: boolean = await (await queue.enqueue('send', { to: 'a@b.c' })).result();
  // @ts-expect-error -- the data of the other job
  await queue.enqueue('send', { path: '/a' });
  return sent;
}

export async function anyName(queue: Queue) {
  await queue.enqueue('whatever', { any: ['data'] }, { timeout: false });
  await queue.enqueue('whatever');
  const many = [{ name: 'a' }, { name: 'b', data: 5 }];
  await queue.enqueueMany(many);
  // @ts-expect-error -- options are checked all the same
  await queue.enqueue('whatever', {}, { timeuot: 5 });
}

export const results: [JobResult<ImageJobs, 'count'>, JobResult<ImageJobs, 'cleanUp'>] = [1, null];

export class Misuse {
  // @ts-expect-error -- on a property that is not a method
  @Job('images')
  property = 5;

  // @ts-expect-error -- a queue's name is text
  @Job({ queue: 5 })
  withWrongQueue() {}

  // @ts-expect-error -- no such option
  @Job({ queue: 'images', retries: 3 })
  withUnknownOption() {}

  // @ts-expect-error -- an interval is a duration or a list of them
  @Job({ queue: 'images', retry: { max: 3, interval: { delay: 5 } } })
  withWrongInterval() {}

  @Job({ queue: 'images', retry: false })
  withoutRetries() {}

  @Job({ queue: 'images', retry: { max: 3, when: (_error, job) => job.attempt < 2 } })
  withPredicate() {
    throw new RetryJob({ in: '5m' });
  }
}

// @ts-expect-error -- no class decorator
@Job('images')
export class Decorated {}

RqModule.forRoot({
  connection: 'redis://localhost:6379',
  worker: { queues: ['images', { name: 'mail', weight: 3 }], order: 'weighted' },
  defaultJobOptions: { retry: { max: 3, interval: '5m' }, timeout: '30s' },
});
RqModule.registerQueue({ name: 'mail', defaultJobOptions: { retry: false } });
// @ts-expect-error -- a connection is required
RqModule.forRoot({});
// @ts-expect-error -- no such option
RqModule.forRoot({ connection: 'redis://localhost:6379', redis: {} });
// @ts-expect-error -- shutdownTimeout is the module's, not the worker's
RqModule.forRoot({ connection: 'redis://localhost:6379', worker: { shutdownTimeout: 5 } });
RqModule.forRootAsync({ useFactory: async () => ({ connection: 'redis://localhost:6379' }) });
RqModule.registerQueue('images', { name: 'mail', root: 'reports' });
// @ts-expect-error -- only options of the queue
RqModule.registerQueue({ name: 'mail', retry: { max: 3 } });
// @ts-expect-error -- an id belongs to one job
RqModule.registerQueue({ name: 'mail', defaultJobOptions: { id: 'a' } });

/** A queue holds no way to claim a job, to settle one or to recover what others left behind. */
export function storeOfAQueue(store: ConstructorParameters<typeof Queue>[1]) {
  void store.enqueue;
  void store.counts;
  // @ts-expect-error workers alone exchange
  void store.exchange;
  // @ts-expect-error workers alone renew leases
  void store.renew;
  // @ts-expect-error workers alone recover jobs
  void store.recover;
}

/** What a job waits for, and what is used of limits. */
export async function heldUp(job: RqJob, inspector: RqInspector): Promise<string[]> {
  const waits: JobWait[] = await job.waitsFor();
  const uses: LimitUse[] = await inspector.limits({ queues: ['images'] });
  // @ts-expect-error -- a queue is in a list
  void inspector.limits({ queues: 'images' });
  const scopes: (LimitScope | undefined)[] = waits.map(({ scope }) => scope);
  // @ts-expect-error -- there is no such reason
  const isOdd = waits.some(({ why }) => why === 'bored');
  return [...uses.map(({ limit = 'put off' }) => limit), String(isOdd), scopes.join()];
}
