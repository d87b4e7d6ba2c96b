import { ParseIntPipe, ValidationPipe } from '@nestjs/common';
import {
  Job,
  type JobContextOptions,
  JobData,
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
