import {
  type ArgumentMetadata,
  type ArgumentsHost,
  BadRequestException,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  createParamDecorator,
} from '@nestjs/common';
import { IsEmail, IsInt } from 'class-validator';
import { CurrentJob, Job, JobData, RqContext, type RunningJob } from 'nestjs-rq';
import { type Observable, map } from 'rxjs';
import { type Explored, explored } from './support/explored.js';

const seen: string[] = [];

class MailDto {
  @IsEmail() to!: string;
  @IsInt() copies!: number;
}

@Injectable()
class Dependency {
  readonly tag = 'dependency';
}

@Injectable()
class DenyGuard implements CanActivate {
  constructor(private readonly dependency: Dependency) {}

  canActivate(context: ExecutionContext) {
    const { data, job } = RqContext.of<{ deny?: boolean } | undefined>(context);
    const place = `${context.getClass().name}.${context.getHandler().name}`;
    seen.push(`guard ${context.getType()} ${place} ${this.dependency.tag} ${job.id}`);
    return data?.deny !== true;
  }
}

@Injectable()
class WrapInterceptor implements NestInterceptor {
  constructor(private readonly dependency: Dependency) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    seen.push(`interceptor ${context.getType()} ${this.dependency.tag}`);
    return next.handle().pipe(map((value: unknown) => ({ wrapped: value })));
  }
}

@Injectable()
class UpperPipe implements PipeTransform {
  constructor(private readonly dependency: Dependency) {}

  transform(value: string, metadata: ArgumentMetadata) {
    seen.push(`pipe ${metadata.type} ${metadata.metatype?.name} ${metadata.data}`);
    return `${value.toUpperCase()} ${this.dependency.tag}`;
  }
}

class Boom extends Error {}

@Catch(Boom)
class RecoverFilter implements ExceptionFilter {
  catch(error: Boom, host: ArgumentsHost) {
    return { recovered: error.message, id: RqContext.of(host).job.id };
  }
}

@Catch(Boom)
class TranslateFilter implements ExceptionFilter {
  catch(error: Boom) {
    throw new Error(`translated ${error.message}`);
  }
}

@Catch(Boom)
class SilentFilter implements ExceptionFilter {
  catch() {}
}

const Recipient = createParamDecorator(
  (prefix: string, context: ExecutionContext) =>
    `${prefix} ${context.getType()} ${RqContext.of<MailDto>(context).data.to}`,
);

@Injectable()
@UseGuards(DenyGuard)
class MailJobs {
  constructor(private readonly dependency: Dependency) {}

  @Job('q')
  plain(data: unknown, job: RunningJob) {
    return { data, id: job.id, injected: this.dependency.tag };
  }

  @Job('q')
  parameters(
    @CurrentJob() job: RunningJob,
    @Recipient('to') recipient: string,
    @JobData() mail: MailDto,
    @JobData('to', UpperPipe) to: string,
  ) {
    return { id: job.id, recipient, mail, isDto: mail instanceof MailDto, to };
  }

  @Job('q')
  missing(@JobData('to') to: unknown) {
    return to === undefined;
  }

  @UsePipes(new ValidationPipe({ transform: true }))
  @Job('q')
  validated(@JobData() mail: MailDto) {
    return mail instanceof MailDto;
  }

  @Job('q')
  parsed(@JobData('copies', ParseIntPipe) copies: number) {
    return copies;
  }

  @UseInterceptors(WrapInterceptor)
  @Job('q')
  intercepted() {
    return 1;
  }

  @UseFilters(RecoverFilter)
  @Job('q')
  recovered() {
    throw new Boom('boom');
  }

  @UseFilters(TranslateFilter)
  @Job('q')
  translated() {
    throw new Boom('boom');
  }

  @UseFilters(SilentFilter)
  @Job('q')
  silenced() {
    throw new Boom('boom');
  }

  @Job('q')
  async failing() {
    throw new Boom('raw');
  }
}

