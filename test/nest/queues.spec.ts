import { Inject, Injectable, Module } from '@nestjs/common';
import {
  InjectQueue,
  InvalidOptionError,
  QueueFullError,
  Job,
  Queue,
  type RqQueueOptionsFactory,
  RqModule,
  RqService,
  getQueueToken,
} from 'nestjs-rq';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

function moduleWith(...imports: ReturnType<typeof RqModule.registerQueue>[]) {
  @Injectable()
  class Holder {
    constructor(@InjectQueue('images') readonly images: Queue) {}
  }
  @Module({ imports, providers: [Holder] })
  class FeatureModule {}
  return { FeatureModule, Holder };
}

describe('a queue that five modules register', () => {
  it('is one Queue, and opens no connection', async () => {
    const features = Array.from({ length: 5 }, () => moduleWith(RqModule.registerQueue('images')));
    const { app } = await applications.start({
      imports: [
        RqModule.forRoot(applications.root()),
        ...features.map(({ FeatureModule }) => FeatureModule),
      ],
    });
    const queues = features.map(({ Holder }) => app.get(Holder, { strict: false }).images);
    expect(queues[0]).toBeInstanceOf(Queue);
    expect(new Set(queues).size).toBe(1);
    expect(app.get(RqService).queue('images')).toBe(queues[0]);
    expect(await applications.connections()).toEqual(['commands']);
  });

  it('takes its options from the one that gives them, whatever the order', async () => {
    const plain = moduleWith(RqModule.registerQueue('images'));
    const first = moduleWith(RqModule.registerQueue('images'));
    const telling = moduleWith(
      RqModule.registerQueue({
        name: 'images',
        defaultJobOptions: { retry: { max: 7, interval: 0 } },
      }),
    );
    const { app } = await applications.start({
      imports: [
        first.FeatureModule,
        RqModule.forRoot(applications.root()),
        telling.FeatureModule,
        plain.FeatureModule,
      ],
    });
    const job = await app.get(first.Holder, { strict: false }).images.enqueue('work');
    expect((await job.refresh()).retriesLeft).toBe(7);
  });

  it('may get the same options twice', async () => {
    const same = () =>
      moduleWith(RqModule.registerQueue({ name: 'images', defaultJobOptions: { timeout: '30s' } }))
        .FeatureModule;
    const { app } = await applications.start({
      imports: [RqModule.forRoot(applications.root()), same(), same()],
    });
    expect(app.get(RqService).queues()).toHaveLength(1);
  });

  it('must not get different options: the error names the queue and both modules', async () => {
    @Module({
      imports: [RqModule.registerQueue({ name: 'images', defaultJobOptions: { timeout: 1 } })],
    })
    class OneModule {}
    @Module({
      imports: [RqModule.registerQueue({ name: 'images', defaultJobOptions: { timeout: 2 } })],
    })
    class TwoModule {}
    const start = applications.start({
      imports: [RqModule.forRoot(applications.root()), OneModule, TwoModule],
    });
    await expect(start).rejects.toThrow(InvalidOptionError);
    await expect(start).rejects.toThrow(/in TwoModule: .*queue "images" .*in OneModule/);
  });
});

it('a registered queue may hold only so many jobs', async () => {
  const room = { maxLength: { total: 1 }, whenFull: 'reject' } as const;
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(applications.root()),
      RqModule.registerQueue({ name: 'images', ...room }),
    ],
  });
  const images = app.get(RqService).queue('images');
  await images.enqueue('job');
  await expect(images.enqueue('job')).rejects.toThrow(QueueFullError);
});

it('@Job says the priority of jobs that bring none', async () => {
  @Injectable()
  class ImageJobs {
    @Job({ queue: 'images', priority: 'low' })
    nightly() {}

    @Job('images')
    usual() {}

    @Job('mail')
    mail() {}
  }
  const { app } = await applications.start({
    imports: [
      RqModule.forRoot(applications.root({ worker: { queues: ['mail'] } })),
      RqModule.registerQueue('images'),
    ],
    providers: [ImageJobs],
  });
  const images = app.get(RqService).queue('images');
  await images.enqueue('nightly', undefined, { id: 'low' });
  await images.enqueue('nightly', undefined, { id: 'now', priority: 'high' });
  await images.enqueue('usual', undefined, { id: 'usual' });
  await images.enqueue('nightly', undefined, { id: 'normal', priority: 'normal' });
  await images.enqueue('nightly');
  const [, ...behind] = (await images.jobs('queued')).map(({ id }) => id);
  expect(behind).toEqual(['low', 'usual', 'normal', expect.any(String)]);
});

