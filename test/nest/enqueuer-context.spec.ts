import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type CallHandler,
  type CanActivate,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ClsModule, ClsService } from 'nestjs-cls';
import {
  InvalidOptionError,
  Job,
  type JobContextOptions,
  JobData,
  type JobHeaders,
  type Queue,
  RqModule,
  RqService,
  type RunningJob,
} from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

const tenants = new AsyncLocalStorage<string | undefined>();
const seen: string[] = [];
beforeEach(() => (seen.length = 0));

const note = (where: string) => seen.push(`${where} ${tenants.getStore()}`);

@Injectable()
class Notes implements CanActivate, NestInterceptor {
  canActivate() {
    note('guard');
    return true;
  }

  intercept(_: unknown, next: CallHandler) {
    note('interceptor');
    return next.handle();
  }
}

@Injectable()
class Noting implements PipeTransform {
  transform(value: unknown) {
    note(`pipe ${String(value)}`);
    return value;
  }
}

@Injectable()
class Jobs {
  @UseGuards(Notes)
  @UseInterceptors(Notes)
  @Job({ queue: 'q', retry: { max: 1, interval: 0.05 } })
  async twice(_: unknown, job: RunningJob) {
    await Promise.resolve();
    note(`attempt ${job.attempt}`);
    if (job.attempt === 1) throw new Error('once more');
    return tenants.getStore();
  }

  @Job('q')
  async *generating() {
    yield 'first';
    yield tenants.getStore();
  }

  @Job('q')
  plain() {
    note('plain');
    return tenants.getStore() ?? null;
  }

  @Job({ queue: 'q', retry: { max: 1, interval: 0 } })
  async saving(_: unknown, job: RunningJob) {
    if (job.attempt === 2) return [tenants.getStore(), job.meta.step];
    await job.saveMeta({ ...job.meta, step: 2 });
    throw new Error('once more');
  }

  @UseGuards(Notes)
  @Job({ queue: 'q', batch: { size: 10 } })
  async several(@JobData(Noting) numbers: number[]) {
    await Promise.resolve();
    note(`${numbers.length} jobs`);
  }

  @Job('q')
  failing() {
    note('failing');
    throw new Error('boom');
  }
}

const tenantContext: JobContextOptions = {
  inject: (headers) => {
    headers.tenant = tenants.getStore();
  },
  extract: (headers, run) => tenants.run(headers.tenant, run),
};

async function start(context?: JobContextOptions): Promise<Queue> {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root({ context }))],
    providers: [Jobs],
  });
  return app.get(RqService).queue('q');
}

describe('with an AsyncLocalStorage, the context of whoever enqueues', () => {
  it('reaches guards, interceptors and the handler, in each attempt', async () => {
    const queue = await start(tenantContext);
    const job = await tenants.run('blue', () => queue.enqueue('twice', {}));
    expect(await job.result({ timeout: 10 })).toBe('blue');
    expect(seen).toEqual([
      'guard blue',
      'interceptor blue',
      'attempt 1 blue',
      'guard blue',
      'interceptor blue',
      'attempt 2 blue',
    ]);
  });

  it('reaches what a generator does later', async () => {
    const queue = await start(tenantContext);
    const job = await tenants.run('blue', () => queue.enqueue('generating'));
    expect(await job.result({ timeout: 10 })).toBe('blue');
  });

  it('is kept apart between jobs, and there is none where none was', async () => {
    const queue = await start(tenantContext);
    const enqueue = (tenant: string | undefined) =>
      tenants.run(tenant, async () => (await queue.enqueue('plain')).result({ timeout: 10 }));
    const results = await Promise.all([enqueue('blue'), enqueue('red'), enqueue(undefined)]);
    expect(results).toEqual(['blue', 'red', null]);
  });

  it("travels as texts in the job's meta, also through the schedule", async () => {
    const queue = await start(tenantContext);
    const [now, later] = await tenants.run('blue', () =>
      Promise.all([
        queue.enqueue('plain', 1, { meta: { user: 7, headers: { trace: 't1' } } }),
        queue.enqueueIn('50ms', 'plain'),
      ]),
    );
    expect((await now.refresh()).meta).toEqual({
      user: 7,
      headers: { tenant: 'blue', trace: 't1' },
    });
    expect(await later.result({ timeout: 10 })).toBe('blue');
  });

  it('is still there in the next attempt when the handler has saved its meta', async () => {
    const queue = await start(tenantContext);
    const job = await tenants.run('blue', () => queue.enqueue('saving'));
    expect(await job.result({ timeout: 10 })).toEqual(['blue', 2]);
  });

  it('reaches a batch as far as its jobs have it in common, and pipes for each job', async () => {
    const queue = await start(tenantContext);
    const together = async (...of: string[]) => {
      seen.length = 0;
      await queue.pause();
      const jobs = of.map((tenant, data) =>
        tenants.run(tenant, () => queue.enqueue('several', data)),
      );
      await Promise.all(jobs);
      await queue.resume();
      await Promise.all(jobs.map(async (job) => (await job).result({ timeout: 10 })));
      return seen.toSorted();
    };
    expect(await together('blue', 'blue')).toEqual([
      '2 jobs blue',
      'guard blue',
      'pipe 0 blue',
      'pipe 1 blue',
    ]);
    // Nothing is done for one tenant in the name of another.
    expect(await together('blue', 'red')).toEqual([
      '2 jobs undefined',
      'guard undefined',
      'pipe 0 blue',
      'pipe 1 red',
    ]);
  });

  it('does not reach a handler that asks for nothing', async () => {
    const queue = await start();
    const job = await tenants.run('blue', () => queue.enqueue('plain'));
    expect(await job.result({ timeout: 10 })).toBeNull();
    expect((await job.refresh()).meta).toEqual({});
  });
});

