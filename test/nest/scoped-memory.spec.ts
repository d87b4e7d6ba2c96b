import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  Inject,
  Injectable,
  type NestInterceptor,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ModulesContainer, REQUEST } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { CurrentJob, Job, JobData, RqModule, RqService, type RunningJob } from 'nestjs-rq';
import { deferred, eventually, within } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

const JOBS = 2000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** How many of the objects that were counted are still alive. */
class Living {
  private readonly refs = new Set<WeakRef<object>>();
  total = 0;

  add(one: object): void {
    this.refs.add(new WeakRef(one));
    this.total += 1;
  }

  count(): number {
    collectGarbage();
    for (const ref of this.refs) {
      if (!ref.deref()) this.refs.delete(ref);
    }
    return this.refs.size;
  }
}

const providers = new Living();
const jobsSeen = new Living();
const allDone = deferred();

@Injectable({ scope: Scope.TRANSIENT })
class Transient {
  constructor() {
    providers.add(this);
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  constructor(
    @Inject(REQUEST) readonly job: RunningJob,
    readonly transient: Transient,
  ) {
    providers.add(this);
  }
}

@Injectable()
class PerJobEnhancer implements CanActivate, NestInterceptor {
  constructor(private readonly perJob: PerJob) {
    providers.add(this);
  }

  canActivate() {
    return this.perJob.job !== undefined;
  }

  intercept(_: unknown, next: CallHandler) {
    return next.handle();
  }
}

@Catch()
@Injectable()
class PerJobFilter implements ExceptionFilter {
  constructor(private readonly perJob: PerJob) {
    providers.add(this);
  }

  catch() {
    return this.perJob.job.id;
  }
}

@Injectable()
@UseGuards(PerJobEnhancer)
@UseInterceptors(PerJobEnhancer)
class Jobs {
  private static runs = 0;

  constructor(
    private readonly perJob: PerJob,
    private readonly transient: Transient,
  ) {
    providers.add(this);
  }

  @UseFilters(PerJobFilter)
  @Job('q')
  work(@JobData('number') number: number, @CurrentJob() job: RunningJob) {
    jobsSeen.add(job);
    if (this.perJob.job !== job || this.perJob.transient === this.transient) {
      allDone.reject(new Error('an instance of another job'));
    }
    Jobs.runs += 1;
    if (Jobs.runs === JOBS) allDone.resolve();
    if (number % 2 === 0) throw new Error('for the filter');
  }
}

/** Whatever Nest keeps of a provider by something that can be counted; the rest it keeps in WeakMaps. */
function entriesOf(modules: ModulesContainer): number {
  const wrappers = [...modules.values()].flatMap((module) => [
    ...module.providers.values(),
    ...module.injectables.values(),
  ]);
  const perInquirer = wrappers.map((wrapper: InstanceWrapper) => {
    const { transientMap } = wrapper as unknown as { transientMap?: Map<string, unknown> };
    return transientMap?.size ?? 0;
  });
  return wrappers.length + perInquirer.reduce((sum, size) => sum + size, 0);
}

it(`${JOBS} jobs of a request-scoped handler leave nothing behind`, async () => {
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(
        applications.root({
          worker: { concurrency: 20 },
          context: { extract: (_, run) => run() },
        }),
      ),
    ],
    providers: [Transient, PerJob, Jobs],
  });
  const queue = app.get(RqService).queue('q');
  await (await queue.enqueue('work', { number: 0 })).result({ timeout: 10 });
  const before = entriesOf(app.get(ModulesContainer));

  const options = { resultTtl: 0 };
  for (let number = 1; number < JOBS; number += 1000) {
    const length = Math.min(1000, JOBS - number);
    await queue.enqueueMany(
      Array.from({ length }, (_, i) => ({ name: 'work', data: { number: number + i }, options })),
    );
  }
  await within(allDone.promise, { what: 'all jobs', timeout: 60_000 });
  const atRest = async () => {
    const { queued, started, failed } = await queue.counts();
    return queued + started + failed === 0;
  };
  await eventually(atRest, { what: 'all jobs to be settled' });

  expect(jobsSeen.total).toBe(JOBS);
  // Per job: two transient instances, PerJob, the enhancer, the filter and the handler's class.
  expect(providers.total).toBeGreaterThanOrEqual(6 * JOBS);
  // Of the last job Nest keeps a promise that it awaited, and with it, up to Node 22, the job that was current then.
  await eventually(() => jobsSeen.count() <= 1 && providers.count() <= 6, {
    what: 'all jobs but the last, and what was made for them, to be collected',
    every: 100,
  });
  expect(entriesOf(app.get(ModulesContainer))).toBe(before);
}, 90_000);
