import { Redis } from 'ioredis';
import { InvalidOptionError } from '../../../lib/job/index.js';
import { type ConnectionOption, Connections } from '../../../lib/redis/index.js';

function open(connection: unknown): Connections {
  return new Connections(connection as ConnectionOption);
}

describe('the connection option', () => {
  it.each([
    ['a host without a scheme', 'localhost:6379'],
    ['another scheme', 'http://localhost:6379'],
    ['an empty text', ''],
    ['a number', 6379],
    ['null', null],
    ['true', true],
  ])('%s is refused', (_, connection) => {
    expect(() => open(connection)).toThrow(InvalidOptionError);
    expect(() => open(connection)).toThrow(/^connection must be/);
  });

  it('is never shown in an error: it may hold a password', () => {
    expect(() => open('user:hunter2@redis.example:6379')).toThrow(InvalidOptionError);
    expect(() => open('user:hunter2@redis.example:6379')).not.toThrow(/hunter2|example/);
  });

  it('may not bring a key prefix: the keys inside of scripts would not have it', () => {
    const instance = new Redis({ lazyConnect: true, keyPrefix: 'app:' });
    for (const connection of [{ keyPrefix: 'app:' }, instance]) {
      expect(() => open(connection)).toThrow(/^connection\.keyPrefix cannot be used.*`prefix`/);
    }
    instance.disconnect();
  });

  it('is copied from an instance, which stays as it is', async () => {
    const instance = new Redis({ lazyConnect: true, host: 'redis.example', db: 3 });
    const connections = open(instance);

    expect(connections.commands).not.toBe(instance);
    expect(connections.commands.options).toMatchObject({ host: 'redis.example', db: 3 });

    await connections.close();
    expect(instance.status).toBe('wait');
    instance.disconnect();
  });

  it.each(['redis://user:secret@redis.example:6380/2', { host: 'redis.example', port: 6380 }])(
    'opens nothing before it is needed',
    async (connection) => {
      const connections = open(connection);
      expect(connections.commands.status).toBe('wait');
      expect(connections.commands.options).toMatchObject({ host: 'redis.example', port: 6380 });
      await connections.close();
    },
  );

  it('is refused after close(), at once', async () => {
    const connections = open('redis://127.0.0.1:1');
    await connections.close();
    await expect(connections.connect()).rejects.toMatchObject({ code: 'RQ_CONNECTION' });
  });
});