it("with a propagator of OpenTelemetry's form, the context of whoever enqueues reaches the handler", async () => {
  const active = new AsyncLocalStorage<ReadonlyMap<string, string>>();
  const context = {
    active: () => active.getStore() ?? new Map<string, string>(),
    with: <Result>(one: ReadonlyMap<string, string>, run: () => Result) => active.run(one, run),
  };
  const propagation = {
    inject: (from: ReadonlyMap<string, string>, carrier: Record<string, unknown>) => {
      for (const [name, value] of from) carrier[name] = value;
    },
    extract: (from: ReadonlyMap<string, string>, carrier: JobHeaders) => {
      return new Map([...from, ['traceparent', carrier.traceparent ?? '']]);
    },
  };
  class TracedJobs {
    @Job('q')
    trace() {
      return context.active().get('traceparent');
    }
  }
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(
        applications.root({
          context: {
            inject: (headers) => propagation.inject(context.active(), headers),
            extract: (headers, run) =>
              context.with(propagation.extract(context.active(), headers), run),
          },
        }),
      ),
    ],
    providers: [TracedJobs],
  });
  const queue = app.get(RqService).queue('q');
  const job = await context.with(new Map([['traceparent', '00-a-b-01']]), () =>
    queue.enqueue('trace'),
  );
  expect(await job.result({ timeout: 10 })).toBe('00-a-b-01');
});

it('with nestjs-cls, the context of whoever enqueues reaches the handler', async () => {
  @Injectable()
  class ClsJobs {
    constructor(private readonly cls: ClsService) {}

    @Job({ queue: 'q', retry: { max: 1, interval: 0 } })
    tell(_: unknown, job: RunningJob) {
      if (job.attempt === 1) throw new Error('once more');
      return this.cls.get<string>('user') ?? null;
    }
  }
  @Module({
    imports: [
      ClsModule.forRoot({ global: true }),
      RqModule.forRootAsync({
        inject: [ClsService],
        useFactory: (cls: ClsService) => ({
          connection: applications.redis.url,
          context: {
            inject: (headers) => {
              if (cls.isActive()) headers.user = cls.get('user');
            },
            extract: (headers, run) =>
              cls.run(() => {
                cls.set('user', headers.user);
                return run();
              }),
          },
        }),
      }),
    ],
    providers: [ClsJobs],
  })
  class AppModule {}
  const { app } = await applications.start({ imports: [AppModule] });
  const queue = app.get(RqService).queue('q');
  const cls = app.get(ClsService);
  const job = await cls.run(() => {
    cls.set('user', 'ada');
    return queue.enqueue('tell');
  });
  expect(await job.result({ timeout: 10 })).toBe('ada');
  const without = await queue.enqueue('tell');
  expect(await without.result({ timeout: 10 })).toBeNull();
});

