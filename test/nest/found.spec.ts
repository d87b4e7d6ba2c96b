// A handler or listener that is written down is found and runs, or one line says why not and what to do.
import { Job, OnJob, type Queue, RqModule, type RqModuleOptions, getQueueToken } from 'nestjs-rq';
import { UnknownNames } from '../../lib/nest/root/unknown-names.js';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

const start = (
  providers: unknown[],
  options: Partial<RqModuleOptions> = {},
  queues: string[] = ['work'],
) =>
  applications.start({
    imports: [RqModule.forRoot(applications.root(options)), RqModule.registerQueue(...queues)],
    providers: providers as never,
  });

it('what cannot be called is one warn line that says what to do', async () => {
  const Constant: MethodDecorator = (() => ({ configurable: true, value: 5 })) as never;
  class Lost {
    @Constant
    @Job('work')
    first() {}

    @Job('work')
    second() {}
  }
  const { logs } = await start([Lost]);
  const about = logs.ours.filter((line) => line.includes('first'));
  expect(about).toEqual([
    expect.stringMatching(/^warn RqExplorer: @Job on Lost\.first in \w+ has no effect: .*Remove/),
  ]);
});

describe('one instance under two tokens', () => {
  class Both {
    heard = 0;

    @Job('work')
    work() {}

    @OnJob('finished')
    hear() {
      this.heard += 1;
    }
  }
  abstract class Interface {}
  const value = new Both();

  it.each<[string, unknown[]]>([
    ['a factory', [Both, { provide: 'AGAIN', useFactory: (one: Both) => one, inject: [Both] }]],
    [
      'an interface',
      [Both, { provide: Interface, useFactory: (one: Both) => one, inject: [Both] }],
    ],
    ['an alias', [Both, { provide: 'AGAIN', useExisting: Both }]],
    [
      'a value',
      [
        { provide: Both, useValue: value },
        { provide: 'AGAIN', useValue: value },
      ],
    ],
  ])('is one: %s', async (_, providers) => {
    const { app, logs } = await start(providers);
    const both = app.get(Both);
    both.heard = 0;
    const job = await app.get<Queue>(getQueueToken('work')).enqueue('work');
    await job.result();
    await eventually(() => both.heard > 0, { what: 'the listener' });
    // A second call would have come in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(both.heard).toBe(1);
    expect(logs.ours.filter((line) => line.includes('Mapped'))).toHaveLength(2);
  });

  it('two instances of a class are two', async () => {
    await expect(start([Both, { provide: 'OTHER', useClass: Both }])).rejects.toThrow(
      /Two handlers for job "work" on queue "work"/,
    );
  });
});

describe('at start', () => {
  class Images {
    declare readonly jobNames: { 'images.scan': 'scan' };

    @Job('images')
    resize() {}

    @Job({ queue: 'images', name: 'images.scan' })
    scan() {}

    @Job('mail')
    send() {}

    @OnJob(['finished', 'failed'])
    all() {}

    @OnJob('failed', { queue: 'mail', name: 'send' })
    mail() {}

    @OnJob('failed', { queue: 'mail', everywhere: true })
    everywhere() {}
  }
  const mapped = (lines: string[]) =>
    lines
      .filter((line) => line.startsWith('log RqExplorer: Mapped '))
      .map((line) => line.slice('log RqExplorer: Mapped '.length));

  it('handlers and listeners are listed like routes', async () => {
    const { logs } = await start([Images]);
    expect(mapped(logs.lines)).toEqual([
      '{images, resize} to Images.resize in RootTestModule',
      '{images, images.scan} to Images.scan in RootTestModule',
      '{mail, send} to Images.send in RootTestModule',
      '{all queues: finished, failed} to @OnJob on Images.all in RootTestModule',
      '{mail, send: failed} to @OnJob on Images.mail in RootTestModule',
      '{mail: failed, of all processes} to @OnJob on Images.everywhere in RootTestModule',
    ]);
  });

  it('what cannot run or hear here is not listed, or says so', async () => {
    const { logs } = await start([Images], { worker: { queues: ['images'] } });
    expect(mapped(logs.lines)).toEqual([
      '{images, resize} to Images.resize in RootTestModule',
      '{images, images.scan} to Images.scan in RootTestModule',
      '{all queues: finished, failed} to @OnJob on Images.all in RootTestModule',
      expect.stringMatching(/^{mail, send: failed} to .*; it hears nothing: no worker here serves/),
      '{mail: failed, of all processes} to @OnJob on Images.everywhere in RootTestModule',
    ]);
    const { logs: without } = await start([Images], { worker: false });
    expect(mapped(without.lines).filter((line) => !line.includes('hears nothing'))).toEqual([
      '{mail: failed, of all processes} to @OnJob on Images.everywhere in RootTestModule',
    ]);
  });
});

