import {
  BadRequestException,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Scope,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, REQUEST } from '@nestjs/core';
import { IsInt } from 'class-validator';
import {
  InvalidOptionError,
  Job,
  JobData,
  type JobEnhancers,
  RqModule,
  type RqModuleOptions,
  RqService,
  type RunningJob,
} from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

const seen: string[] = [];
beforeEach(() => (seen.length = 0));

/** Notes that it was asked, and by which of the application's instances. */
@Injectable()
class Tag {
  private static made = 0;
  readonly number = ++Tag.made;
}

const noting = (name: string) => {
  @Injectable()
  class Note implements CanActivate, NestInterceptor {
    canActivate() {
      seen.push(`guard ${name}`);
      return true;
    }
    intercept(_: ExecutionContext, next: CallHandler) {
      seen.push(`interceptor ${name}`);
      return next.handle();
    }
  }
  return Note;
};
const OnClass = noting('class');
const OnMethod = noting('method');
const OfRoot = noting('root');
const OfApplication = noting('application');

class CountDto {
  @IsInt() count!: number;
}

@Injectable()
@UseGuards(OnClass)
@UseInterceptors(OnClass)
class Jobs {
  @UseGuards(OnMethod)
  @UseInterceptors(OnMethod)
  @Job('q')
  plain() {
    seen.push('body');
  }

  @Job('q')
  counted(@JobData() data: CountDto) {
    return data instanceof CountDto && data.count;
  }

  @Job('q')
  failing() {
    throw new TypeError('boom');
  }
}

/** Starts an application with these options, and gives a way to run one job. */
async function start(options: Partial<RqModuleOptions>, providers: object[] = []) {
  const { app, logs } = await applications.start({
    imports: [RqModule.forRoot(applications.root(options))],
    providers: [Jobs, ...(providers as [])],
  });
  const queue = app.get(RqService).queue('q');
  const run = async (name: string, data?: unknown) =>
    (await queue.enqueue(name, data)).result({ timeout: 10 });
  return { app, logs, run };
}

describe('forRoot({ enhancers })', () => {
  it('apply outside those of class and method', async () => {
    const { run } = await start({
      enhancers: { guards: [OfRoot], interceptors: [new OfRoot()] },
    });
    await run('plain');
    expect(seen).toEqual([
      'guard root',
      'guard class',
      'guard method',
      'interceptor root',
      'interceptor class',
      'interceptor method',
      'body',
    ]);
  });

  it.each<[string, boolean, string[]]>([
    ["come after the application's global ones", true, ['application', 'root']],
    ["apply without the application's global ones", false, ['root']],
  ])('%s with globalEnhancers: %p', async (_, globalEnhancers, places) => {
    const enhancers = { guards: [OfRoot], interceptors: [OfRoot] };
    const { run } = await start({ enhancers, globalEnhancers }, [
      { provide: APP_GUARD, useClass: OfApplication },
      { provide: APP_INTERCEPTOR, useClass: OfApplication },
    ]);
    await run('plain');
    expect(seen.filter((line) => /root|application/.test(line))).toEqual([
      ...places.map((place) => `guard ${place}`),
      ...places.map((place) => `interceptor ${place}`),
    ]);
  });

  it('validate every payload with one pipe', async () => {
    const { run } = await start({
      enhancers: { pipes: [new ValidationPipe({ transform: true })] },
    });
    expect(await run('counted', { count: 3 })).toBe(3);
    await expect(run('counted', { count: 'many' })).rejects.toThrow(/count must be an integer/);
  });

  it('deny every job with one guard', async () => {
    const { run } = await start({ enhancers: { guards: [{ canActivate: () => false }] } });
    await expect(run('plain')).rejects.toThrow(/ForbiddenException/);
    expect(seen).toEqual([]);
  });

  it('translate errors with one filter, and leave those that it does not catch as they are', async () => {
    @Catch(TypeError)
    class Translate implements ExceptionFilter {
      catch(error: TypeError) {
        throw new RangeError(`translated ${error.message}`);
      }
    }
    const { run } = await start({ enhancers: { filters: [Translate] } });
    await expect(run('failing')).rejects.toThrow(/RangeError: translated boom/);
  });

  it('what no filter catches is logged once, by the worker', async () => {
    @Catch(BadRequestException)
    class Other implements ExceptionFilter {
      catch() {}
    }
    const { logs, run } = await start({ enhancers: { filters: [Other] } });
    await expect(run('failing')).rejects.toThrow(/TypeError: boom/);
    const errors = () => logs.lines.filter((line) => line.startsWith('error'));
    await eventually(() => errors().length > 0, { what: 'the error line' });
    expect(errors()).toEqual([expect.stringMatching(/^error RqWorker: Job failing .*boom/)]);
  });
});

