import { Inject, Injectable, Module } from '@nestjs/common';
import {
  InjectQueue,
  InvalidOptionError,
  Job,
  Queue,
  RqModule,
  type RqOptionsFactory,
  getQueueToken,
} from 'nestjs-rq';
import { inspect } from 'node:util';
import { NOWHERE, closeApplicationsAfterEach, create, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class BothJobs {
  readonly ran: string[] = [];

  constructor(
    @InjectQueue('work') readonly here: Queue<BothJobs>,
    @InjectQueue('work', 'reports') readonly there: Queue<BothJobs>,
  ) {}

  @Job('work')
  async ping(left: number) {
    this.ran.push(`ping ${left}`);
    if (left > 0) await this.there.enqueue('pong', left - 1);
  }

  @Job({ queue: 'work', root: 'reports' })
  async pong(left: number) {
    this.ran.push(`pong ${left}`);
    if (left > 0) await this.here.enqueue('ping', left - 1);
  }

  @Job({ queue: 'work', root: 'reports' })
  later() {
    this.ran.push('later');
  }
}

const both = {
  imports: [
    RqModule.forRoot({ connection: NOWHERE }),
    RqModule.forRoot({ connection: NOWHERE, name: 'reports' }),
    RqModule.registerQueue('work', { name: 'work', root: 'reports' }),
  ],
  providers: [BothJobs],
};

it('two roots do not mix, also with the same connection and prefix', async () => {
  const { rq } = await start(both);
  await rq.queue('work').enqueue('ping', 0, { id: 'same' });
  await rq.queue('work', 'reports').enqueue('pong', 0, { id: 'same' });
  expect(await rq.enqueued('work')).toMatchObject([{ id: 'same', name: 'ping' }]);
  expect(await rq.enqueued('work', 'reports')).toMatchObject([{ id: 'same', name: 'pong' }]);
  expect(await rq.enqueued(rq.queue('work', 'reports'))).toMatchObject([{ name: 'pong' }]);
});

it('what a test holds is short in JSON and in the console', async () => {
  const { rq } = await start(both);
  expect(inspect(rq, { depth: 10, showHidden: true })).toBe(
    `RqTesting { roots: [ 'default', 'reports', [length]: 2 ] }`,
  );
  expect(JSON.parse(JSON.stringify({ rq }))).toEqual({ rq: { roots: ['default', 'reports'] } });
  expect(Object.keys(rq)).toEqual([]);
});

it('a drain runs the jobs of all roots, however they enqueue each other', async () => {
  const { app, rq } = await start(both);
  await rq.queue('work').enqueue('ping', 20);
  expect(await rq.drain()).toMatchObject({ finished: 21 });
  expect(app.get(BothJobs).ran.at(-1)).toBe('ping 0');
});

it('time passes for all roots', async () => {
  const { app, rq } = await start(both);
  await rq.queue('work', 'reports').enqueueIn('1h', 'later');
  await rq.advance('1h');
  expect(app.get(BothJobs).ran).toEqual(['later']);
});

it('all other options of a root are kept', async () => {
  const { rq, logs } = await start({
    imports: [
      RqModule.forRoot({
        connection: NOWHERE,
        prefix: 'ours:',
        worker: { concurrency: 3 },
        defaultJobOptions: { retry: { max: 7, interval: 60 } },
      }),
      RqModule.registerQueue('work'),
      RqModule.forRoot({ connection: NOWHERE, name: 'reports', worker: false }),
      RqModule.registerQueue({ name: 'work', root: 'reports' }),
    ],
    providers: [BothJobs],
  });
  expect(logs.ours).toEqual([
    expect.stringMatching(/Mapped {work, ping} to BothJobs.ping/),
    expect.stringMatching(/Worker started: .*concurrency 3$/),
  ]);
  await rq.queue('work').enqueue('ping', 0);
  expect(await rq.enqueued('work')).toMatchObject([{ retriesLeft: 7 }]);
  await rq.queue('work', 'reports').enqueue('pong', 0);
  await rq.drain();
  expect(await rq.enqueued('work', 'reports')).toHaveLength(1);
});

describe('forRootAsync', () => {
  @Module({ providers: [{ provide: 'URL', useValue: NOWHERE }], exports: ['URL'] })
  class SettingsModule {}

  @Injectable()
  class Settings implements RqOptionsFactory {
    constructor(@Inject('URL') private readonly url: string) {}

    async createRqOptions() {
      return { connection: this.url };
    }
  }

  it.each([
    [
      'useFactory',
      {
        imports: [SettingsModule],
        inject: ['URL'],
        useFactory: (connection: string) => ({ connection }),
      },
    ],
    ['useClass', { imports: [SettingsModule], useClass: Settings }],
  ])('by %s gets the embedded server, too', async (_, source) => {
    const { app, rq } = await start({
      imports: [RqModule.forRootAsync(source), RqModule.registerQueue('mail')],
    });
    const mail: Queue = app.get(getQueueToken('mail'));
    expect(rq.queue('mail')).toBe(mail);
    await mail.enqueue('sendMail');
    expect(await rq.queue('mail').count()).toBe(1);
  });
});

it('an application whose settings name no Redis at all is fine', async () => {
  const { rq } = await start({ imports: [RqModule.forRoot({ connection: undefined! })] });
  await rq.queue('mail').enqueue('sendMail');
  expect(await rq.queue('mail').count()).toBe(1);
});

it('a root with impossible options fails as ever', async () => {
  const imports = [RqModule.forRoot({ connection: NOWHERE, concurrency: 3 } as never)];
  await expect(create({ imports })).rejects.toThrow(/concurrency is not an option here/);
});

it('two applications in one process share nothing, not even the clock', async () => {
  const imports = [RqModule.forRoot({ connection: NOWHERE })];
  const [one, two] = [await start({ imports }), await start({ imports })];
  await one.rq.queue('mail').enqueue('sendMail');
  await one.rq.advance('1h');
  expect(await two.rq.enqueued('mail')).toEqual([]);
  const apart = (await one.rq.now()).getTime() - (await two.rq.now()).getTime();
  expect(apart).toBeGreaterThan(3_500_000);
});

it.each([
  ['mode', { mode: 'later' }, /RqTestingModule\.forRoot: mode must be 'manual' or 'inline'/],
  ['an option', { moed: 'inline' }, /RqTestingModule\.forRoot: moed is not an option here/],
])('refuses %s that there is not', async (_, options, message) => {
  const imports = [RqModule.forRoot({ connection: NOWHERE })];
  await expect(create({ imports }, options as never)).rejects.toThrow(message);
});

it('names the roots when one is asked for that is not there', async () => {
  const { rq } = await start(both);
  expect(() => rq.queue('work', 'repotrs')).toThrow(InvalidOptionError);
  expect(() => rq.queue('work', 'repotrs')).toThrow(/Known: default, reports, got "repotrs"/);
  await expect(rq.enqueued('work', 'repotrs')).rejects.toThrow(InvalidOptionError);
  const stranger = (await start(both)).rq.queue('work');
  await expect(rq.enqueued(stranger)).rejects.toThrow(/is no queue of this application/);
});
