import { ParseIntPipe, ValidationPipe } from '@nestjs/common';
import {
  CurrentJob,
  Job,
  type JobContextOptions,
  JobData,
  type JobHandlerOptions,
  JobsOf,
  Queue,
  RqModule,
  type RunningJob,
} from 'nestjs-rq';
import { z } from 'zod';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: what a user
 * gets wrong of a handler and its surroundings is found before the program runs.
 */

const image = z.object({ path: z.string() });

@JobsOf('images', { retry: { max: 3, interval: 5, when: (_, job) => job.attempt < 3 } })
class ImageJobs {
  declare readonly jobNames: { other: 'scan' };

  @Job()
  resize(@JobData({ schema: image, pipes: [ParseIntPipe] }) _image: z.infer<typeof image>) {
    return 1;
  }

  @Job({ name: 'other', timeout: '5m' })
  scan(@JobData('path', { schema: z.string() }) _path: string, _job: RunningJob) {}

  // @ts-expect-error -- no such option
  wrong(@JobData({ scheme: image }) _data: unknown) {}

  // @ts-expect-error -- no schema
  wrongSchema(@JobData({ schema: 'path' }) _data: unknown) {}
}

export async function linked(queue: Queue<ImageJobs>) {
  const result: number = await (await queue.enqueue('resize', { path: '/a' })).result();
  // @ts-expect-error -- the data has another type
  await queue.enqueue('resize', { path: 5 });
  await queue.enqueue('other', '/a');
  // @ts-expect-error -- its jobs have another name
  await queue.enqueue('scan', '/a');
  return result;
}

// @ts-expect-error -- a queue is required
@JobsOf()
export class WithoutQueue {}

// @ts-expect-error -- a name belongs to one job
@JobsOf('images', { name: 'resize' })
export class WithName {}

export class OnMethod {
  // @ts-expect-error -- a decorator of classes
  @JobsOf('images')
  work() {}
}

const connection = 'redis://localhost:6379';
RqModule.forRoot({
  connection,
  enhancers: { pipes: [new ValidationPipe(), ParseIntPipe], guards: [{ canActivate: () => true }] },
});
// @ts-expect-error -- a pipe is no guard
RqModule.forRoot({ connection, enhancers: { guards: [ValidationPipe] } });
// @ts-expect-error -- no such kind
RqModule.forRoot({ connection, enhancers: { middleware: [] } });
RqModule.forRoot({
  connection,
  context: {
    inject: (headers) => (headers.trace = 't'),
    extract: async (headers, run) => {
      const result = await run();
      return headers.trace ? result : result;
    },
  },
});
// @ts-expect-error -- a header is text
RqModule.forRoot({ connection, context: { inject: (headers) => (headers.user = 7) } });

export const forgetsTheResult: JobContextOptions = {
  // @ts-expect-error -- what run gives must be returned
  extract: async (_headers, run) => {
    await run();
  },
};

interface Cursor {
  from: number;
  until?: string;
}

export async function running(job: RunningJob<Cursor>, any: RunningJob) {
  await job.update({ from: job.data.from + 1 });
  await job.update({ ...job.data, until: 'tomorrow' });
  // @ts-expect-error -- the data is the handler's
  await job.update({ from: 'here' });
  // @ts-expect-error -- a property is missing
  await job.update({});
  await any.update('anything');
  await job.log('a line');
  // @ts-expect-error -- a line is text
  await job.log({ line: 1 });
  job.heartbeat();
  const lines: string[] = await job.logs({ offset: 10 });
  const asUnknown: RunningJob = job;
  return [lines, asUnknown];
}

interface Mail {
  to: string;
  tenant: string;
  at: Date;
}

const anyOptions: JobHandlerOptions = { queue: 'mail', key: (mail: Mail) => mail.to };

/** The `key` function is given what the handler's jobs have. */
export class Keys {
  @Job({ queue: 'mail', key: (mail: Mail) => mail.tenant })
  same(_mail: Mail, _job: RunningJob) {}

  @Job({ queue: 'mail', key: ({ tenant }: { tenant: string }, name) => name + tenant })
  lessOfIt(_mail: Mail) {}

  @Job({ queue: 'mail', key: () => 'all', retry: { max: 3 } })
  none() {}

  @Job({ queue: 'mail', key: (mail: Mail | undefined) => mail?.tenant })
  perhaps(_mail?: Mail) {}

  @Job({ queue: 'mail', key: (mail: Mail) => mail.tenant })
  fromJob(@CurrentJob() _job: RunningJob<Mail>) {}

  @Job({ queue: 'mail', key: (mail) => String(mail) })
  unread(_mail: Mail) {}

  @Job({ queue: 'mail', key: (mail: Mail) => mail.tenant })
  ofAnything(_data: Record<string, never> & Mail, ..._rest: string[]) {}

  @Job(anyOptions)
  notWrittenOut(_data: number) {}

  // @ts-expect-error -- misspelt
  @Job({ queue: 'mail', key: (mail: { tenat: string }) => mail.tenat })
  misspelt(_mail: Mail) {}

  // @ts-expect-error -- another type
  @Job({ queue: 'mail', key: (mail: { tenant: number }) => mail.tenant })
  number(_mail: Mail, _job: RunningJob<Mail>) {}

  // @ts-expect-error -- there are no data
  @Job({ queue: 'mail', key: (mail: Mail) => mail.tenant })
  noData() {}

  // @ts-expect-error -- there may be none
  @Job({ queue: 'mail', key: (mail: Mail) => mail.tenant })
  perhapsNone(_mail?: Mail) {}

  // @ts-expect-error -- the data of the job have no such property
  @Job({ queue: 'mail', key: (mail: { tenat: string }) => mail.tenat })
  jobOnly(@CurrentJob() _job: RunningJob<Mail>) {}

  // @ts-expect-error -- what has no type is not known
  @Job({ queue: 'mail', key: (mail) => mail.tenant })
  withoutType(_mail: Mail) {}
}
