import { Controller, Injectable } from '@nestjs/common';
import {
  InvalidOptionError,
  Job,
  type JobHandlerOptions,
  JobsOf,
  type JobsOfOptions,
  RqModule,
  RqService,
  type RunningJob,
} from 'nestjs-rq';
import { Applications } from './support/applications.js';
import { explored, refusal } from './support/explored.js';

@JobsOf('images', { retry: { max: 3, interval: 5 }, timeout: '30s', concurrency: 2 })
class ImageJobs {
  declare readonly jobNames: { 'images.scan': 'scan' };

  @Job()
  resize() {
    return 'resized';
  }

  @Job({
    name: 'images.scan',
    timeout: '5m',
    retry: { max: 1, interval: 0 },
    concurrency: undefined,
  })
  scan() {}

  @Job('archive')
  @Job({ queue: 'mail', timeout: false })
  report() {}
}

describe('@JobsOf', () => {
  it('names the queue of all jobs of a class, and their options', async () => {
    const jobs = await explored({ providers: [ImageJobs] });
    expect(jobs.handlers.names('images').toSorted()).toEqual(['images.scan', 'resize']);
    expect(jobs.handlers.find('images', 'resize')).toMatchObject({
      retry: { max: 3, intervals: [5] },
      timeout: 30_000,
      limits: { perWorker: 2 },
    });
    await jobs.close();
  });

  it('gives way to what @Job says, key by key; a retry is one key', async () => {
    const jobs = await explored({ providers: [ImageJobs] });
    expect(jobs.handlers.find('images', 'images.scan')).toMatchObject({
      retry: { max: 1, intervals: [0] },
      timeout: 300_000,
      limits: { perWorker: 2 },
    });
    expect(jobs.handlers.find('archive', 'report')).toMatchObject({
      timeout: 30_000,
      limits: { perWorker: 2 },
    });
    expect(jobs.handlers.find('mail', 'report')).toMatchObject({
      timeout: -1,
      limits: { perWorker: 2 },
    });
    await jobs.close();
  });

  it('is inherited, and a subclass may have its own in its place', async () => {
    abstract class Base {
      @Job()
      work() {
        return this.constructor.name;
      }
    }
    @JobsOf('a', { timeout: 5 })
    class InA extends Base {}
    class AlsoInA extends InA {
      @Job()
      more() {}
    }
    @JobsOf('b')
    class InB extends AlsoInA {}

    const a = await explored({ providers: [AlsoInA] });
    expect(a.handlers.names('a').toSorted()).toEqual(['more', 'work']);
    expect(a.handlers.find('a', 'more')?.timeout).toBe(5000);
    await a.close();

    const both = await explored({ providers: [InA, InB] });
    expect(both.handlers.names('a')).toEqual(['work']);
    expect(both.handlers.names('b').toSorted()).toEqual(['more', 'work']);
    expect(both.handlers.find('b', 'work')?.timeout).toBeUndefined();
    await both.close();
  });

  it('counts for what factories and values give, too', async () => {
    const jobs = await explored({
      providers: [{ provide: 'MADE', useFactory: () => new ImageJobs() }],
    });
    expect(jobs.handlers.find('images', 'resize')?.timeout).toBe(30_000);
    await jobs.close();
  });

  it('on a class without jobs means nothing', async () => {
    @JobsOf('images')
    class Nothing {}
    const jobs = await explored({ providers: [Nothing] });
    expect(jobs.handlers.queues()).toEqual([]);
    await jobs.close();
  });

  it.each<[string, unknown, JobsOfOptions]>([
    ['queue', 'a,b', {}],
    ['queue', undefined, {}],
    ['name', 'q', { name: 'x' } as object],
    ['queue', 'q', { queue: 'x' } as object],
    ['retry.max', 'q', { retry: { max: -1 } }],
    ['timeout', 'q', { timeout: 0 }],
    ['concurrency', 'q', { concurrency: 0 }],
    ['options', 'q', null as never],
  ])('with an impossible %s is an error that names it and the class', async (...given) => {
    const [option, queue, options] = given;
    @JobsOf(queue as string, options)
    class Bad {
      @Job({ queue: 'q', retry: { max: 1, interval: 0 }, timeout: 5, concurrency: 1 })
      work() {}
    }
    const error = await refusal({ providers: [Bad] });
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as InvalidOptionError).option).toBe(option);
    expect(error.message).toMatch(/^@JobsOf on Bad: /);
  });

  it('may switch retries off, for all or for one', async () => {
    @JobsOf('q', { retry: false })
    class Never {
      @Job()
      never() {}

      @Job({ retry: { max: 2, interval: 5 } })
      butThis() {}
    }
    @JobsOf('r', { retry: { max: 3 } })
    class Mostly {
      @Job({ retry: false })
      notThis() {}
    }
    const jobs = await explored({ providers: [Never, Mostly] });
    expect(jobs.handlers.find('q', 'never')?.retry).toBe(false);
    expect(jobs.handlers.find('q', 'butThis')?.retry).toMatchObject({ max: 2, intervals: [5] });
    expect(jobs.handlers.find('r', 'notThis')?.retry).toBe(false);
    await jobs.close();
  });

  it('of a root that the application has not is an error', async () => {
    @JobsOf('q', { root: 'reports' })
    class Reports {
      @Job()
      work() {}
    }
    const error = await refusal({ providers: [Reports] });
    expect(error.message).toMatch(/Reports\.work.*root needs RqModule\.forRoot.*"reports"/);
  });
});

it.each<JobHandlerOptions>([{}, { name: 'work' }])(
  '@Job(%j) without any queue is an error that names the method and both ways',
  async (options) => {
    @Injectable()
    class Bad {
      @Job(options)
      work() {}
    }
    const error = await refusal({ providers: [Bad] });
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.message).toMatch(
      /^@Job on Bad\.work in RootTestModule: queue is missing: .*@Job\(\{ queue.*@JobsOf\(/,
    );
  },
);

it('@Job() on a controller is told so, not that it has no queue', async () => {
  @Controller()
  class Pages {
    @Job()
    work() {}
  }
  const error = await refusal({ controllers: [Pages] });
  expect(error.message).toMatch(/Pages\.work.*controller.*provider/);
});

describe('with a worker', () => {
  const applications = Applications.forThisFile();

  it('the jobs of the class run on its queue of its root, by its policy', async () => {
    @JobsOf('images', { root: 'reports', retry: { max: 2, interval: 0 } })
    class Reports {
      @Job()
      work(_: unknown, job: RunningJob) {
        if (job.attempt < 3) throw new Error('once more');
        return job.attempt;
      }
    }
    const { app } = await applications.start({
      imports: [
        RqModule.forRoot(applications.root({ name: 'reports', prefix: 'reports:' })),
        RqModule.registerQueue({ name: 'images', root: 'reports' }),
      ],
      providers: [Reports],
    });
    const service: RqService = app.get('RqService:reports');
    const job = await service.queue('images').enqueue('work');
    expect(await job.result({ timeout: 10 })).toBe(3);
  });
});
