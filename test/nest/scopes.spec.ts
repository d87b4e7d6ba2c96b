import {
  type CallHandler,
  type CanActivate,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  Catch,
  type ArgumentsHost,
} from '@nestjs/common';
import { ContextIdFactory, INQUIRER, ModuleRef, REQUEST } from '@nestjs/core';
import { CurrentJob, Job, JobData, RqContext, type RunningJob } from 'nestjs-rq';
import { type Explored, explored } from './support/explored.js';

const seen: string[] = [];
beforeEach(() => (seen.length = 0));

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  private static made = 0;
  readonly number = ++PerJob.made;

  constructor(@Inject(REQUEST) readonly request: RunningJob) {}
}

@Injectable()
class PerJobGuard implements CanActivate {
  constructor(private readonly perJob: PerJob) {}

  canActivate() {
    seen.push(`guard ${this.perJob.number} ${this.perJob.request.id}`);
    return true;
  }
}

@Catch()
class FilterJobs {
  catch(_: unknown, host: ArgumentsHost) {
    return `filtered ${RqContext.of(host).job.id}`;
  }
}

@Injectable()
class ScopedJobs {
  constructor(private readonly perJob: PerJob) {}

  @UseGuards(PerJobGuard)
  @Job('q')
  scoped(@JobData('value') value: string, @CurrentJob() job: RunningJob) {
    return { value, number: this.perJob.number, isRequest: this.perJob.request === job };
  }

  @UseFilters(FilterJobs)
  @Job('q')
  filtered() {
    throw new Error('boom');
  }

  @Job('q')
  async *generating() {
    yield this.perJob.request.id;
  }
}