describe('a class in forRoot({ enhancers })', () => {
  @Injectable()
  class Injected implements PipeTransform {
    constructor(@Inject(Tag) readonly tag: Tag) {}

    transform(value: unknown) {
      seen.push(`pipe with ${this.tag.number}`);
      return value;
    }
  }

  it('is taken from the application if a module provides it', async () => {
    @Module({ providers: [Injected, Tag], exports: [Injected] })
    class PipesModule {}
    const { app } = await applications.start({
      imports: [
        PipesModule,
        RqModule.forRoot(applications.root({ enhancers: { pipes: [Injected] } })),
      ],
      providers: [Jobs],
    });
    await (await app.get(RqService).queue('q').enqueue('counted', {})).result();
    const { number } = app.get(Injected, { strict: false }).tag;
    expect(seen).toContain(`pipe with ${number}`);
  });

  it('is made with what the module that calls forRoot can inject, if nobody provides it', async () => {
    const { app, run } = await start({ enhancers: { pipes: [Injected] } }, [Tag]);
    await run('counted', {});
    expect(seen).toContain(`pipe with ${app.get(Tag).number}`);
  });

  it('may be transient', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient extends Injected {}
    const { app, run } = await start({ enhancers: { pipes: [Transient] } }, [Tag, Transient]);
    await run('counted', {});
    expect(seen).toContain(`pipe with ${app.get(Tag).number}`);
  });

  it('stops the bootstrap when it cannot be made', async () => {
    const error = await refusal({ enhancers: { pipes: [Injected] } });
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error.message).toMatch(
      /^RqModule\.forRoot in RootTestModule: enhancers\.pipes\[0\] names Injected, which could not be made: .*dependencies/s,
    );
  });

  it('stops the bootstrap when it is made for each request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerJob implements CanActivate {
      constructor(@Inject(REQUEST) readonly job: RunningJob) {}

      canActivate() {
        return true;
      }
    }
    const error = await refusal({ enhancers: { guards: [PerJob] } }, [PerJob]);
    expect(error.message).toMatch(
      /enhancers\.guards\[0\] names PerJob, .*each request.*@UseGuards/,
    );
  });

  it('stops the bootstrap when its instances are of another kind', async () => {
    const error = await refusal({ enhancers: { guards: [Tag as never] } });
    expect(error.message).toMatch(/enhancers\.guards\[0\] must have a method canActivate\(\)/);
  });
});

it.each<[string, unknown, RegExp]>([
  ['an unknown kind', { guard: [] }, /enhancers\.guard is not an option here/],
  ['no list', { pipes: new ValidationPipe() }, /enhancers\.pipes must be a list/],
  ['a list', [new ValidationPipe()], /enhancers must be an object/],
  ['nothing', { filters: [undefined] }, /enhancers\.filters\[0\] must have a method catch\(\)/],
  ['another kind', { interceptors: [new ValidationPipe()] }, /interceptors\[0\].*intercept\(\)/],
])('%s in enhancers stops the bootstrap', async (_, enhancers, message) => {
  const error = await refusal({ enhancers: enhancers as JobEnhancers, worker: false });
  expect(error).toBeInstanceOf(InvalidOptionError);
  expect(error.message).toMatch(/^RqModule\.forRoot in RootTestModule: /);
  expect(error.message).toMatch(message);
});

async function refusal(options: Partial<RqModuleOptions>, providers: object[] = []) {
  const started = start(options, providers);
  return started.then(
    () => {
      throw new Error('nothing was wrong');
    },
    (error: Error) => error,
  );
}
