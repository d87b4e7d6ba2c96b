import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  Injectable,
  UnauthorizedException,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import {
  FailJob,
  Job,
  type Queue,
  RetryJob,
  RqContext,
  type RqJob,
  RqModule,
  RqService,
  SnoozeJob,
} from 'nestjs-rq';
import { EMPTY, of, throwError, timer, map } from 'rxjs';
import { eventually } from '../support/wait.js';
import { Applications, type LogLines } from './support/applications.js';

const applications = Applications.forThisFile();

class ImageGoneError extends Error {}
class BusyError extends Error {}

/** A filter that does this with what it catches. */
const filterThat = (handle: (error: ImageGoneError, host: ArgumentsHost) => unknown) => {
  @Catch(ImageGoneError)
  class Filter implements ExceptionFilter {
    catch(error: ImageGoneError, host: ArgumentsHost) {
      return handle(error, host);
    }
  }
  return Filter;
};

@Catch(BusyError)
class LaterFilter implements ExceptionFilter {
  catch(): never {
    throw new RetryJob({ in: 30, reason: 'the service is busy' });
  }
}

@Catch(UnauthorizedException)
class HopelessFilter implements ExceptionFilter {
  catch(error: UnauthorizedException): never {
    throw new FailJob('nobody is allowed to', { cause: error });
  }
}

@Injectable()
class Deny implements CanActivate {
  canActivate() {
    return false;
  }
}

@Injectable()
class Unauthorized implements CanActivate {
  canActivate(): never {
    throw new UnauthorizedException('no badge');
  }
}

@Injectable()
class Jobs {
  runs = 0;

  @UseFilters(filterThat((error, host) => ({ gone: error.message, id: RqContext.of(host).job.id })))
  @Job('q')
  value() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat(async ({ message }) => `${message} is gone`))
  @Job('q')
  promise() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat(({ message }) => of('not this', `${message} is gone`)))
  @Job('q')
  observable() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat(({ message }) => timer(1).pipe(map(() => `${message} is gone`))))
  @Job('q')
  lateObservable() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat(() => EMPTY))
  @Job('q')
  emptyObservable() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat((error) => throwError(() => new RangeError(`not ${error.message}`))))
  @Job('q')
  failingObservable() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat((error) => Promise.reject(new RangeError(`not ${error.message}`))))
  @Job('q')
  rejecting() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(filterThat(() => undefined))
  @Job('q')
  unhandled() {
    throw new ImageGoneError('a.png');
  }

  @UseFilters(LaterFilter)
  @Job({ queue: 'q', retry: { max: 3, interval: 5, except: [BusyError] } })
  busy() {
    throw new BusyError('429');
  }

  @UseFilters(LaterFilter)
  @Job({ queue: 'q', retry: { max: 3, interval: 5 } })
  snoozing() {
    throw new SnoozeJob({ for: 60 });
  }

  @UseGuards(Deny)
  @Job({ queue: 'q', retry: { max: 1, interval: 0 } })
  denied() {
    this.runs += 1;
  }

  @UseGuards(Unauthorized)
  @Job({ queue: 'q', retry: { max: 1, interval: 0, except: [UnauthorizedException] } })
  unauthorized() {
    this.runs += 1;
  }

  @UseFilters(HopelessFilter)
  @UseGuards(Unauthorized)
  @Job({ queue: 'q', retry: { max: 1, interval: 0 } })
  nonRetryable() {
    this.runs += 1;
  }
}

let queue: Queue;
let jobs: Jobs;
let logs: LogLines;
beforeEach(async () => {
  const application = await applications.start({
    imports: [RqModule.forRoot(applications.root())],
    providers: [Jobs],
  });
  ({ logs } = application);
  queue = application.app.get(RqService).queue('q');
  jobs = application.app.get(Jobs);
});

const scheduled = (job: RqJob) =>
  eventually(async () => (await job.status()) === 'scheduled', { what: 'the retry to be due' });

const result = async (name: string) => (await queue.enqueue(name)).result({ timeout: 10 });

describe('what an exception filter', () => {
  it('returns is the result of the job', async () => {
    const job = await queue.enqueue('value');
    expect(await job.result({ timeout: 10 })).toEqual({ gone: 'a.png', id: job.id });
    expect(await job.status()).toBe('finished');
  });

  it.each(['promise', 'observable', 'lateObservable'])('returns is awaited: a %s', async (name) => {
    expect(await result(name)).toBe('a.png is gone');
  });

  it.each(['failingObservable', 'rejecting'])(
    'throws takes the place of the error: %s',
    async (name) => {
      await expect(result(name)).rejects.toThrow(/RangeError: not a\.png/);
    },
  );

  it('does not handle fails the attempt as it was thrown', async () => {
    await expect(result('unhandled')).rejects.toThrow(/ImageGoneError: a\.png/);
  });

  it('returns without a value is a failure', async () => {
    await expect(result('emptyObservable')).rejects.toThrow(/EmptyError/);
  });

  it('throws may be a retry, later than the policy says and whatever it excepts', async () => {
    const job = await queue.enqueue('busy');
    await scheduled(job);
    expect(await job.results()).toMatchObject([
      { outcome: 'retrying', error: 'RetryJob: the service is busy', delay: 30_000 },
    ]);
    expect((await job.refresh()).retriesLeft).toBe(2);
  });

  it('throws may be the end, whatever retries are left', async () => {
    await expect(result('nonRetryable')).rejects.toThrow(/FailJob: nobody is allowed to/);
  });

  it('does not catch passes it by, and is logged by the worker alone', async () => {
    const job = await queue.enqueue('snoozing');
    await scheduled(job);
    expect(await job.results()).toEqual([]);
    expect(logs.lines.filter((line) => /^(error|warn)/.test(line))).toEqual([]);
  });
});

describe('a guard', () => {
  it('that denies fails each attempt without running the handler', async () => {
    const job = await queue.enqueue('denied');
    await expect(job.result({ timeout: 10 })).rejects.toThrow(/ForbiddenException/);
    expect(await job.results()).toHaveLength(2);
    expect(jobs.runs).toBe(0);
  });

  it('that throws fails the attempt with its error, which the policy may except', async () => {
    const job = await queue.enqueue('unauthorized');
    await expect(job.result({ timeout: 10 })).rejects.toThrow(/UnauthorizedException: no badge/);
    expect(await job.results()).toHaveLength(1);
    expect(jobs.runs).toBe(0);
  });
});
