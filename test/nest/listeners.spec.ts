import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  CurrentJob,
  type ExhaustedEvent,
  InjectQueue,
  Job,
  JobData,
  type JobEvent,
  type JobEventType,
  OnJob,
  type Queue,
  RqContext,
  type RqJob,
  RqModule,
  type RunningJob,
  getQueueToken,
} from 'nestjs-rq';
import { deferred, eventually, within } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

@Injectable()
class Jobs {
  constructor(@InjectQueue('q') readonly queue: Queue<Jobs>) {}

  @Job('q')
  add(data: number[]) {
    return data.length;
  }

  @Job('q')
  async report(_: null, job: RunningJob) {
    await job.progress('half');
    return 'done';
  }

  @Job('q')
  boom(): never {
    throw new RangeError('too far');
  }
}

const queues = [RqModule.registerQueue('q', 'other')];

/** What the listeners of a test heard. */
let heard: JobEvent[] = [];
beforeEach(() => (heard = []));
const types = (): JobEventType[] => heard.map(({ type }) => type);

@Injectable()
class Everything {
  @OnJob(['started', 'progress', 'retrying', 'finished', 'exhausted', 'failed', 'canceled'])
  hear(event: JobEvent) {
    heard.push(event);
  }
}

async function start(providers: unknown[], options = {}) {
  const imports = [RqModule.forRoot(applications.root(options)), ...queues];
  const started = await applications.start({ imports, providers: providers as [] });
  return { ...started, queue: started.app.get<Queue>(getQueueToken('q')) };
}

describe('a method marked @OnJob', () => {
  it('hears what becomes of the jobs that run here', async () => {
    const { queue } = await start([Jobs, Everything]);
    await queue.enqueue('report', null);
    await eventually(() => types().includes('finished'), { what: 'the end of the job' });
    expect(heard).toMatchObject([
      { type: 'started', name: 'report', queue: 'q', attempt: 1 },
      { type: 'progress', progress: 'half' },
      { type: 'finished', result: 'done' },
    ]);
  });

  it('hears of retries, and when they are used up', async () => {
    const { queue } = await start([Jobs, Everything]);
    await queue.enqueue('boom', undefined, { retry: { max: 1, interval: 0 } });
    await eventually(() => types().includes('failed'), { what: 'the failure' });
    expect(types()).toEqual(['started', 'retrying', 'started', 'exhausted', 'failed']);
    expect(heard.at(-2)).toMatchObject({ error: { name: 'RangeError', message: 'too far' } });
  });

  describe('hears in the process that finds them', () => {
    @Injectable()
    class Losses {
      @OnJob(['lost', 'failed'])
      hear(event: JobEvent) {
        heard.push(event);
      }
    }

    /** A job whose worker has died. */
    async function crashed(fields: Record<string, string>): Promise<void> {
      const client = applications.redis.client();
      const data = '["add",null,[[1]],{}]';
      await client
        .multi()
        .hset('rq:job:crashed', { data, status: 'started', origin: 'q', ...fields })
        .zadd('rq:wip:q', Date.now() / 1000 - 60, `crashed:${'f'.repeat(64)}`)
        .exec();
      client.disconnect();
    }
    const about = { jobId: 'crashed', name: 'add', queue: 'q' };
    /** A worker looks for such jobs after half a lease: 7.5 seconds. */
    const SWEPT = 25_000;

    it('of jobs whose worker died', async () => {
      await crashed({});
      await start([Jobs, Losses]);
      await eventually(() => heard.length > 0, { what: 'the loss', timeout: SWEPT });
      expect(heard).toMatchObject([{ type: 'lost', attempt: 1, ...about }]);
    });

    it.each([
      ['kept', '60'],
      ['deleted at once', '0'],
    ])('of those that failed since their workers kept dying, and are %s', async (_, ttl) => {
      await crashed({ nrq_crashes: '2 ', nrq_attempts: '2', failure_ttl: ttl });
      await start([Jobs, Losses]);
      await eventually(() => heard.length > 1, { what: 'the failure', timeout: SWEPT });
      expect(heard).toMatchObject([
        { type: 'lost', attempt: 3, ...about },
        { type: 'failed', attempt: 3, ...about, error: { name: 'PoisonJobError' } },
      ]);
    });
  });

  it('gets the event and the handle of the job', async () => {
    const got = deferred<[ExhaustedEvent, RqJob]>();
    @Injectable()
    class Alerts {
      @OnJob('exhausted')
      alert(event: ExhaustedEvent, job: RqJob) {
        got.resolve([event, job]);
      }
    }
    const { queue } = await start([Jobs, Alerts]);
    const enqueued = await queue.enqueue('boom', undefined, { retry: { max: 1, interval: 0 } });
    const [event, job] = await within(got.promise, { what: 'the alert' });
    expect(event.jobId).toBe(enqueued.id);
    expect(job.id).toBe(enqueued.id);
    expect(await job.status()).toBe('failed');
  });

  it('hears only of the queue and the name that it asks for', async () => {
    @Injectable()
    class Choosy {
      @OnJob('finished', { queue: 'q', name: 'add' })
      wanted(event: JobEvent) {
        heard.push(event);
      }

      @OnJob('finished', { queue: 'other' })
      @OnJob('finished', { name: 'nothing' })
      unwanted() {
        throw new Error('not for me');
      }
    }
    const { queue, logs } = await start([Jobs, Choosy]);
    await (await queue.enqueue('report', null)).result();
    await (await queue.enqueue('add', [1])).result();
    await eventually(() => heard.length > 0, { what: 'the event' });
    expect(heard).toMatchObject([{ name: 'add', result: 1 }]);
    expect(logs.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('that throws is logged and harms nothing', async () => {
    @Injectable()
    class Broken {
      @OnJob('started')
      sync() {
        throw new Error('sync trouble');
      }

      @OnJob('finished')
      async async() {
        throw new Error('async trouble');
      }
    }
    const { queue, logs } = await start([Broken, Jobs, Everything]);
    const job = await queue.enqueue('add', [1, 2]);
    expect(await job.result()).toBe(2);
    const errors = () => logs.lines.filter((line) => line.startsWith('error RqModule'));
    await eventually(() => errors().length === 2, { what: 'two log lines' });
    expect(errors()[0]).toMatch(/@OnJob on Broken\.sync.*started.*add.*sync trouble/);
    expect(errors()[1]).toMatch(/Broken\.async.*finished.*async trouble/);
    expect(types()).toEqual(['started', 'finished']);
  });

  it('is an ordinary Nest method: parameters, guards and request scope', async () => {
    @Injectable()
    class OnlyAdd implements CanActivate {
      canActivate(context: ExecutionContext) {
        return RqContext.of<JobEvent>(context).data.name === 'add';
      }
    }
    const made: unknown[] = [];
    const got: unknown[][] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) readonly request: RqJob) {
        made.push(request);
      }

      @UseGuards(OnlyAdd)
      @OnJob('finished')
      hear(@JobData('type') type: string, @CurrentJob() job: RqJob) {
        got.push([type, job.id, this.request.id]);
      }
    }
    const { queue } = await start([Jobs, Scoped, Everything]);
    await (await queue.enqueue('report', null)).result();
    const jobs = [await queue.enqueue('add', [1]), await queue.enqueue('add', [2])];
    await eventually(() => got.length === 2, { what: 'two events' });
    expect(new Set(got.map((one) => one.join(' ')))).toEqual(
      new Set(jobs.map(({ id }) => `finished ${id} ${id}`)),
    );
    expect(new Set(made).size).toBe(3);
  });

  it('is waited for when the application is closed', async () => {
    const began = deferred<void>();
    const gate = deferred<void>();
    let hasEnded = false;
    @Injectable()
    class Slow {
      @OnJob('finished')
      async hear() {
        began.resolve();
        await gate.promise;
        hasEnded = true;
      }
    }
    const { app, queue } = await start([Jobs, Slow]);
    await queue.enqueue('add', []);
    await within(began.promise, { what: 'the listener' });
    const closed = app.close();
    gate.resolve();
    await closed;
    expect(hasEnded).toBe(true);
  });

  it('that never ends does not hold up the end for ever', async () => {
    const began = deferred<void>();
    @Injectable()
    class Endless {
      @OnJob('finished')
      hear() {
        began.resolve();
        return new Promise(() => undefined);
      }
    }
    const { app, queue } = await start([Jobs, Endless], { shutdownTimeout: 0.2 });
    await queue.enqueue('add', []);
    await within(began.promise, { what: 'the listener' });
    await expect(within(app.close(), { what: 'the end' })).resolves.toBeUndefined();
  });
});

