// Handlers that take several jobs at once, in a Nest application: what they are called with, and what applies to them.
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  Scope,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import {
  type BatchedJob,
  CurrentJob,
  Job,
  JobData,
  type JobHandlerOptions,
  RqContext,
  RqModule,
  RqService,
  type RunningJob,
  currentJob,
} from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

class EventDto {
  @IsString() name!: string;
  @IsInt() size!: number;
}

let seen: unknown[] = [];
afterEach(() => {
  seen = [];
});

@Injectable()
class OddGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const { jobs, data } = RqContext.of<unknown[]>(context);
    seen.push(`guard ${jobs.length} ${data.length}`);
    return true;
  }
}

@Injectable()
class Around implements NestInterceptor {
  intercept(context: ExecutionContext, next: { handle(): never }) {
    const about = RqContext.of(context);
    seen.push(`interceptor ${about.jobs.length}`);
    try {
      seen.push(about.job.id);
    } catch (error) {
      seen.push((error as Error).message);
    }
    return next.handle();
  }
}

@Injectable()
class Trimmed implements PipeTransform {
  transform(value: { name?: string }) {
    seen.push(`pipe ${String(currentJob()?.id)}`);
    return { ...value, name: value.name?.trim() };
  }
}

@Injectable()
class EventJobs {
  @Job({ queue: 'events', batch: { size: 10 } })
  plain(events: unknown[], jobs: BatchedJob[]) {
    seen.push(
      events,
      jobs.map(({ id }) => id),
      currentJob(),
    );
    return events;
  }

  @Job({ queue: 'events', batch: { size: 10 }, key: ({ name }: EventDto) => name })
  @UseGuards(OddGuard)
  @UseInterceptors(Around)
  async guarded(events: EventDto[]) {
    seen.push(events.map(({ size }) => size));
  }

  @Job({ queue: 'events', batch: { size: 10, items: EventDto }, retry: { max: 3 } })
  @UsePipes(Trimmed, new ValidationPipe())
  valid(@JobData() events: EventDto[], @CurrentJob() jobs: BatchedJob[]) {
    seen.push(events);
    return jobs.map(({ id }) => id);
  }

  @Job({ queue: 'events', batch: { size: 10 } })
  numbers(@JobData(ParseIntPipe) numbers: number[]) {
    seen.push(numbers);
    return numbers.map((number) => number + 1);
  }
}

async function start(...providers: (new () => object)[]) {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root()), RqModule.registerQueue('events')],
    providers: [OddGuard, Around, Trimmed, ...providers],
  });
  const queue = app.get(RqService).queue('events');
  return { app, queue };
}