describe('registerQueueAsync', () => {
  @Module({ providers: [{ provide: 'MAX', useValue: 4 }], exports: ['MAX'] })
  class SettingsModule {}

  @Injectable()
  class Settings implements RqQueueOptionsFactory {
    constructor(@Inject('MAX') private readonly max: number) {}

    async createRqQueueOptions() {
      return { defaultJobOptions: { retry: { max: this.max, interval: 0 } } };
    }
  }

  @Module({ imports: [SettingsModule], providers: [Settings], exports: [Settings] })
  class FactoryModule {}

  it.each([
    [
      'useFactory',
      {
        imports: [SettingsModule],
        inject: ['MAX'],
        useFactory: async (max: number) => ({ defaultJobOptions: { retry: { max, interval: 0 } } }),
      },
    ],
    ['useClass', { imports: [SettingsModule], useClass: Settings }],
    ['useExisting', { imports: [FactoryModule], useExisting: Settings }],
  ])('takes options by %s, also for modules that register the queue plainly', async (_, source) => {
    const plain = moduleWith(RqModule.registerQueue('images'));
    const telling = moduleWith(RqModule.registerQueueAsync({ name: 'images', ...source }));
    const { app } = await applications.start({
      imports: [RqModule.forRoot(applications.root()), plain.FeatureModule, telling.FeatureModule],
    });
    const { images } = app.get(plain.Holder, { strict: false });
    expect(app.get(telling.Holder, { strict: false }).images).toBe(images);
    expect((await (await images.enqueue('work')).refresh()).retriesLeft).toBe(4);
  });

  it.each<[string, object, RegExp]>([
    ['nothing', {}, /registerQueueAsync\("images"\): useFactory must .*exactly one/],
    ['two sources', { useFactory: () => ({}), useClass: Settings }, /exactly one/],
    ['an unknown key', { useFactory: () => ({}), usefactory: 1 }, /usefactory is not an option/],
    [
      'unknown options',
      { useFactory: () => ({ retry: { max: 1, interval: 0 } }) },
      /retry is not an option/,
    ],
    [
      'impossible options',
      { useFactory: () => ({ defaultJobOptions: { retry: { max: 0 } } }) },
      /retry\.max/,
    ],
  ])('with %s is an error at bootstrap', async (_, source, message) => {
    const start = applications.start({
      imports: [
        RqModule.forRoot(applications.root()),
        RqModule.registerQueueAsync({ name: 'images', ...source }),
      ],
    });
    await expect(start).rejects.toThrow(message);
  });
});

it.each<[string, object, RegExp]>([
  ['key', { name: 'images', retry: { max: 3, interval: 0 } }, /retry is not an option/],
  ['name', { name: 'a,b' }, /queue must not contain a comma/],
  ['default', { name: 'images', defaultJobOptions: { delay: 3 } }, /delay is not an option/],
  ['value', { name: 'images', defaultJobOptions: { timeout: -3 } }, /timeout must/],
  ['length', { name: 'images', maxLength: { total: 0 } }, /maxLength.total must be a whole number/],
  ['choice', { name: 'images', whenFull: 'wait' }, /whenFull says .* give maxLength/],
])(
  'an impossible %s stops the bootstrap with the module in the error',
  async (_, queue, message) => {
    @Module({ imports: [RqModule.registerQueue(queue as { name: string })] })
    class MailModule {}
    const start = applications.start({
      imports: [RqModule.forRoot(applications.root()), MailModule],
    });
    await expect(start).rejects.toThrow(InvalidOptionError);
    await expect(start).rejects.toThrow(message);
    await expect(start).rejects.toThrow(/registerQueue\(".+"\) in MailModule/);
  },
);

it('registerQueue without forRoot is an error that says what to import', async () => {
  @Module({ imports: [RqModule.registerQueue('images')] })
  class MailModule {}
  const start = applications.start({ imports: [MailModule] });
  await expect(start).rejects.toThrow(InvalidOptionError);
  await expect(start).rejects.toThrow(/in MailModule: root needs RqModule\.forRoot\(\.\.\.\)/);
});

it('registerQueue for a root that is not there names it and those that are', async () => {
  const start = applications.start({
    imports: [
      RqModule.forRoot(applications.root()),
      RqModule.registerQueue({ name: 'images', root: 'reports' }),
    ],
  });
  await expect(start).rejects.toThrow(/name: "reports".*There is: default/);
});

it('a queue can be replaced in tests, by its token', async () => {
  const { FeatureModule, Holder } = moduleWith(RqModule.registerQueue('images'));
  const fake = { enqueue: () => 'enqueued' };
  const { app } = await applications.start(
    { imports: [RqModule.forRoot(applications.root()), FeatureModule] },
    (builder) => builder.overrideProvider(getQueueToken('images')).useValue(fake),
  );
  expect(app.get(Holder, { strict: false }).images).toBe(fake);
});

it('a handler needs no registered queue', async () => {
  @Injectable()
  class Jobs {
    @Job('unregistered')
    work() {
      return 'done';
    }
  }
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root())],
    providers: [Jobs],
  });
  const job = await app.get(RqService).queue<Jobs>('unregistered').enqueue('work');
  expect(await job.result({ timeout: 10 })).toBe('done');
});
