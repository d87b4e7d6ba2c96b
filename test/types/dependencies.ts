import { Injectable } from '@nestjs/common';
import {
  CurrentJob,
  Job,
  JobData,
  type DependsOn,
  type GroupStatus,
  type JobParents,
  type PreparedJob,
  type Queue,
  type RqJob,
  type RqService,
  type RunningJob,
} from 'nestjs-rq';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: a job that would not find
 * the results of its parents is found before the program runs.
 */

interface Resized {
  path: string;
  at: Date;
}

@Injectable()
class ImageJobs {
  @Job('images')
  async resize(data: { path: string }): Promise<Resized> {
    return { path: data.path, at: new Date() };
  }

  @Job('images')
  scan(_data: { path: string }, _job: RunningJob): boolean {
    return true;
  }

  @Job('images')
  plain() {
    return 1;
  }
}

@Injectable()
class MailJobs {
  @Job('mail')
  async notify(data: { to: string }, job: RunningJob<{ to: string }, void, [Resized, boolean]>) {
    const [image, isClean] = await job.parentResults();
    // What JSON makes of it: a Date arrives as text.
    const at: string = image.at;
    // @ts-expect-error -- it is no Date any more
    const date: Date = image.at;
    const clean: boolean = isClean;
    const [first, second] = await job.parents();
    const result: { path: string; at: string } = await first.result();
    // @ts-expect-error -- the second one's result is a boolean
    const wrong: string = await second.result();
    return void [at, date, clean, data, result, wrong];
  }

  /** Its parameters stand the other way round, as decorators allow. */
  @Job('mail')
  tell(@CurrentJob() _job: RunningJob<unknown, void, [boolean]>, @JobData() _data: string) {}

  @Job('mail')
  async sum(_data: undefined, job: RunningJob<undefined, number, number[]>) {
    return (await job.parentResults()).reduce((sum, one) => sum + one, 0);
  }

  @Job('mail')
  async anything(_data: unknown, job: RunningJob) {
    const results: readonly unknown[] = await job.parentResults();
    return results.length;
  }

  @Job('mail')
  async optional(_data?: { a: number }, _job?: RunningJob<{ a: number }, void, [number]>) {}
}

export async function right(images: Queue<ImageJobs>, mail: Queue<MailJobs>, rq: RqService) {
  const resize = await images.enqueue('resize', { path: '/a' });
  const scan = images.prepare('scan', { path: '/a' }, { retry: { max: 2 } });
  const plain = await images.enqueue('plain');

  await mail.enqueue('notify', { to: 'a@b.c' }, { dependsOn: [resize, scan], delay: '5m' });
  await mail.enqueueIn(5, 'notify', { to: 'a@b.c' }, { dependsOn: [resize, scan] });
  await mail.enqueueAt(new Date(), 'notify', { to: 'a@b.c' }, { dependsOn: [resize, scan] });
  await mail.enqueueMany([
    { name: 'notify', data: { to: 'a' }, options: { dependsOn: [resize, scan] } },
    { name: 'sum' },
    scan,
  ]);
  const jobs = { jobs: [resize, scan], ifFailed: 'run' } as const;
  const notify = mail.prepare('notify', { to: 'a@b.c' }, { dependsOn: jobs });

  // One parent needs no list, a list of any length may be empty, and handlers that declare nothing take anything.
  await mail.enqueue('optional', undefined, { dependsOn: plain });
  await mail.enqueue('optional', { a: 1 }, { dependsOn: [plain] });
  await mail.enqueue('sum');
  await mail.enqueue('sum', undefined, { dependsOn: [plain, plain, images.prepare('plain')] });
  await images.enqueue('resize', { path: '/a' }, { dependsOn: [scan, 'some-id'] });
  await mail.enqueue('optional', { a: 1 }, { dependsOn: mail.job<number>('some-id') });

  // A group: its jobs, and one that waits for all of them.
  const options = { group: 'import-42' };
  await images.enqueueMany([{ name: 'resize', data: { path: '/a' }, options }]);
  images.prepare('resize', { path: '/a' }, options);
  const dependsOn = { group: 'import-42', ifFailed: 'run' } as const;
  await images.enqueue('resize', { path: '/a' }, { dependsOn });
  const status: GroupStatus = await rq.group('import-42').status();
  const left: number = (await images.group('import-42').wait({ timeout: '5m' })).pending;
  const ids: string[] = (await rq.group('import-42').jobs({ limit: 5 })).map(({ id }) => id);

  // A handle has the type of its result, in one call of several queues too.
  const [one, , three] = await rq.enqueueMany([scan, resizeOf(images), notify]);
  const isClean: boolean = await one.result();
  const nothing: null = await three.result();
  const handle: RqJob<boolean> = scan.handle();
  const many: RqJob<boolean>[] = await rq.enqueueMany([scan].concat(scan));
  return [isClean, nothing, handle, many, status, left, ids];
}