describe('a method with `batch`', () => {
  it('is called with the list of the data and the list of the jobs', async () => {
    const { queue } = await start(EventJobs);
    const jobs = await queue.enqueueMany(
      ['a', 'b'].map((id) => ({ name: 'plain', data: { of: id }, options: { id } })),
    );
    expect(await Promise.all(jobs.map((job) => job.result({ timeout: 10 })))).toEqual([
      { of: 'a' },
      { of: 'b' },
    ]);
    expect(seen).toEqual([[{ of: 'a' }, { of: 'b' }], ['a', 'b'], undefined]);
  });

  it('has its guards and interceptors once for each batch, which see all its jobs', async () => {
    const { queue } = await start(EventJobs);
    const jobs = await queue.enqueueMany(
      [1, 2, 3].map((size) => ({ name: 'guarded', data: { name: 'x', size } })),
    );
    await Promise.all(jobs.map((job) => job.result({ timeout: 10 })));
    expect(seen).toEqual([
      'guard 3 3',
      'interceptor 3',
      'RqContext.job: the handler takes batches, look at RqContext.jobs',
      [1, 2, 3],
    ]);
  });

  it('has its pipes for the data of each job: one that is invalid fails alone, at once', async () => {
    const { queue } = await start(EventJobs);
    const data = [
      { name: ' a ', size: 1 },
      { name: 'b', size: 'large' },
      { name: 'c', size: 3 },
    ];
    const jobs = await queue.enqueueMany(
      data.map((one, index) => ({ name: 'valid', data: one, options: { id: `j${index}` } })),
    );
    const results = await Promise.allSettled(jobs.map((job) => job.result({ timeout: 10 })));
    expect(results.map((one) => (one.status === 'fulfilled' ? one.value : one.reason))).toEqual([
      'j0',
      expect.objectContaining({ message: expect.stringMatching(/size must be an integer/) }),
      'j2',
    ]);
    expect(seen).toEqual([
      'pipe j0',
      'pipe j1',
      'pipe j2',
      [
        { name: 'a', size: 1 },
        { name: 'c', size: 3 },
      ],
    ]);
  });

  it('has the pipes of its parameter so, too', async () => {
    const { queue } = await start(EventJobs);
    const jobs = await queue.enqueueMany(
      ['1', 'x', '3'].map((data) => ({ name: 'numbers', data })),
    );
    const results = await Promise.allSettled(jobs.map((job) => job.result({ timeout: 10 })));
    expect(results.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual([
      2,
      'failed',
      4,
    ]);
    expect(seen).toEqual([[1, 3]]);
  });

  it('may stand on a provider that is made for each batch', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerBatch {
      private readonly made = seen.push('made');

      @Job({ queue: 'events', batch: { size: 10 } })
      @UsePipes(Trimmed)
      scoped(events: EventDto[]) {
        seen.push(this.made, events.length);
      }
    }
    const { queue } = await start(PerBatch);
    await queue.enqueueMany([1, 2].map((size) => ({ name: 'scoped', data: { name: 'x', size } })));
    await eventually(async () => (await queue.counts()).finished === 2, { what: 'both jobs' });
    expect(seen.filter((one) => one === 'made')).toHaveLength(1);
    expect(seen.at(-1)).toBe(2);
  });
});

class WithProperty {
  @Job({ queue: 'q', batch: { size: 2 } })
  run(@JobData('name') _names: string[]) {}
}

class WithJobFirst {
  @Job({ queue: 'q', batch: { size: 2 } })
  run(@CurrentJob() _jobs: RunningJob[]) {}
}

it.each([WithProperty, WithJobFirst])('parameters of lists are refused in %o', async (type) => {
  await expect(start(type)).rejects.toThrow(/batch hands lists to the method, and its parameter 0/);
});

it.each<[Partial<JobHandlerOptions>, RegExp]>([
  [{ batch: { size: 0 } }, /batch\.size must be a whole number of at least 1/],
  [{ batch: { size: 501 } }, /batch\.size must be at most 500/],
  [{ batch: {} as never }, /batch\.size must be a whole number/],
  [{ batch: { size: 2, wait: -1 } }, /batch\.wait/],
  [{ batch: { size: 2, most: 1 } as never }, /batch\.most is not an option here/],
  [{ batch: { size: 2, items: 'Event' as never } }, /batch\.items must be a function/],
  [{ batch: { size: 2 }, progress: true }, /progress cannot be told of a batch/],
  [{ batch: { size: 2 }, strictOrder: true }, /strictOrder and batch exclude each other/],
  [{ strictOrder: true, concurrency: { perKey: 2 } }, /strictOrder means that the jobs of a key/],
  [{ strictOrder: 'yes' as never }, /strictOrder must be true or false/],
  [{ priority: 'low', concurrency: { total: 2 } }, /priority cannot be 'low' for a handler with/],
])('refuses %j, naming the place', async (options, message) => {
  class Jobs {
    @Job({ queue: 'q', ...options })
    run(_numbers: unknown[]) {}
  }
  const application = start(Jobs);
  await expect(application).rejects.toThrow(message);
  await expect(application).rejects.toThrow(/@Job on Jobs\.run/);
});

it('strict order gives each key one job at a time', async () => {
  class Jobs {
    @Job({ queue: 'events', strictOrder: true, key: (key: string) => key })
    run(_key: string) {}
  }
  const { queue } = await start(Jobs);
  expect(await queue.limits()).toMatchObject([{ handler: 'run', concurrency: { perKey: 1 } }]);
});
