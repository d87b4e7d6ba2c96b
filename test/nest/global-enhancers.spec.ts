import {
  BadRequestException,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  Inject,
  Injectable,
  type NestInterceptor,
  Scope,
  ValidationPipe,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { IsInt } from 'class-validator';
import { Job, JobData, type RunningJob } from 'nestjs-rq';
import { explored } from './support/explored.js';

const seen: string[] = [];
beforeEach(() => (seen.length = 0));

class CountDto {
  @IsInt() count!: number;
}

@Injectable()
class Jobs {
  @Job('q')
  plain() {
    return 1;
  }

  @Job('q')
  typed(@JobData() data: CountDto) {
    return data.count;
  }

  @Job('q')
  failing() {
    throw new Error('boom');
  }
}

@Injectable()
class Deny implements CanActivate {
  canActivate() {
    seen.push('guard');
    return false;
  }
}

@Injectable()
class Note implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    seen.push('interceptor');
    return next.handle();
  }
}

@Catch()
class Pass implements ExceptionFilter {
  catch(error: Error) {
    seen.push('filter');
    throw error;
  }
}

@Injectable({ scope: Scope.REQUEST })
class NotePerJob implements NestInterceptor {
  constructor(@Inject(REQUEST) private readonly job: RunningJob) {}

  intercept(_: unknown, next: CallHandler) {
    seen.push(`interceptor of ${this.job.id}`);
    return next.handle();
  }
}

it("an application's global enhancers stay out of jobs by default", async () => {
  const jobs = await explored(
    {
      providers: [
        Jobs,
        { provide: APP_GUARD, useClass: Deny },
        { provide: APP_INTERCEPTOR, useClass: Note },
        { provide: APP_FILTER, useClass: Pass },
        { provide: APP_PIPE, useValue: new ValidationPipe() },
      ],
    },
    { prepare: (app) => app.useGlobalGuards(new Deny()) },
  );
  expect(await jobs.run('plain')).toBe(1);
  expect(await jobs.run('typed', { count: 'many' })).toBe('many');
  await expect(jobs.run('failing')).rejects.toThrow('boom');
  expect(seen).toEqual([]);
  await jobs.close();
});

it('globalEnhancers: true lets all of them in', async () => {
  const jobs = await explored(
    {
      providers: [
        Jobs,
        { provide: APP_INTERCEPTOR, useClass: Note },
        { provide: APP_FILTER, useClass: Pass },
        { provide: APP_PIPE, useValue: new ValidationPipe() },
      ],
    },
    { globalEnhancers: true },
  );
  await expect(jobs.run('failing')).rejects.toThrow('boom');
  expect(seen).toEqual(['interceptor', 'filter']);
  await expect(jobs.run('typed', { count: 'many' })).rejects.toThrow(BadRequestException);
  await jobs.close();
});

it('a global guard that denies fails the job when globalEnhancers is true', async () => {
  const jobs = await explored(
    { providers: [Jobs, { provide: APP_GUARD, useClass: Deny }] },
    { globalEnhancers: true },
  );
  await expect(jobs.run('plain')).rejects.toMatchObject({ status: 403 });
  await jobs.close();
});

it('what useGlobal... set before init() counts, what comes later does not', async () => {
  const jobs = await explored(
    { providers: [Jobs] },
    { globalEnhancers: true, prepare: (app) => app.useGlobalInterceptors(new Note()) },
  );
  jobs.app.useGlobalGuards(new Deny());
  expect(await jobs.run('plain')).toBe(1);
  expect(seen).toEqual(['interceptor']);
  await jobs.close();
});

it('a request-scoped global interceptor is made for each job, and gets the job', async () => {
  const jobs = await explored(
    { providers: [Jobs, { provide: APP_INTERCEPTOR, useClass: NotePerJob }] },
    { globalEnhancers: true },
  );
  await jobs.run('plain', {}, 'a');
  await jobs.run('plain', {}, 'b');
  expect(seen).toEqual(['interceptor of a', 'interceptor of b']);
  await jobs.close();
});