function resizeOf(images: Queue<ImageJobs>) {
  return images.prepare('resize', { path: '/a' });
}

export async function wrong(images: Queue<ImageJobs>, mail: Queue<MailJobs>, rq: RqService) {
  const resize = await images.enqueue('resize', { path: '/a' });
  const scan = images.prepare('scan', { path: '/a' });
  const to = { to: 'a@b.c' };
  // @ts-expect-error -- no parents
  await mail.enqueue('notify', to);
  // @ts-expect-error -- options without parents
  await mail.enqueue('notify', to, { delay: 5 });
  // @ts-expect-error -- the wrong order
  await mail.enqueue('notify', to, { dependsOn: [scan, resize] });
  // @ts-expect-error -- one is missing
  await mail.enqueue('notify', to, { dependsOn: [resize] });
  // @ts-expect-error -- one too many
  await mail.enqueue('notify', to, { dependsOn: [resize, scan, scan] });
  // @ts-expect-error -- an id does not say what its result is: queue.job<Result>(id)
  await mail.enqueue('notify', to, { dependsOn: [resize, 'some-id'] });
  // @ts-expect-error -- a group has no results of single jobs
  await mail.enqueue('notify', to, { dependsOn: { group: 'import-42' } });
  // @ts-expect-error -- a group or jobs, not both
  await images.enqueue('resize', { path: '/a' }, { dependsOn: { group: 'g', jobs: [resize] } });
  // @ts-expect-error -- no such answer to a failure
  await images.enqueue('scan', { path: '/a' }, { dependsOn: { group: 'g', ifFailed: 'ignore' } });
  // @ts-expect-error -- a name
  await images.enqueue('scan', { path: '/a' }, { group: 5 });
  // @ts-expect-error -- the same in an object
  await mail.enqueue('notify', to, { dependsOn: { jobs: [scan, resize], ifFailed: 'run' } });
  // @ts-expect-error -- no such answer to a failure
  await mail.enqueue('notify', to, { dependsOn: { jobs: [resize, scan], ifFailed: 'ignore' } });
  // @ts-expect-error -- in a while, the same
  await mail.enqueueIn('5m', 'notify', to);
  // @ts-expect-error -- at a time, the same
  await mail.enqueueAt(new Date(), 'notify', to, { dependsOn: [scan, resize] });
  // @ts-expect-error -- prepared, the same
  mail.prepare('notify', to);
  // @ts-expect-error -- among many, the same
  await mail.enqueueMany([{ name: 'notify', data: to }]);
  // @ts-expect-error -- among many, in the wrong order
  await mail.enqueueMany([{ name: 'notify', data: to, options: { dependsOn: [scan, resize] } }]);
  // @ts-expect-error -- wherever the job stands among the parameters
  await mail.enqueue('tell', { to: 'a' });
  // @ts-expect-error -- results of another type
  await mail.enqueue('sum', undefined, { dependsOn: [scan] });
  // @ts-expect-error -- the rest of the options is checked all the same
  await mail.enqueue('notify', to, { dependsOn: [resize, scan], timeuot: 5 });
  // @ts-expect-error -- of a handler that declares nothing, too
  await images.enqueue('resize', { path: '/a' }, { dependsOn: 5 });
  // @ts-expect-error -- a handle is enqueued already
  await rq.enqueueMany([resize]);
  // @ts-expect-error -- 'end' is what happens without an option
  await resize.cancel({ dependents: 'end' });
  // @ts-expect-error -- no booleans
  await resize.delete({ dependents: true });
  await resize.cancel({ dependents: 'release' });
  await resize.delete({ dependents: 'delete' });
}

export async function anyQueue(queue: Queue, prepared: PreparedJob) {
  await queue.enqueue('whatever', {}, { dependsOn: prepared });
  await queue.enqueueMany([prepared, { name: 'a', options: { dependsOn: [prepared, 'id'] } }]);
  const summaries = await queue.jobs('deferred');
  const dependsOn: DependsOn = summaries;
  return dependsOn;
}

export const parents: [
  JobParents<MailJobs, 'notify'>,
  JobParents<MailJobs, 'sum'>,
  JobParents<ImageJobs, 'scan'>,
] = [[{ path: '/a', at: '2026-01-01' }, true], [1, 2], ['anything']];
