import {
  type CallHandler,
  Catch,
  type ExceptionFilter,
  Injectable,
  type NestInterceptor,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import {
  Job,
  type JobEvent,
  type Queue,
  RqModule,
  type RunningJob,
  getQueueToken,
} from 'nestjs-rq';
import { Observable, concat, defer, map, of, throwError } from 'rxjs';
import { deferred, eventually, within } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

let subscribed = deferred<void>();
let unsubscribed = deferred<void>();
let closed = false;
beforeEach(() => {
  subscribed = deferred();
  unsubscribed = deferred();
  closed = false;
});

/** Never ends by itself. */
const endless = () =>
  new Observable<number>((subscriber) => {
    subscriber.next(1);
    subscribed.resolve();
    return () => unsubscribed.resolve();
  });

@Injectable()
class Double implements NestInterceptor {
  intercept(_: unknown, next: CallHandler<number>) {
    return next.handle().pipe(map((value) => value * 2));
  }
}

@Catch(RangeError)
class Rescue implements ExceptionFilter {
  catch(error: RangeError) {
    return `rescued: ${error.message}`;
  }
}

@Injectable()
class Jobs {
  @Job({ queue: 'q', progress: true })
  steps() {
    return of(10, 20, 30);
  }

  @UseInterceptors(Double)
  @Job({ queue: 'q', progress: true })
  doubled() {
    return of(10, 20, 30);
  }

  @Job({ queue: 'q', progress: true })
  async *generated() {
    yield 'one';
    yield 'two';
  }

  @Job({ queue: 'q', progress: true })
  async *pausing(_: unknown, job: RunningJob) {
    yield;
    yield 'half';
    await job.progress(undefined);
    yield;
  }

  @Job({ queue: 'q', progress: true })
  failing() {
    return concat(
      of(1),
      defer(() => throwError(() => new Error('boom'))),
    );
  }

  @Job({ queue: 'q', progress: true })
  unserializable() {
    return of(() => 1, 2);
  }

  @Job('q')
  silent() {
    return of(10, 20);
  }

  @Job('q')
  endless() {
    return endless();
  }

  @UseInterceptors(Double)
  @UseFilters(Rescue)
  @Job('q')
  endlessWithEnhancers() {
    return endless();
  }

  @UseFilters(Rescue)
  @Job({ queue: 'q', progress: true })
  rescued() {
    return concat(
      of(1),
      defer(() => throwError(() => new RangeError('too far'))),
    );
  }

  @Job('q')
  async *endlessGenerator(): AsyncGenerator<number> {
    try {
      for (;;) {
        yield 1;
        subscribed.resolve();
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      closed = true;
      unsubscribed.resolve();
    }
  }
}

async function start(options = {}) {
  const imports = [RqModule.forRoot(applications.root(options)), RqModule.registerQueue('q')];
  const { app } = await applications.start({ imports, providers: [Jobs] });
  const queue = app.get<Queue>(getQueueToken('q'));
  const events: JobEvent[] = [];
  const listening = deferred<void>();
  const subscription = queue
    .events({ onListening: listening.resolve })
    .subscribe((event) => events.push(event));
  await listening.promise;
  const progress = async () => {
    await eventually(() => events.some(({ type }) => type === 'finished' || type === 'failed'), {
      what: 'the end of the job',
    });
    subscription.unsubscribe();
    return events.flatMap((event) => (event.type === 'progress' ? [event.progress] : []));
  };
  return { app, queue, events, progress };
}

describe('the values of an Observable', () => {
  it.each([
    ['steps', 30],
    ['doubled', 60],
    ['generated', 'two'],
  ])('become progress, the last one is the result too: %s', async (name, last) => {
    const { queue, progress } = await start();
    const job = await queue.enqueue(name);
    expect(await job.result()).toBe(last);
    // Values that come faster than Redis takes them are skipped, never the last one.
    expect((await progress()).at(-1)).toBe(last);
    expect((await job.refresh()).progress).toBe(last);
  });

  it('are not progress unless the handler says so', async () => {
    const { queue, progress } = await start();
    const job = await queue.enqueue('silent');
    expect(await job.result()).toBe(20);
    expect(await progress()).toEqual([]);
  });

  it.each([
    ['failing', /boom/],
    ['unserializable', /UnserializableDataError.*progress/],
  ])('end with the error of the job: %s', async (name, message) => {
    const { queue } = await start();
    const job = await queue.enqueue(name);
    await expect(job.result()).rejects.toThrow(message);
  });

  it('tell nothing where they are none', async () => {
    const { queue, progress } = await start();
    const job = await queue.enqueue('pausing');
    expect(await job.result()).toBeNull();
    expect(await progress()).toEqual(['half']);
    expect((await job.refresh()).progress).toBe('half');
  });

  it('may be rescued by a filter', async () => {
    const { queue } = await start();
    const job = await queue.enqueue('rescued');
    expect(await job.result()).toBe('rescued: too far');
    expect((await job.refresh()).progress).toBe(1);
  });
});

describe('a job that is ended from outside', () => {
  it.each([
    ['endless', {}],
    ['endlessWithEnhancers', {}],
    ['endlessGenerator', {}],
    ['endless', { currentJob: false }],
    ['endlessWithEnhancers', { currentJob: false }],
  ])('has its Observable unsubscribed: %s, %j', async (name, options) => {
    const { queue } = await start(options);
    const job = await queue.enqueue(name);
    await within(subscribed.promise, { what: 'the subscription' });
    await job.cancel();
    await within(unsubscribed.promise, { what: 'the end of it' });
    expect(await job.status()).toBe('canceled');
  });

  it('by its timeout, too', async () => {
    const { queue } = await start();
    const job = await queue.enqueue('endlessWithEnhancers', undefined, { timeout: 0.1 });
    await within(unsubscribed.promise, { what: 'the end of it' });
    await expect(job.result()).rejects.toThrow(/JobTimeoutError/);
    expect(closed).toBe(false);
  });

  it('by the end of the application, too', async () => {
    const { app, queue } = await start({ shutdownTimeout: 0 });
    await queue.enqueue('endless');
    await within(subscribed.promise, { what: 'the subscription' });
    await app.close();
    await expect(within(unsubscribed.promise, { what: 'the end of it' })).resolves.toBeUndefined();
  });
});
