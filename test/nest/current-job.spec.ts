import {
  type CallHandler,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { Job, type Queue, RqModule, currentJob, getQueueToken } from 'nestjs-rq';
import { EventEmitter } from 'node:events';
import { map } from 'rxjs';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

/** A service that knows nothing of jobs beside its log lines. */
@Injectable()
class Log {
  readonly lines: string[] = [];
  private readonly emitter = new EventEmitter().on('line', (text) => this.write(text as string));

  write(text: string) {
    this.lines.push(`${currentJob()?.name ?? 'no job'} ${currentJob()?.attempt ?? 0}: ${text}`);
  }

  async later(text: string) {
    await new Promise((resolve) => setImmediate(resolve));
    this.write(text);
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        this.write(`${text}, by a timer`);
        resolve();
      });
    });
    this.emitter.emit('line', `${text}, by an event`);
  }
}

@Injectable()
class Enhancer implements NestInterceptor {
  constructor(private readonly log: Log) {}

  intercept(_: unknown, next: CallHandler) {
    this.log.write('before');
    return next.handle().pipe(
      map((value: unknown) => {
        this.log.write('after');
        return value;
      }),
    );
  }
}

@Injectable()
class Jobs {
  constructor(private readonly log: Log) {}

  @Job({ queue: 'q', retry: { max: 1, interval: 0 } })
  async first(data: number) {
    await this.log.later(`data ${data}`);
    if (currentJob()?.attempt === 1) throw new Error('again');
    return currentJob()?.id;
  }

  @UseInterceptors(Enhancer)
  @Job('q')
  second() {
    this.log.write('body');
  }

  @Job('q')
  async parallel(data: number) {
    await this.log.later(`data ${data}`);
    return currentJob()?.data;
  }
}

async function start(options = {}) {
  const imports = [RqModule.forRoot(applications.root(options)), RqModule.registerQueue('q')];
  const { app } = await applications.start({ imports, providers: [Jobs, Log, Enhancer] });
  return { log: app.get(Log), queue: app.get<Queue>(getQueueToken('q')) };
}

describe('currentJob()', () => {
  it('is the job anywhere below the handler, in each attempt', async () => {
    const { log, queue } = await start();
    const job = await queue.enqueue('first', 7);
    expect(await job.result()).toBe(job.id);
    expect(log.lines).toEqual([
      'first 1: data 7',
      'first 1: data 7, by a timer',
      'first 1: data 7, by an event',
      'first 2: data 7',
      'first 2: data 7, by a timer',
      'first 2: data 7, by an event',
    ]);
  });

  it('is the job in its interceptors, too', async () => {
    const { log, queue } = await start();
    await (await queue.enqueue('second')).result();
    expect(log.lines).toEqual(['second 1: before', 'second 1: body', 'second 1: after']);
  });

  it('does not mix up jobs that run side by side', async () => {
    const { queue } = await start();
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const jobs = await Promise.all(numbers.map((number) => queue.enqueue('parallel', number)));
    expect(await Promise.all(jobs.map((job) => job.result()))).toEqual(numbers);
  });

  it('is nothing outside of handlers, and where it is switched off', async () => {
    expect(currentJob()).toBeUndefined();
    const { log, queue } = await start({ currentJob: false });
    await (await queue.enqueue('second')).result();
    expect(log.lines).toEqual(['no job 0: before', 'no job 0: body', 'no job 0: after']);
  });
});