it('a propagator may be a provider with fields of its own', async () => {
  @Injectable()
  class TenantContext implements JobContextOptions {
    private readonly tenants = tenants;

    inject(headers: JobHeaders) {
      headers.tenant = this.tenants.getStore();
    }

    extract<Result>(headers: JobHeaders, run: () => Promise<Result>) {
      return this.tenants.run(headers.tenant, run);
    }
  }
  @Module({ providers: [TenantContext], exports: [TenantContext] })
  class ContextModule {}
  const { app } = await applications.start({
    imports: [
      RqModule.forRootAsync({
        imports: [ContextModule],
        inject: [TenantContext],
        useFactory: (context: TenantContext) => ({ ...applications.root(), context }),
      }),
    ],
    providers: [Jobs],
  });
  const queue = app.get(RqService).queue('q');
  const job = await tenants.run('blue', () => queue.enqueue('plain'));
  expect(await job.result({ timeout: 10 })).toBe('blue');
});

it('headers that somebody else wrote are texts by name, whatever stands in Redis', async () => {
  const given: JobHeaders[] = [];
  const queue = await start({
    extract: (headers, run) => {
      given.push(headers);
      return run();
    },
  });
  await queue.pause();
  const job = await queue.enqueue('plain');
  const hostile = '{"headers":{"tenant":"blue","n":5,"__proto__":{"polluted":"yes"}}}';
  await applications.redis.client().hset(`rq:job:${job.id}`, 'meta', hostile);
  await queue.resume();
  await job.result({ timeout: 10 });
  expect(Object.entries(given[0]!)).toEqual([['tenant', 'blue']]);
  expect(given[0]!.polluted).toBeUndefined();
  expect(Object.getPrototypeOf(given[0])).toBeNull();
});

describe('an extract', () => {
  it.each<[string, JobContextOptions['extract'], RegExp, string[]]>([
    [
      'that throws fails the attempt',
      () => {
        throw new RangeError('no such tenant');
      },
      /RangeError: no such tenant/,
      [],
    ],
    [
      'that does not call run fails the attempt',
      (() => Promise.resolve()) as never,
      /context\.extract did not call run\(\)/,
      [],
    ],
    [
      'that throws while the handler runs fails the attempt',
      (_, run) => {
        void run();
        throw new RangeError('too late');
      },
      /RangeError: too late/,
      ['failing undefined'],
    ],
    [
      "that swallows the handler's error does not hide it",
      (async (_: JobHeaders, run: () => Promise<unknown>) => {
        await run().catch(() => 'fine');
      }) as never,
      /Error: boom/,
      ['failing undefined'],
    ],
  ])('%s', async (_, extract, message, ran) => {
    const queue = await start({ extract });
    const job = await queue.enqueue('failing');
    await expect(job.result({ timeout: 10 })).rejects.toThrow(message);
    expect(seen).toEqual(ran);
  });

  it('that does not wait for the handler, or runs it twice, does no harm', async () => {
    const queue = await start({
      extract: ((_: JobHeaders, run: () => Promise<unknown>) => {
        void tenants.run('blue', run);
        void tenants.run('red', run);
      }) as never,
    });
    const job = await queue.enqueue('plain');
    expect(await job.result({ timeout: 10 })).toBe('blue');
    expect(seen).toEqual(['plain blue']);
  });
});

it('an inject that throws makes enqueue reject, and nothing is stored', async () => {
  const queue = await start({
    inject: () => {
      throw new Error('no tenant');
    },
  });
  await queue.pause();
  await expect(queue.enqueue('plain')).rejects.toThrow('no tenant');
  await eventually(async () => (await queue.count()) === 0, { what: 'an empty queue' });
});

it.each<[string, unknown, RegExp]>([
  ['no object', 'headers', /context must be an object with the keys inject, extract/],
  ['no function', { inject: 'x' }, /context\.inject must be a function, got "x"/],
  ['another key', { injekt: () => {} }, /context\.injekt is not an option here/],
  ['nothing', {}, /context needs inject, or extract, or both/],
])('%s in context stops the bootstrap', async (_, context, message) => {
  const starting = start(context as JobContextOptions);
  await expect(starting).rejects.toThrow(InvalidOptionError);
  await expect(starting).rejects.toThrow(message);
});
