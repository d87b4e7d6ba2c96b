import { Inject, Injectable, Module } from '@nestjs/common';
import {
  InjectQueue,
  InjectRqService,
  InvalidOptionError,
  Job,
  Queue,
  RqModule,
  type RqModuleOptions,
  type RqOptionsFactory,
  RqService,
  getQueueToken,
  getRqServiceToken,
} from 'nestjs-rq';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

describe('forRootAsync', () => {
  @Module({
    providers: [{ provide: 'URL', useFactory: () => applications.redis.url }],
    exports: ['URL'],
  })
  class SettingsModule {}

  @Injectable()
  class Settings implements RqOptionsFactory {
    constructor(@Inject('URL') private readonly url: string) {}

    async createRqOptions() {
      return { connection: this.url };
    }
  }

  @Module({ imports: [SettingsModule], providers: [Settings], exports: [Settings] })
  class FactoryModule {}

  it.each([
    [
      'useFactory',
      {
        imports: [SettingsModule],
        inject: ['URL'],
        useFactory: async (url: string) => ({ connection: url }),
      },
    ],
    ['useClass', { imports: [SettingsModule], useClass: Settings }],
    ['useExisting', { imports: [FactoryModule], useExisting: Settings }],
  ])('takes options by %s', async (_, source) => {
    const { app } = await applications.start({
      imports: [RqModule.forRootAsync(source), RqModule.registerQueue('images')],
    });
    const images: Queue = app.get(getQueueToken('images'));
    await images.enqueue('work');
    expect(await images.count()).toBe(1);
  });

  it.each<[string, object, RegExp]>([
    ['nothing', {}, /RqModule\.forRootAsync: useFactory must .*exactly one/],
    [
      'a name that comes too late',
      { useFactory: () => ({ connection: 'redis://localhost', name: 'late' }) },
      /name is not an option/,
    ],
    ['impossible options', { useFactory: () => ({ connection: '' }) }, /connection is required/],
  ])('with %s is an error at bootstrap', async (_, source, message) => {
    const start = applications.start({ imports: [RqModule.forRootAsync(source)] });
    await expect(start).rejects.toThrow(message);
  });
});

