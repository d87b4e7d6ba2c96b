import { Redis } from 'ioredis';
import { InvalidOptionError, RqModule, RqService } from 'nestjs-rq';
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

  it('stops the start at a key that is none, naming it and the module', async () => {
    const start = applications.start(metadata({ hostname: '127.0.0.1' }));
    await expect(start).rejects.toThrow(InvalidOptionError);
    await expect(applications.start(metadata({ hostname: 'x' }))).rejects.toThrow(
      /connection\.hostname is not an option of a connection: did you mean `host`\?/,
    );
  });
});
