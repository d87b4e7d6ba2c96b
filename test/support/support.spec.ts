import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { startChild, type Child } from './children.js';
import { startRedis, type RedisServer } from './redis-server.js';
import { deferred, eventually, within } from './wait.js';

describe('a Redis of the test', () => {
  let redis: RedisServer | undefined;

  afterEach(async () => {
    await redis?.stop();
  });

  it('answers, and leaves no process behind when stopped', async () => {
    redis = await startRedis();
    const pid = redis.pid;
    expect(await redis.client().ping()).toBe('PONG');

    await redis.stop();

    expect(isRunning(pid)).toBe(false);
    expect(() => redis?.pid).toThrow('is not running');
  });

  it('keeps its data over a kill with an append-only file', async () => {
    redis = await startRedis({ appendonly: true });
    const client = redis.client();
    await client.set('acknowledged', 'yes');
    const killed = redis.pid;

    await redis.kill();
    expect(isRunning(killed)).toBe(false);
    await redis.restart();

    expect(redis.pid).not.toBe(killed);
    expect(await client.get('acknowledged')).toBe('yes');
  });

  it('forgets its data at a restart without one', async () => {
    redis = await startRedis();
    await redis.client().set('kept', 'no');

    await redis.restart();

    expect(await redis.client().get('kept')).toBeNull();
  });

  it('removes its folder, and takes further arguments', async () => {
    redis = await startRedis({ args: ['--maxmemory', '50mb'] });
    const [, dir] = (await redis.client().config('GET', 'dir')) as string[];
    const [, limit] = (await redis.client().config('GET', 'maxmemory')) as string[];
    expect(limit).toBe(String(50 * 1024 * 1024));
    expect(dir).toBeDefined();

    await redis.stop();

    expect(existsSync(String(dir))).toBe(false);
  });

  it('says what redis-server says when it cannot start', async () => {
    await expect(startRedis({ args: ['--no-such-setting', '1'] })).rejects.toThrow(
      'no-such-setting',
    );
  });
});

describe('a child process of the test', () => {
  let child: Child | undefined;
  const echo = new URL('./echo.mjs', import.meta.url);

  afterEach(async () => {
    await child?.kill();
  });

  it('talks with the test, and is gone after kill()', async () => {
    child = startChild(echo, { args: ['hello'], needsBuild: false });
    const first = await child.waitFor<{ said: string }>((message) => message.said === 'hello', {
      what: 'the first word',
    });
    expect(first).toEqual({ said: 'hello' });

    child.send({ said: 'again' });
    await child.waitFor<{ said: string }>((message) => message.said === 'again', {
      what: 'the echo',
    });

    expect(await child.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isRunning(child.pid)).toBe(false);
  });

  it('fails a wait at once, with its output, when it ends', async () => {
    child = startChild(echo, { needsBuild: false });

    await expect(child.waitFor(() => false, { what: 'a word' })).rejects.toThrow(
      /ended without a word\n.*\nnothing to say/,
    );
  });
});

describe('waiting', () => {
  it('ends as soon as it is so', async () => {
    let looks = 0;
    expect(await eventually(() => ++looks === 3 && 'so', { what: 'three looks' })).toBe('so');
  });

  it('names what did not come, with the last error as cause', async () => {
    const look = () => {
      throw new Error('nobody there');
    };
    await expect(eventually(look, { what: 'an answer', timeout: 30 })).rejects.toMatchObject({
      message: expect.stringContaining('in vain for an answer'),
      cause: expect.objectContaining({ message: 'nobody there' }),
    });
  });

  it('gives a promise a deadline', async () => {
    const word = deferred<string>();
    await expect(within(word.promise, { what: 'the word', timeout: 30 })).rejects.toThrow(
      'in vain for the word',
    );
    word.resolve('here');
    expect(await within(word.promise, { what: 'the word' })).toBe('here');
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
