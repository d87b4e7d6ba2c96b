import { Global, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectQueue, Job, Queue, RqModule, RqService, type RunningJob } from 'nestjs-rq';
import { deferred, eventually, within } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

let order: string[] = [];
beforeEach(() => (order = []));

class Hooks {
  constructor(private readonly name: string) {}

  protected async note(hook: string) {
    // Later than anything that does not wait for the hook.
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`${hook} of ${this.name}`);
  }

  onModuleInit() {
    return this.note('init');
  }
  onApplicationBootstrap() {
    return this.note('bootstrap');
  }
  onModuleDestroy() {
    return this.note('destroy');
  }
}

@Injectable()
class Service extends Hooks {
  constructor() {
    super('service');
  }
}

@Injectable()
class Database extends Hooks {
  isOpen = false;

  constructor() {
    super('database');
  }

  override async onModuleInit() {
    await super.onModuleInit();
    this.isOpen = true;
  }

  override async onModuleDestroy() {
    this.isOpen = false;
    await super.onModuleDestroy();
  }
}

@Global()
@Module({ providers: [Database], exports: [Database] })
class DatabaseModule {}

@Injectable()
class Jobs {
  readonly started = deferred();
  readonly mayEnd = deferred();
  aborted: unknown;

  constructor(private readonly database: Database) {}

  @Job('work')
  quick() {
    order.push('job');
    return this.database.isOpen;
  }

  @Job('work')
  async slow() {
    this.started.resolve();
    await this.mayEnd.promise;
    order.push(`slow job, database ${this.database.isOpen ? 'open' : 'closed'}`);
    return 'done';
  }

  @Job('work')
  async endless(_: unknown, job: RunningJob) {
    this.started.resolve();
    await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
    this.aborted = job.signal.reason;
    job.signal.throwIfAborted();
  }
}

const metadata = (options = {}) => ({
  imports: [
    RqModule.forRoot(applications.root(options)),
    RqModule.registerQueue('work'),
    DatabaseModule,
  ],
  providers: [Service, Jobs],
});

it('no handler runs before every onApplicationBootstrap has finished', async () => {
  const producer = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: false }))],
  });
  const job = await producer.app.get(RqService).queue('work').enqueue('quick');

  await applications.start(metadata());
  expect(await job.result({ timeout: 10 })).toBe(true);
  expect(order).toEqual([
    'init of database',
    'init of service',
    'bootstrap of database',
    'bootstrap of service',
    'job',
  ]);
});

it('other providers may enqueue in their own hooks, first and last', async () => {
  @Injectable()
  class Producer {
    constructor(@InjectQueue('other') private readonly other: Queue) {}
    onModuleInit() {
      return this.other.enqueue('init');
    }
    beforeApplicationShutdown() {
      return this.other.enqueue('before shutdown');
    }
    onApplicationShutdown() {
      return this.other.enqueue('shutdown');
    }
  }
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root()), RqModule.registerQueue('other')],
    providers: [Producer],
  });
  await app.close();
  expect(await applications.redis.client().llen('rq:queue:other')).toBe(3);
});

it('closing lets running jobs finish while everything they use is still open', async () => {
  const { app } = await applications.start(metadata());
  const jobs = app.get(Jobs);
  const job = await app.get(RqService).queue('work').enqueue('slow');
  const waiting = await app.get(RqService).queue('work').enqueue('quick');
  await jobs.started.promise;
  order = [];

  const closed = app.close();
  jobs.mayEnd.resolve();
  await within(closed, { what: 'the application to close' });
  expect(order.filter((line) => line !== 'job')).toEqual([
    'slow job, database open',
    'destroy of service',
    'destroy of database',
  ]);
  const redis = applications.redis.client();
  expect(await redis.hget(`rq:job:${job.id}`, 'status')).toBe('finished');
  expect(await redis.exists(`rq:job:${waiting.id}`)).toBe(1);
});