describe('a listener that hears everywhere', () => {
  @Injectable()
  class Everywhere {
    @OnJob(['finished', 'canceled'], { everywhere: true })
    hear(event: JobEvent) {
      heard.push(event);
    }
  }

  it('hears of other processes, without a worker of its own', async () => {
    await start([Everywhere], { worker: false });
    const { queue } = await start([Jobs]);
    await queue.enqueue('add', [1, 2, 3]);
    await eventually(() => heard.length > 0, { what: 'the event' });
    const waiting = await queue.enqueueIn('1h', 'add', []);
    await waiting.cancel();
    await eventually(() => heard.length > 1, { what: 'the cancellation' });
    expect(heard).toMatchObject([
      { type: 'finished', name: 'add', result: 3 },
      { type: 'canceled', name: 'add', jobId: waiting.id },
    ]);
  });

  it('is told once of what its own worker does', async () => {
    const { queue } = await start([Jobs, Everywhere]);
    for (let count = 1; count <= 3; count += 1) {
      await queue.enqueue('add', [count]);
      await eventually(() => heard.length === count, { what: `event ${count}` });
    }
    expect(types()).toEqual(['finished', 'finished', 'finished']);
  });
});

describe('what cannot be heard', () => {
  it('is refused where the decorator stands', () => {
    expect(() => {
      class Wrong {
        @OnJob('done' as 'finished')
        hear() {}
      }
      return Wrong;
    }).toThrow(/Wrong\.hear: there is no event "done"\. There are: started, /);
    expect(() => {
      class Wrong {
        @OnJob([])
        hear() {}
      }
      return Wrong;
    }).toThrow(/it names no event/);
  });

  it.each([
    [{ queues: 'q' }, /@OnJob on Wrong\.hear in \w+: queues is not an option/],
    [{ queue: '' }, /queue/],
    [{ root: 'reports' }, /root.*needs RqModule\.forRoot\(\{ name: "reports"/],
    [{ everywhere: 'yes' }, /everywhere/],
  ])('is refused at bootstrap: %j', async (options, message) => {
    @Injectable()
    class Wrong {
      @OnJob('finished', options as object)
      hear() {}
    }
    await expect(start([Jobs, Wrong])).rejects.toThrow(message);
  });
});
