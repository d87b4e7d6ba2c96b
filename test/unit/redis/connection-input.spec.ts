import { checkServerIdentity, createSecureContext } from 'node:tls';
import { inspect } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { InvalidOptionError } from '../../../lib/job/index.js';
import { readConnection } from '../../../lib/redis/connection-input.js';
import { forThread } from '../../../lib/redis/thread-connection.js';

const read = (input: unknown) => readConnection(input, undefined);

/** ioredis 5 as another copy of the package: what an instance looks like from outside. */
class OtherRedis {
  readonly options: object;

  constructor(options: object) {
    const defaults = {
      host: 'localhost',
      port: 6379,
      keepAlive: 0,
      maxRetriesPerRequest: 20,
      retryStrategy: function (times: number) {
        return Math.min(times * 50, 2000);
      },
      autoPipeliningIgnoredCommands: [],
    };
    this.options = { ...defaults, ...options };
  }

  duplicate(override?: object): OtherRedis {
    return new OtherRedis({ ...this.options, ...override });
  }
}

/** The same options in each form in which they can be given. */
const forms: [string, (options: Record<string, string | number | boolean>) => unknown][] = [
  [
    'a URL',
    (options) => {
      const { db, ...query } = options;
      const text = Object.entries(query).map(([key, value]) => `${key}=${value}`);
      return `redis://127.0.0.1:6380${db === undefined ? '' : `/${db}`}?${text.join('&')}`;
    },
  ],
  [
    'a query of a URL',
    (options) => {
      const text = Object.entries(options).map(([key, value]) => `${key}=${value}`);
      return `redis://127.0.0.1:6380?${text.join('&')}`;
    },
  ],
  ['options', (options) => ({ host: '127.0.0.1', port: 6380, ...options })],
  [
    'an instance',
    (options) => new Redis({ lazyConnect: true, host: '127.0.0.1', port: 6380, ...options }),
  ],
  [
    'an instance of another version',
    (options) => new OtherRedis({ host: '127.0.0.1', port: 6380, ...options }),
  ],
];

