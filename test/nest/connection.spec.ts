import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import { InvalidOptionError, Job, type JobEvent, OnJob, RqModule, RqService } from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

const metadata = (connection: object | string) => ({
  imports: [RqModule.forRoot({ connection }), RqModule.registerQueue('work')],
});

describe('the connection of an application', () => {
  it('says in one line which options are overruled, and why', async () => {
    const { host, port } = applications.redis;
    const instance = new Redis({
      lazyConnect: true,
      host,
      port,
      maxRetriesPerRequest: null,
      commandTimeout: 10,
    });
    const { app, logs } = await applications.start(metadata(instance));
    expect(logs.ours).toEqual([
      expect.stringMatching(
        /^warn RqModule: Redis: .*connection\.commandTimeout is overruled \(give `commandTimeout` to the module/,
      ),
    ]);
    expect(await app.get(RqService).queue('work').count()).toBe(0);
    instance.disconnect();
  });

  it('says nothing when nothing is overruled', async () => {
    const { logs } = await applications.start(metadata(applications.redis.url));
    expect(logs.ours).toEqual([]);
  });

  it('takes connectTimeout and shutdownTimeout of 30 days', async () => {
    const options = { connectTimeout: '30d', shutdownTimeout: '30d', commandTimeout: '30d' };
    const { app } = await applications.start({
      imports: [RqModule.forRoot(applications.root(options)), RqModule.registerQueue('work')],
    });
    expect(await app.get(RqService).queue('work').count()).toBe(0);
  });

  it('says in one line that Redis has fewer replicas than durability asks for, and what to do', async () => {
    const warnings = async (
      durability: object | undefined,
      ofQueue: object | false | undefined,
    ) => {
      const { logs } = await applications.start({
        imports: [
          RqModule.forRoot(applications.root({ durability } as object)),
          RqModule.registerQueue({ name: 'orders', durability: ofQueue } as { name: string }),
        ],
      });
      return logs.ours.filter((line) => line.includes('durability'));
    };
    expect(await warnings({ replicas: 1 }, undefined)).toEqual([
      'warn RqModule: Redis has 0 replicas, but durability asks for 1: its calls of enqueue reject with ' +
        'NotReplicatedError until there are more. Add replicas, or lower durability.replicas',
    ]);
    expect(await warnings(undefined, { replicas: 2 })).toEqual([
      expect.stringContaining('durability of queue orders asks for 2'),
    ]);
    expect(await warnings({ replicas: 1 }, { replicas: 2 })).toHaveLength(1);
    expect(await warnings(undefined, false)).toEqual([]);
  });

  it('tells listeners of the end of a job when replicas have it, or the worker stops; of other queues at once', async () => {
    const heard: string[] = [];
    @Injectable()
    class Jobs {
      @Job('careful')
      @Job('quick')
      run() {
        return 1;
      }

      @OnJob('finished')
      ended({ queue }: JobEvent) {
        heard.push(queue);
      }
    }
    const { app } = await applications.start({
      imports: [
        RqModule.forRoot(
          applications.root({ durability: { replicas: 1, timeout: '50ms' } } as object),
        ),
        RqModule.registerQueue('careful', { name: 'quick', durability: false }),
      ],
      providers: [Jobs],
    });
    const rq = app.get(RqService);
    await expect(rq.queue('careful').enqueue('run', null, { id: 'c' })).rejects.toThrow(
      '0 of 1 replicas',
    );
    await eventually(async () => (await rq.queue('careful').job('c').status()) === 'finished', {
      what: 'the job to have ended',
    });
    await rq.queue('quick').enqueue('run', null);
    await eventually(() => heard.includes('quick'), { what: 'the end of the quick one' });
    expect(heard).toEqual(['quick']);
    await app.close();
    expect(heard).toEqual(['quick', 'careful']);
  });

  it('stops the start at a key that is none, naming it and the module', async () => {
    const start = applications.start(metadata({ hostname: '127.0.0.1' }));
    await expect(start).rejects.toThrow(InvalidOptionError);
    await expect(applications.start(metadata({ hostname: 'x' }))).rejects.toThrow(
      /connection\.hostname is not an option of a connection: did you mean `host`\?/,
    );
  });
});