describe('enhancers of a handler and of its class', () => {
  let mail: Explored;
  beforeAll(async () => {
    mail = await explored({ providers: [Dependency, MailJobs] });
  });
  beforeEach(() => (seen.length = 0));
  afterAll(() => mail.close());

  it('a handler is called with the data and the job', async () => {
    const result = await mail.run('plain', { a: 1 }, 'id-7');
    expect(result).toEqual({ data: { a: 1 }, id: 'id-7', injected: 'dependency' });
  });

  it('a guard sees class, method, data and job in a context of type rq', async () => {
    await mail.run('plain', { a: 1 }, 'id-7');
    expect(seen).toEqual(['guard rq MailJobs.plain dependency id-7']);
  });

  it('a guard that denies fails the job with ForbiddenException', async () => {
    await expect(mail.run('plain', { deny: true })).rejects.toMatchObject({ status: 403 });
  });

  it('parameter decorators work in any order, with pipes that are injected', async () => {
    expect(await mail.run('parameters', { to: 'a@b.c', copies: 1 }, 'id-7')).toEqual({
      id: 'id-7',
      recipient: 'to rq a@b.c',
      mail: { to: 'a@b.c', copies: 1 },
      isDto: false,
      to: 'A@B.C dependency',
    });
    expect(seen).toContain('pipe body String to');
  });

  it.each([undefined, null, 5])('a property of data that is %p is undefined', async (data) => {
    expect(await mail.run('missing', data)).toBe(true);
  });

  it('ValidationPipe validates and transforms the data', async () => {
    expect(await mail.run('validated', { to: 'a@b.cd', copies: 1 })).toBe(true);
    const refused = mail.run('validated', { to: 'nobody', copies: 'many' });
    await expect(refused).rejects.toThrow(BadRequestException);
  });

  it('pipes of a parameter transform one property', async () => {
    expect(await mail.run('parsed', { copies: '42' })).toBe(42);
    await expect(mail.run('parsed', { copies: 'many' })).rejects.toThrow(BadRequestException);
  });

  it('an interceptor wraps the result', async () => {
    expect(await mail.run('intercepted')).toEqual({ wrapped: 1 });
    expect(seen).toContain('interceptor rq dependency');
  });

  it("a filter's value becomes the result", async () => {
    expect(await mail.run('recovered', {}, 'id-9')).toEqual({ recovered: 'boom', id: 'id-9' });
  });

  it('a filter that throws replaces the error', async () => {
    await expect(mail.run('translated')).rejects.toThrow('translated boom');
  });

  it('a filter that returns nothing has not handled the error', async () => {
    await expect(mail.run('silenced')).rejects.toThrow(Boom);
  });

  it('an error without a filter arrives as it was thrown', async () => {
    await expect(mail.run('failing')).rejects.toThrow(Boom);
  });

  it('a failing handler without filters is not logged by Nest itself', async () => {
    const lines: unknown[] = [];
    const record = (line: unknown) => void lines.push(line);
    mail.app.useLogger({ log: record, warn: record, error: record });
    await expect(mail.run('failing')).rejects.toThrow('raw');
    mail.app.useLogger(false);
    expect(lines).toEqual([]);
  });

  it('RqContext refuses a context that is not of a job', () => {
    const host = { getType: () => 'http' } as ArgumentsHost;
    expect(() => RqContext.of(host)).toThrow(/type "http", not "rq"/);
  });
});

describe('enhancers of a class that is provided under a token', () => {
  it('are injected as those of any other', async () => {
    @Catch()
    class TagFilter implements ExceptionFilter {
      constructor(private readonly dependency: Dependency) {}

      catch() {
        return this.dependency.tag;
      }
    }
    @Injectable()
    class TokenJobs {
      @UseFilters(TagFilter)
      @Job('q')
      run() {
        throw new Error('boom');
      }
    }
    const jobs = await explored({
      providers: [Dependency, { provide: 'TOKEN', useClass: TokenJobs }],
    });
    expect(await jobs.run('run')).toBe('dependency');
    await jobs.close();
  });
});