it('closing takes no new jobs, and puts back what outlasts shutdownTimeout, with no retry spent', async () => {
  const { app, logs } = await applications.start(metadata({ shutdownTimeout: '200ms' }));
  const jobs = app.get(Jobs);
  const work = app.get(RqService).queue('work');
  const job = await work.enqueue('endless', undefined, { retry: { max: 2, interval: 0 } });
  await jobs.started.promise;

  await within(app.close(), { what: 'the application to close', timeout: 5000 });
  expect(jobs.aborted).toMatchObject({ code: 'RQ_SHUTDOWN' });
  const redis = applications.redis.client();
  expect(await redis.lrange('rq:queue:work', 0, -1)).toEqual([job.id]);
  expect(await redis.hmget(`rq:job:${job.id}`, 'status', 'retries_left')).toEqual(['queued', '2']);
  expect(logs.ours).toContain(
    `warn RqWorker: 1 job given back to queue work, not done within shutdownTimeout: endless ${job.id}`,
  );
});

it('an application without handlers starts no worker and opens no blocking connection', async () => {
  const { logs } = await applications.start({
    imports: [RqModule.forRoot(applications.root()), RqModule.registerQueue('work')],
  });
  expect(await applications.connections()).toEqual(['commands']);
  expect(await applications.redis.client().scard('rq:workers')).toBe(0);
  expect(logs.ours).toEqual([]);
});

it('worker: false enqueues only', async () => {
  const { app } = await applications.start(metadata({ worker: false }));
  const job = await app.get(RqService).queue('work').enqueue('quick');
  expect(await applications.connections()).toEqual(['commands']);
  expect(await job.status()).toBe('queued');
});

it('closing releases every connection and worker record', async () => {
  const { app } = await applications.start(metadata());
  await eventually(async () => (await applications.connections()).includes('blocking'), {
    what: 'the worker to wait for jobs',
  });
  await app.close();
  await eventually(async () => (await applications.connections()).length === 0, {
    what: 'all connections to be closed',
  });
  expect(await applications.redis.client().scard('rq:workers')).toBe(0);
});

it('an application context without HTTP works the same', async () => {
  @Module(metadata())
  class AppModule {}
  const context = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const job = await context.get(RqService).queue('work').enqueue('quick');
  expect(await job.result({ timeout: 10 })).toBe(true);
  await within(context.close(), { what: 'the context to close' });
});

it('an application that is closed before it was started closes', async () => {
  const { app } = await applications.create(metadata());
  await expect(within(app.close(), { what: 'the application to close' })).resolves.toBeUndefined();
});

it.each([
  [
    'two handlers for one name',
    () => {
      class Twin {
        declare readonly jobNames: { quick: 'twin' };

        @Job({ queue: 'work', name: 'quick' })
        twin() {}
      }
      return { ...metadata(), providers: [Service, Jobs, Twin] };
    },
    /Jobs\.quick .* and Twin\.twin /,
  ],
  [
    'a queue to consume that has no handler',
    () => metadata({ worker: { queues: ['work', 'mail'] } }),
    /worker\.queues names queue "mail".*with handlers: work/,
  ],
])('%s stops the bootstrap, and leaves no connection behind', async (_, make, message) => {
  const { app } = await applications.create(make());
  await expect(app.init()).rejects.toThrow(message);
  await eventually(async () => (await applications.connections()).length === 0, {
    what: 'all connections to be closed',
  });
});

it("another provider's failing start leaves nothing running after close", async () => {
  class Broken {
    onApplicationBootstrap() {
      throw new Error('broken');
    }
  }
  const { app, logs } = await applications.create({
    ...metadata(),
    providers: [Service, Jobs, Broken],
  });
  await expect(app.init()).rejects.toThrow('broken');
  await within(app.close(), { what: 'the application to close' });
  await eventually(async () => (await applications.connections()).length === 0, {
    what: 'all connections to be closed',
  });
  expect(logs.ours).toEqual([]);
});
