import {
  BadRequestException,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Scope,
  UseGuards,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { IsInt } from 'class-validator';
import { CurrentJob, Job, JobData, RqContext, RqModule, RqService, RunningJob } from 'nestjs-rq';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

class ResizeDto {
  @IsInt() width!: number;
}

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  constructor(@Inject(REQUEST) readonly job: RunningJob) {}
}

@Injectable()
class WidthGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const { data, job } = RqContext.of<ResizeDto>(context);
    return job instanceof RunningJob && !(data.width >= 1000);
  }
}

@Injectable()
class HttpOnly implements CanActivate {
  canActivate(context: ExecutionContext) {
    return context.getType() === 'http';
  }
}

@Injectable()
class Jobs {
  constructor(private readonly perJob: PerJob) {}

  @UseGuards(WidthGuard)
  @UsePipes(new ValidationPipe({ transform: true }))
  @Job({ queue: 'images', retry: { max: 1, interval: 0, except: [BadRequestException] } })
  resize(@CurrentJob() job: RunningJob, @JobData() resize: ResizeDto) {
    const { job: request } = this.perJob;
    return {
      isDto: resize instanceof ResizeDto,
      isRequest: request === job && job instanceof RunningJob,
      attempt: job.attempt,
    };
  }
}

const start = async (options = {}) => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root(options))],
    providers: [PerJob, Jobs, { provide: APP_GUARD, useClass: HttpOnly }],
  });
  return app.get(RqService).queue('images');
};

it('a real job meets guards, pipes and request-scoped providers as a request does', async () => {
  const images = await start();
  const job = await images.enqueue('resize', { width: 10 });
  expect(await job.result({ timeout: 10 })).toEqual({ isDto: true, isRequest: true, attempt: 1 });
});

it('each attempt of a job has request-scoped providers of its own', async () => {
  const made = new Set<PerJob>();
  @Injectable()
  class RetriedJobs {
    constructor(private readonly perJob: PerJob) {}

    @Job({ queue: 'images', retry: { max: 2, interval: 0 } })
    retried(_: unknown, job: RunningJob) {
      made.add(this.perJob);
      if (job.attempt < 3) throw new Error('once more');
      return [...made].map((one) => one.job.attempt);
    }
  }
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root())],
    providers: [PerJob, RetriedJobs],
  });
  const job = await app.get(RqService).queue('images').enqueue('retried');
  expect(await job.result({ timeout: 10 })).toEqual([1, 2, 3]);
});

it('what a pipe refuses fails, and the handler may say that it is not worth a retry', async () => {
  const images = await start();
  const job = await images.enqueue('resize', { width: 'wide' });
  await expect(job.result({ timeout: 10 })).rejects.toThrow(/BadRequestException/);
  expect(await job.results()).toHaveLength(1);
});

it('what a guard denies fails and is retried like any failure', async () => {
  const images = await start();
  const job = await images.enqueue('resize', { width: 5000 });
  await expect(job.result({ timeout: 10 })).rejects.toThrow(/ForbiddenException/);
  expect(await job.results()).toHaveLength(2);
});

it("globalEnhancers: true lets the application's global guard see jobs", async () => {
  const images = await start({ globalEnhancers: true });
  const job = await images.enqueue('resize', { width: 10 });
  await expect(job.result({ timeout: 10 })).rejects.toThrow(/ForbiddenException/);
});