describe('a class that no module provides', () => {
  const unprovided = (lines: string[]) => lines.filter((line) => line.includes('No module'));
  const seen = async (lines: string[]) => {
    await eventually(() => unprovided(lines).length > 0, { what: 'the line', timeout: 10_000 });
    return unprovided(lines);
  };

  it('is one warn line, also where there is no other handler', async () => {
    class Forgotten {
      @Job('forgotten')
      resize() {}

      @Job('forgotten')
      scan() {}
    }
    const { logs } = await start([], {}, ['forgotten']);
    expect(await seen(logs.lines)).toEqual([
      expect.stringMatching(
        /^warn RqWorker: No module provides Forgotten, .*\(resize, scan; queue forgotten\): add it/,
      ),
    ]);
    expect(Forgotten).toBeDefined();
  });

  it('is not told where it is none of this application', async () => {
    class Missing {
      @Job('served')
      missing() {}
    }
    abstract class Base {
      @Job('served')
      inherited() {}
    }
    class Provided extends Base {
      @Job('served')
      provided() {}
    }
    class Mocked {
      @Job('served')
      mocked() {}
    }
    class OfAnotherQueue {
      @Job('elsewhere')
      other() {}
    }
    class OfAnotherRoot {
      @Job({ queue: 'served', root: 'reports' })
      other() {}
    }
    class OfAnotherApplication {
      @Job('served')
      another() {}
    }
    class OnlyEnqueued {
      @Job('enqueued')
      enqueued() {}
    }
    const started = [
      await start([Provided, { provide: Mocked, useValue: {} }], {}, ['served', 'enqueued']),
      await start([], { worker: false }, ['served']),
      await start([OfAnotherApplication], {}, []),
    ];
    // Nest has one logger for all applications of a process: that of the one that was the last when the line came.
    const lines = () => unprovided(started.flatMap(({ logs }) => logs.lines));
    await eventually(() => lines().length >= 2, { what: 'a line of each worker' });
    expect(lines()).toEqual([
      expect.stringMatching(/provides Missing, .*\(missing; queue served\)/),
      expect.stringMatching(/provides Missing, .*\(missing; queue served\)/),
    ]);
    expect([Missing, OfAnotherQueue, OfAnotherRoot, OnlyEnqueued]).toBeDefined();
  });

  it('is one warn line about the queues, where no class is known at all', async () => {
    const { logs } = await start([], {}, ['nobodys']);
    const told = () => logs.lines.filter((line) => line.includes('No @Job method'));
    await eventually(() => told().length > 0, { what: 'the line' });
    expect(told()).toEqual([
      expect.stringMatching(
        /^warn RqWorker: No @Job method was found, .*\(queue nobodys\): add the class .* or set worker: false/,
      ),
    ]);
  });

  it('is not told by an application that has closed', async () => {
    class Late {
      @Job('late')
      late() {}
    }
    // One that is open for two seconds would have said so.
    let openFor = Infinity;
    let closed = await start([], {}, []);
    while (openFor > 1500) {
      const begun = performance.now();
      closed = await start([], {}, ['late']);
      await closed.app.close();
      openFor = performance.now() - begun;
    }
    const { logs } = await start([], {}, ['late']);
    expect(await seen(logs.lines)).toHaveLength(1);
    expect(unprovided(closed.logs.lines)).toEqual([]);
    expect(Late).toBeDefined();
  });
});

describe("with unknownJobs: 'release'", () => {
  class Jobs {
    @Job('work')
    resize() {}
  }

  it('a name that nobody has is one warn line, with those that are known', async () => {
    const { app, logs } = await start([Jobs], { worker: { unknownJobs: 'release' } });
    const work = app.get<Queue>(getQueueToken('work'));
    await work.enqueueMany(['resiez', 'resiez', 'scna', 'resiez'].map((name) => ({ name })));
    await (await work.enqueue('resize')).result();
    const about = () => logs.ours.filter((line) => line.includes('no handler'));
    await eventually(() => about().length >= 2, { what: 'a line for each name' });
    await eventually(async () => (await work.counts()).scheduled === 4, { what: 'all put back' });
    expect(about()).toEqual([
      expect.stringMatching(
        /^warn RqWorker: Job resiez \(.*put back for 10s.*Known here: resize\./,
      ),
      expect.stringMatching(/^warn RqWorker: Job scna \(/),
    ]);
  });

  it('each name is told once, then rarely, and never too many', () => {
    let now = 0;
    const names = new UnknownNames(() => now);
    expect([1, 2, 3].map(() => names.isDue('q', 'a'))).toEqual([true, false, false]);
    expect(names.isDue('other', 'a')).toBe(true);
    now = 599_000;
    expect(names.isDue('q', 'a')).toBe(false);
    now = 600_000;
    expect(names.isDue('q', 'a')).toBe(true);
    const told = Array.from({ length: 1000 }, (_, index) => names.isDue('q', `name ${index}`));
    expect(told.filter(Boolean)).toHaveLength(99);
    now = 1_300_000;
    expect(names.isDue('q', 'name 999')).toBe(true);
  });
});

it("RQ's command shutdown stops the worker with a line that says what that means", async () => {
  class Jobs {
    @Job('work')
    resize() {}
  }
  const { app, logs } = await start([Jobs], { worker: { name: 'worker-of-images' } });
  const client = applications.redis.client();
  const command = JSON.stringify({ command: 'shutdown' });
  await client.publish('rq:pubsub:worker-of-images', command);
  await client.publish('rq:pubsub:worker-of-images', command);
  const about = () => logs.ours.filter((line) => line.includes('shutdown'));
  await eventually(() => about().length > 0, { what: 'the line' });
  const work = app.get<Queue>(getQueueToken('work'));
  await eventually(async () => (await client.smembers('rq:workers')).length === 0, {
    what: 'the worker to be gone',
  });
  const job = await work.enqueue('resize');
  expect(await job.status()).toBe('queued');
  expect(about()).toEqual([
    expect.stringMatching(
      /^warn RqWorker: Worker worker-of-images \(queue work\) stops, .*until this application is started again$/,
    ),
  ]);
  client.disconnect();
});