describe('options of forRoot', () => {
  it.each<[string, object]>([
    ['connection', { connection: undefined }],
    ['connection', { connection: 'localhost:6379' }],
    ['prefix', { prefix: '' }],
    ['retries', { retries: 3 }],
    ['globalEnhancers', { globalEnhancers: 'yes' }],
    ['isGlobal', { isGlobal: 'yes' }],
    ['onRedisDown', { onRedisDown: 'ignore' }],
    ['shutdownTimeout', { shutdownTimeout: -1 }],
    ['connectTimeout', { connectTimeout: 0 }],
    ['commandTimeout', { commandTimeout: 'soon' }],
    ['results', { results: 'list' }],
    ['maxPayloadBytes', { maxPayloadBytes: 0.5 }],
    ['retry.max', { defaultJobOptions: { retry: { max: Number.NaN } } }],
    ['delay', { defaultJobOptions: { delay: 1 } }],
    ['name', { name: 'a:b' }],
    ['worker', { worker: true }],
    ['worker.shutdownTimeout', { worker: { shutdownTimeout: 1 } }],
    ['concurrency', { worker: { concurrency: 0 } }],
    ['order', { worker: { order: 'random' } }],
    ['lease', { worker: { lease: 0 } }],
    ['maxCrashes', { worker: { maxCrashes: 1.5 } }],
    ['unknownJobs', { worker: { unknownJobs: 'drop' } }],
    ['prefetch', { worker: { prefetch: -1 } }],
    ['name', { worker: { name: '' } }],
    ['queues', { worker: { queues: [] } }],
    ['queues[0].wieght', { worker: { queues: [{ name: 'q', wieght: 1 }] } }],
    ['queues[0].weight', { worker: { queues: [{ name: 'q', weight: 0 }] } }],
    ['queues', { worker: { queues: ['q', { name: 'q' }] } }],
    ['queue', { worker: { queues: ['a,b'] } }],
  ])('an impossible %s stops the bootstrap, named', async (option, options) => {
    const root = { connection: applications.redis.url, ...options } as RqModuleOptions;
    const start = applications.start({ imports: [RqModule.forRoot(root)] });
    await expect(start).rejects.toThrow(InvalidOptionError);
    await expect(start).rejects.toMatchObject({ option });
  });

  it('the error names the module that called forRoot', async () => {
    @Module({
      imports: [RqModule.forRoot({ connection: 'redis://localhost', prefix: '' })],
    })
    class SettingsModule {}
    const start = applications.start({ imports: [SettingsModule] });
    await expect(start).rejects.toThrow(/^RqModule\.forRoot in SettingsModule: prefix must/);
  });

  it('what a URL holds never comes into an error', async () => {
    const start = applications.start({
      imports: [RqModule.forRoot({ connection: 'http://user:secret@localhost' })],
    });
    await expect(start).rejects.toThrow(/connection/);
    await expect(start).rejects.not.toThrow(/secret/);
  });

  it('two roots of one name stop the bootstrap', async () => {
    const unnamed = applications.start({
      imports: [RqModule.forRoot(applications.root()), RqModule.forRoot(applications.root())],
    });
    await expect(unnamed).rejects.toThrow(/name is missing: RqModule\.forRoot is imported twice/);
    const reports = () => RqModule.forRoot(applications.root({ name: 'reports' }));
    const named = applications.start({ imports: [reports(), reports()] });
    await expect(named).rejects.toThrow(/name "reports" is taken/);
  });

  it('isGlobal: false keeps RqService to the modules that import the root', async () => {
    @Injectable()
    class Operator {
      constructor(readonly rq: RqService) {}
    }
    @Module({ providers: [Operator] })
    class OtherModule {}
    const root = RqModule.forRoot(applications.root({ isGlobal: false }));
    const outside = applications.start({ imports: [root, OtherModule] });
    await expect(outside).rejects.toThrow(/can't resolve dependencies of the Operator/);

    const inside = await applications.start({
      imports: [root, RqModule.registerQueue('images')],
      providers: [Operator],
    });
    expect(inside.app.get(Operator).rq.queue('images').name).toBe('images');
  });
});

describe('a second root', () => {
  let reports: RedisServer;
  beforeAll(async () => {
    reports = await startRedis();
  });
  afterAll(() => reports.stop());

  @Injectable()
  class BothJobs {
    @Job('work')
    here() {
      return 'here';
    }

    @Job({ queue: 'work', root: 'reports' })
    there() {
      return 'there';
    }
  }

  @Injectable()
  class Producer {
    constructor(
      @InjectQueue('work') readonly here: Queue<BothJobs>,
      @InjectQueue('work', 'reports') readonly there: Queue<BothJobs>,
      readonly rq: RqService,
      @InjectRqService('reports') readonly reports: RqService,
    ) {}
  }

  it('is another Redis with its own queues, handlers and service', async () => {
    const { app } = await applications.start({
      imports: [
        RqModule.forRoot(applications.root()),
        RqModule.forRoot({ connection: reports.url, name: 'reports' }),
        RqModule.registerQueue('work', { name: 'work', root: 'reports' }),
      ],
      providers: [BothJobs, Producer],
    });
    const producer = app.get(Producer);
    expect(producer.here).not.toBe(producer.there);
    expect(producer.rq.queue('work')).toBe(producer.here);
    expect(producer.reports.queue('work')).toBe(producer.there);
    expect(app.get(getRqServiceToken('reports'))).toBe(producer.reports);

    const here = await producer.here.enqueue('here');
    const there = await producer.there.enqueue('there');
    expect(await here.result({ timeout: 10 })).toBe('here');
    expect(await there.result({ timeout: 10 })).toBe('there');
    expect(await producer.there.getJob(here.id)).toBeUndefined();

    const astray = await producer.here.enqueue('there');
    await expect(astray.result({ timeout: 10 })).rejects.toThrow(/No handler/);
  });
});

describe('two applications in one process', () => {
  it('share nothing, not even from the same module', async () => {
    @Injectable()
    class Jobs {
      readonly seen: string[] = [];

      @Job('work')
      work(data: string) {
        this.seen.push(data);
      }
    }
    const appModule = (prefix: string) => {
      @Module({
        imports: [
          RqModule.forRoot(applications.root({ prefix })),
          RqModule.registerQueue({ name: 'work', defaultJobOptions: { timeout: prefix.length } }),
        ],
        providers: [Jobs],
      })
      class AppModule {}
      return AppModule;
    };
    const one = await applications.start({ imports: [appModule('one:')] });
    const two = await applications.start({ imports: [appModule('second:')] });
    const queueOf = ({ app }: typeof one): Queue =>
      app.get(getQueueToken('work'), { strict: false });
    expect(queueOf(one)).not.toBe(queueOf(two));
    const first = await queueOf(one).enqueue('work', 'for one');
    const second = await queueOf(two).enqueue('work', 'for two');
    await first.result({ timeout: 10 });
    await second.result({ timeout: 10 });
    expect(one.app.get(Jobs, { strict: false }).seen).toEqual(['for one']);
    expect(two.app.get(Jobs, { strict: false }).seen).toEqual(['for two']);

    await one.app.close();
    const third = await queueOf(two).enqueue('work', 'again');
    await third.result({ timeout: 10 });
    expect(two.app.get(Jobs, { strict: false }).seen).toEqual(['for two', 'again']);
  });

  it('may be two instances of one module class', async () => {
    @Module({
      imports: [
        RqModule.forRootAsync({ useFactory: () => applications.root() }),
        RqModule.registerQueueAsync({ name: 'work', useFactory: () => ({}) }),
      ],
    })
    class AppModule {}
    const one = await applications.start({ imports: [AppModule] });
    const two = await applications.start({ imports: [AppModule] });
    const token = getQueueToken('work');
    const [first, second] = [one, two].map(({ app }): Queue => app.get(token, { strict: false }));
    expect(first).not.toBe(second);
    await one.app.close();
    await second!.enqueue('work');
    expect(await second!.count()).toBe(1);
  });
});