@Injectable()
class GuardedJobs {
  @UseGuards(PerJobGuard)
  @Job('q')
  guarded() {
    return 'done';
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerJobEnhancer implements NestInterceptor, PipeTransform {
  constructor(
    @Inject(REQUEST) private readonly job: RunningJob,
    private readonly perJob: PerJob,
  ) {}

  intercept(_: unknown, next: CallHandler) {
    seen.push(`interceptor ${this.perJob.number} ${this.job.id}`);
    return next.handle();
  }

  transform(value: unknown) {
    seen.push(`pipe ${this.perJob.number} ${this.job.id}`);
    return value;
  }
}

@Injectable()
class EnhancedJobs {
  constructor(private readonly moduleRef: ModuleRef) {}

  @UseInterceptors(PerJobEnhancer)
  @Job('q')
  async enhanced(@JobData(PerJobEnhancer) _: unknown, @CurrentJob() job: RunningJob) {
    const contextId = ContextIdFactory.getByRequest(job);
    const perJob = await this.moduleRef.resolve(PerJob, contextId);
    return perJob.number;
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientJobs {
  readonly ready = true;

  constructor(@Inject(INQUIRER) readonly inquirer: unknown) {}

  @Job('q')
  transient() {
    return this.ready;
  }
}

describe('request-scoped providers', () => {
  let jobs: Explored;
  beforeAll(async () => {
    jobs = await explored({
      providers: [PerJob, ScopedJobs, GuardedJobs, EnhancedJobs, TransientJobs],
    });
  });
  afterAll(() => jobs.close());

  it('are made for each job, and the job is their REQUEST', async () => {
    const [a, b] = (await Promise.all([
      jobs.run('scoped', { value: 'p' }, 'A'),
      jobs.run('scoped', { value: 'q' }, 'B'),
    ])) as { value: string; number: number; isRequest: boolean }[];
    expect(a).toMatchObject({ value: 'p', isRequest: true });
    expect(b).toMatchObject({ value: 'q', isRequest: true });
    expect(a!.number).not.toBe(b!.number);
    expect(seen.toSorted()).toEqual([`guard ${a!.number} A`, `guard ${b!.number} B`].toSorted());
  });

  it('share one instance with the guards of the same job', async () => {
    const { number } = (await jobs.run('scoped', {}, 'C')) as { number: number };
    expect(seen).toEqual([`guard ${number} C`]);
  });

  it('make the handlers scoped that only their guards depend on', async () => {
    expect(await jobs.run('guarded', {}, 'D')).toBe('done');
    expect(seen[0]).toMatch(/^guard \d+ D$/);
  });

  it('are shared by interceptors, pipes, and what the handler resolves for its job itself', async () => {
    const number = await jobs.run('enhanced', {}, 'G');
    expect(seen).toEqual([`interceptor ${String(number)} G`, `pipe ${String(number)} G`]);
    seen.length = 0;
    expect(await jobs.run('enhanced', {}, 'H')).not.toBe(number);
  });

  it('meet the enhancers of all jobs outside', async () => {
    const guards = [{ canActivate: () => seen.push('guard of all jobs') > 0 }];
    const enhancers = { guards, interceptors: [], pipes: [], filters: [] };
    const guarded = await explored({ providers: [PerJob, GuardedJobs] }, { enhancers });
    await guarded.run('guarded', {}, 'I');
    expect(seen).toEqual(['guard of all jobs', expect.stringMatching(/^guard \d+ I$/)]);
    await guarded.close();
  });

  it('keep filters and generators working', async () => {
    expect(await jobs.run('filtered', {}, 'E')).toBe('filtered E');
    expect(await jobs.run('generating', {}, 'F')).toBe('F');
  });

  it('transient providers are made too', async () => {
    expect(await jobs.run('transient')).toBe(true);
  });
});

it('a scoped class that two modules provide with different dependencies keeps them apart', async () => {
  @Injectable({ scope: Scope.REQUEST })
  class NamedJobs {
    constructor(@Inject('NAME') readonly name: string) {}

    @Job('q')
    tell() {
      return this.name;
    }
  }
  @Injectable({ scope: Scope.REQUEST })
  class OtherJobs extends NamedJobs {
    declare readonly jobNames: { tellOther: 'tell' };

    @Job({ queue: 'q', name: 'tellOther' })
    override tell() {
      return super.tell();
    }
  }
  @Module({ providers: [NamedJobs, { provide: 'NAME', useValue: 'first' }] })
  class First {}
  @Module({ providers: [OtherJobs, { provide: 'NAME', useValue: 'second' }] })
  class Second {}
  const jobs = await explored({ imports: [First, Second] });
  expect(await jobs.run('tell')).toBe('first');
  expect(await jobs.run('tellOther')).toBe('second');
  await jobs.close();
});

it('durable providers are shared by the jobs that their strategy puts together', async () => {
  @Injectable({ scope: Scope.REQUEST, durable: true })
  class Tenant {
    private static made = 0;
    readonly number = ++Tenant.made;

    constructor(@Inject(REQUEST) readonly payload: { tenant: string }) {}
  }
  @Injectable()
  class TenantJobs {
    constructor(private readonly tenant: Tenant) {}

    @Job('q')
    tell() {
      return [this.tenant.number, this.tenant.payload.tenant];
    }
  }
  @Injectable({ scope: Scope.REQUEST })
  class MixedJobs {
    constructor(
      private readonly tenant: Tenant,
      @Inject(REQUEST) private readonly job: RunningJob,
    ) {}

    @Job('q')
    tellBoth() {
      return [this.tenant.number, this.tenant.payload.tenant, this.job.id];
    }
  }
  const trees = new Map<string, ReturnType<typeof ContextIdFactory.create>>();
  const previous = ContextIdFactory['strategy'];
  ContextIdFactory.apply({
    attach(contextId, job: RunningJob<{ tenant: string }>) {
      const { tenant } = job.data;
      const shared = trees.get(tenant) ?? ContextIdFactory.create();
      trees.set(tenant, shared);
      return {
        resolve: (info) => (info.isTreeDurable ? shared : contextId),
        payload: { tenant },
      };
    },
  });
  const jobs = await explored({ providers: [TenantJobs, MixedJobs, Tenant] });
  try {
    expect(await jobs.run('tell', { tenant: 'a' })).toEqual([1, 'a']);
    expect(await jobs.run('tell', { tenant: 'b' })).toEqual([2, 'b']);
    expect(await jobs.run('tell', { tenant: 'a' })).toEqual([1, 'a']);
    // What lives for one job only has the job itself, beside a durable provider too.
    const [number, tenant, id] = (await jobs.run('tellBoth', { tenant: 'b' }, 'J')) as unknown[];
    expect([number, tenant, id]).toEqual([2, 'b', 'J']);
  } finally {
    ContextIdFactory['strategy'] = previous;
    await jobs.close();
  }
});