describe.each(forms)('a connection given as %s', (_, give) => {
  it('is read', () => {
    expect(read(give({ db: 3, family: 4 })).options).toEqual({
      host: '127.0.0.1',
      port: 6380,
      db: 3,
      family: 4,
    });
  });

  it.each(['staging', -1, 1.5])('refuses the database %s', (db) => {
    // ioredis has made a number of the text already.
    const error = /^connection\.db must be a whole number of at least 0/;
    expect(() => read(give({ db }))).toThrow(error);
  });

  it('refuses a key prefix', () => {
    expect(() => read(give({ keyPrefix: 'app:' }))).toThrow(
      /^connection\.keyPrefix cannot be used.*`prefix`/,
    );
  });

  it.each([
    ['hostname', '`host`'],
    ['url', 'the URL itself as `connection`'],
    ['pasword', '`password`'],
    ['Username', '`username`'],
    ['prefix', 'to the module'],
  ])('refuses the key %s, with a hint', (key, hint) => {
    expect(() => read(give({ [key]: 'x' }))).toThrow(InvalidOptionError);
    expect(() => read(give({ [key]: 'x' }))).toThrow(`connection.${key} is not an option`);
    expect(() => read(give({ [key]: 'x' }))).toThrow(hint);
  });

  it('refuses a key that resembles none', () => {
    expect(() => read(give({ somethingElse: 1 }))).toThrow(
      /^connection\.somethingElse is not an option of a connection$/,
    );
  });

  it('says which options are overruled, and why', () => {
    const given = { enableReadyCheck: false, maxRetriesPerRequest: 3, commandTimeout: 100 };
    const { options, warnings } = read(give(given));
    expect(options).toEqual({ host: '127.0.0.1', port: 6380 });
    expect(warnings.toSorted()).toEqual([
      expect.stringMatching(/^connection\.commandTimeout is overruled \(give `commandTimeout` to/),
      expect.stringMatching(/^connection\.enableReadyCheck is overruled \(.*loaded its data\)$/),
      expect.stringMatching(/^connection\.maxRetriesPerRequest is overruled \(.*in time\)$/),
    ]);
  });

  it('says nothing about what nobody has given', () => {
    expect(read(give({})).warnings).toEqual([]);
    expect(read(give({ enableOfflineQueue: false })).warnings).toEqual([]);
  });
});

describe('a URL', () => {
  it.each([
    ['redis://', {}],
    ['redis://redis.example', { host: 'redis.example' }],
    ['redis://[::1]:7000/2', { host: '::1', port: 7000, db: 2 }],
    [
      'redis://user:p%40%23%2Fx@host/0',
      { username: 'user', password: 'p@#/x', host: 'host', db: 0 },
    ],
    ['redis://:secret@host', { password: 'secret', host: 'host' }],
    ['rediss://host', { host: 'host', tls: {} }],
    ['redis://host?tls=true&noDelay=false', { host: 'host', tls: true, noDelay: false }],
    ['unix:///run/redis.sock?db=2', { path: '/run/redis.sock', db: 2 }],
  ])('%s is read', (url, options) => {
    expect(read(url).options).toEqual(options);
  });

  it.each([
    'redis://:hun#ter2@host:6379',
    'redis://:hun/ter2@host:6379',
    'redis://:hun?ter2@host:6379',
    'redis://user:12#hunter2@host/0',
    'redis://user:12/hunter2@host/0',
    'redis://user:12?hunter2@host/0',
    'redis://user:h@x/hunter2@host',
    'redis://user:100%hunter2@host',
    'rediss://user:hunter2#@host',
  ])('%s: says how to write the password, and never shows it', (url) => {
    let error: unknown;
    try {
      read(url);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toMatch(/percent-encode/);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hun|ter2/);
  });

  it.each(['redis://host:99999', 'redis://ho st', 'redis://host:port'])('%s is refused', (url) => {
    expect(() => read(url)).toThrow(/^connection is not a URL that can be read/);
  });

  it('cannot name two databases', () => {
    expect(() => read('redis://host/1?db=2')).toThrow(/two databases/);
    expect(read('redis://host/2?db=2').options).toEqual({ host: 'host', db: 2 });
  });
});

describe('an instance', () => {
  it('of a cluster is refused', () => {
    expect(() => read({ isCluster: true, duplicate: () => 1, options: {} })).toThrow(/Cluster/);
  });

  it('may have a retry strategy of its own, which is overruled', () => {
    const instance = new Redis({ lazyConnect: true, retryStrategy: () => null });
    expect(read(instance).warnings.join()).toMatch(/connection\.retryStrategy is overruled/);
  });
});

describe('Sentinels', () => {
  const sentinels = [{ host: 'sentinel.example', port: 26379 }];

  it('tell of a failover, and `tls` is for the server that they name', () => {
    expect(read({ sentinels, name: 'main', tls: {} }).options).toMatchObject({
      failoverDetector: true,
      enableTLSForSentinelMode: true,
    });
    expect(read({ sentinels, name: 'main', failoverDetector: false }).options).toMatchObject({
      failoverDetector: false,
    });
  });

  it.each([
    [{ sentinels: [], name: 'main' }, /sentinels must be/],
    [{ sentinels, name: 'main', role: 'slave' }, /role must be 'master'/],
  ])('%j is refused', (input, problem) => {
    expect(() => read(input)).toThrow(problem);
  });
});

describe('what another thread gets', () => {
  it.each<RedisOptions>([
    {},
    { host: 'redis.example', password: 'secret', db: 2 },
    { tls: {} },
    {
      tls: { ca: [Buffer.from('ca')], cert: 'cert', key: Buffer.from('key'), servername: 'x' },
    },
    { tls: { rejectUnauthorized: false } },
  ])('is all that was given: %j', (options) => {
    const connection = forThread(options);
    expect(connection).toEqual({ options });
    expect(() => structuredClone(connection)).not.toThrow();
  });

  it.each<[string, RedisOptions]>([
    ['connection.tls.checkServerIdentity', { tls: { checkServerIdentity } }],
    ['connection.tls.secureContext', { tls: { secureContext: createSecureContext() } }],
    ['connection.Connector', { Connector: class {} as never }],
  ])('is nothing at all when %s is given', (key, options) => {
    expect(forThread({ host: 'redis.example', password: 'secret', ...options })).toEqual({
      problem: `${key} cannot be handed to a thread`,
    });
  });
});
