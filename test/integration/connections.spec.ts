import { inspect } from 'node:util';
import {
  type ConnectionOption,
  Connections,
  type ConnectionSettings,
} from '../../lib/redis/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { LATENESS } from '../support/timing.js';
import { deferred, eventually, within } from '../support/wait.js';

let redis: RedisServer;
const opened = new Set<Connections>();

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await Promise.all([...opened].map((one) => one.close()));
  opened.clear();
  const client = redis.client();
  await client.replicaof('NO', 'ONE');
  await client.flushall();
  await client.call('ACL', 'DELUSER', 'app');
});
afterAll(() => redis.stop());

function open(connection: ConnectionOption, settings: ConnectionSettings = {}): Connections {
  const connections = new Connections(connection, settings);
  opened.add(connections);
  return connections;
}

const everything = (error: unknown) => inspect(error, { depth: 9, showHidden: true });

/** Makes the user `app` with these rights, and gives the options to be it. */
async function userWith(...rights: string[]): Promise<ConnectionOption> {
  const all = ['on', '>hunter2', '~*', '&*', '+@all', ...rights];
  await redis.client().call('ACL', 'SETUSER', 'app', 'reset', ...all);
  return { host: redis.host, port: redis.port, username: 'app', password: 'hunter2' };
}

describe('the database', () => {
  it.each([0, 3, 15])('%d is the one that commands go to', async (db) => {
    const connections = open(`${redis.url}/${db}`);
    expect(connections.database).toBe(db);
    await connections.connect();
    await connections.run('write', (client) => client.set('here', '1'));
    expect(await redis.client({ db }).get('here')).toBe('1');
  });

  it.each<[string, () => ConnectionOption]>([
    ['a URL', () => `${redis.url}/99`],
    ['options', () => ({ host: redis.host, port: redis.port, db: 99 })],
  ])('is proved at connect: 99, given as %s, is refused by name and at once', async (_, give) => {
    const connections = open(give(), { where: 'forRoot of AppModule' });
    const refused = within(connections.connect(), { what: 'the refusal', timeout: LATENESS });
    await expect(refused).rejects.toMatchObject({
      code: 'RQ_INVALID_OPTION',
      option: 'connection.db',
      message: expect.stringMatching(
        /^forRoot of AppModule: connection\.db cannot be used: Redis refuses database 99 \(.*from 0 to 15/,
      ),
    });
  });

  it('is never another one, also when it is refused later', async () => {
    const user = await userWith();
    const connections = open({ ...(user as object), db: 3 });
    await connections.connect();
    await userWith('-select');
    await redis.client().call('CLIENT', 'KILL', 'USER', 'app');
    const write = () => connections.run('write', (client) => client.set('where', 'here'));
    await eventually(
      async () => {
        const error: unknown = await write().catch((reason: unknown) => reason);
        expect(error).toMatchObject({
          option: 'connection.db',
          message: expect.stringMatching(/database 3 \(NOPERM/),
        });
        return true;
      },
      { what: 'a refusal of the database' },
    );
    expect(await redis.client().get('where')).toBeNull();

    await userWith();
    await eventually(write, { what: 'Redis to take it again' });
    expect(await redis.client().get('where')).toBeNull();
    expect(await redis.client({ db: 3 }).get('where')).toBe('here');
  });
});

describe('connectTimeout', () => {
  it('may be longer than a timer can count: 30 days', async () => {
    const connections = open(redis.url, { connectTimeout: 30 * 86_400_000 });
    await within(connections.connect(), { what: 'the connection' });
    const away = open('redis://127.0.0.1:1', { connectTimeout: 30 * 86_400_000 });
    let isOver = false;
    const attempt = away.connect().catch(() => (isOver = true));
    await connections.run('ask', (client) => client.ping());
    expect(isOver).toBe(false);
    await away.close();
    await attempt;
  });
});

describe('an error', () => {
  const secret = 'payload-4711';

  it.each<[string, (connections: Connections) => Promise<unknown>]>([
    [
      'of a key of another type',
      (connections) => connections.run('write', (client) => client.lpush('text', secret)),
    ],
    [
      'of a command that does not exist',
      (connections) => connections.run('write', (client) => client.call('NOSUCH', secret, 'x')),
    ],
    [
      'of a script',
      (connections) =>
        connections.run('write', (client) =>
          client.eval("return redis.call('LPUSH', KEYS[1], ARGV[1])", 1, 'text', secret),
        ),
    ],
    [
      'of a transaction',
      (connections) =>
        connections.run('write', (client) => client.multi().call('LPUSH', secret).exec()),
    ],
    [
      'of the store',
      async (connections) => {
        await redis.client().set('rq:queue:jobs', 'text');
        return new RedisJobStore(connections).list('jobs', 'queued', { offset: 0, limit: 1 });
      },
    ],
  ])('%s names what was tried, and holds neither command nor data', async (_, act) => {
    await redis.client().set('text', 'text');
    const connections = open(redis.url);
    await connections.connect();
    const error = await act(connections).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'RQ_REDIS_REPLY',
      message: expect.stringMatching(/^Could not (write|list)/),
    });
    expect(error).not.toHaveProperty('command');
    expect(everything(error)).not.toContain(secret);
  });

  it('of a replica says so, in a transaction too', async () => {
    const connections = open(redis.url);
    await connections.connect();
    await redis.client().replicaof('127.0.0.1', '1');
    const write = connections.run('write', (client) =>
      client.multi().set('key', secret).set('key', secret).exec(),
    );
    const error = await write.catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'RQ_CONNECTION',
      message: expect.stringMatching(/READONLY/),
    });
    expect(everything(error)).not.toContain(secret);
  });

  it('of a link that was cut holds nothing either', async () => {
    const connections = open(redis.url);
    await connections.connect();
    const client = redis.client();
    await client.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    const write = connections.run('write', (own) => own.set('key', secret));
    write.catch(() => undefined);
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await client.call('CLIENT', 'UNPAUSE');
    const error = await write.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RQ_CONNECTION', uncertain: true });
    expect(everything(error)).not.toContain(secret);
  });

  it('of a wrong password tells neither user nor password to whoever watches', async () => {
    await userWith();
    const connections = open({
      host: redis.host,
      port: redis.port,
      username: 'app',
      password: secret,
    });
    const errors: unknown[] = [];
    connections.watch((what, error) => void (what === 'error' && errors.push(error)));
    const refusal = connections.ready(300).catch((error: unknown) => error);
    await eventually(() => errors.length > 0, { what: 'an error' });
    expect(everything(errors[0])).toMatch(/WRONGPASS/);
    expect(everything([...errors, await refusal])).not.toContain(secret);
  });
});

describe('a subscription', () => {
  it('that Redis does not give back is no unhandled rejection, and comes back', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', onUnhandled);
    const store = new RedisJobStore(open(await userWith()));
    let heard = deferred<number | undefined>();
    await store.onWake('jobs', (due) => heard.resolve(due));
    const wake = store.keys.queue('jobs').wake;

    await userWith('resetchannels');
    const client = redis.client();
    const attempts = async () =>
      Number(
        /rejected_calls=(\d+)/.exec(
          String(await client.info('commandstats')).split('cmdstat_subscribe:')[1] ?? '',
        )?.[1] ?? 0,
      );
    await eventually(async () => (await attempts()) > 0, { what: 'a subscription to be refused' });
    expect(unhandled).toEqual([]);

    await userWith();
    heard = deferred();
    await eventually(async () => (await client.publish(wake, 'due 7')) === 1, {
      what: 'somebody to listen again',
    });
    expect(await within(heard.promise, { what: 'the message' })).toBe(7);
    process.off('unhandledRejection', onUnhandled);
  });
});
