import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { Script } from '../../../lib/redis/script.js';

const TEXT = 'return 1';
const FLAGGED = `#!lua flags=allow-oom\n${TEXT}`;

/** A server that keeps scripts by their digest, and may take no flags. */
class FakeRedis extends EventEmitter {
  readonly calls: string[] = [];
  private readonly known = new Map<string, string>();

  constructor(private refusal?: string) {
    super();
  }

  upgrade(): void {
    this.refusal = undefined;
    this.known.clear();
    this.emit('close');
  }

  callBuffer(command: string, text: string): Promise<string> {
    this.calls.push(command);
    if (command === 'EVALSHA') {
      const known = this.known.get(text);
      if (known !== undefined) return Promise.resolve(known);
      return Promise.reject(new Error('NOSCRIPT No matching script.'));
    }
    if (text.startsWith('#!') && this.refusal) return Promise.reject(new Error(this.refusal));
    this.known.set(
      new Script({ name: 's', keys: [], values: [], flags: '', commands: [], text }).digest,
      text,
    );
    return Promise.resolve(text);
  }
}

const script = (flags: string) =>
  new Script({ name: 's', keys: [], values: [], flags, commands: [], text: TEXT });

async function run(redis: FakeRedis, flags = 'allow-oom'): Promise<[unknown, string[]]> {
  redis.calls.length = 0;
  const text = await script(flags).run(redis as unknown as Redis, [], []);
  return [text, [...redis.calls]];
}

describe('a script with flags', () => {
  it('is sent with them, and by digest from then on', async () => {
    const redis = new FakeRedis();
    expect(await run(redis)).toEqual([FLAGGED, ['EVALSHA', 'EVAL']]);
    expect(await run(redis)).toEqual([FLAGGED, ['EVALSHA']]);
  });

  it.each([
    "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
    "ERR user_script:1: unexpected symbol near '#' script: 859a, on @user_script:1.",
    'ERR Unexpected flag in script shebang: allow-oom',
  ])('is sent without them to a server that answers %j', async (refusal) => {
    const redis = new FakeRedis(refusal);
    expect(await run(redis)).toEqual([TEXT, ['EVALSHA', 'EVAL', 'EVALSHA', 'EVAL']]);
    expect(await run(redis)).toEqual([TEXT, ['EVALSHA']]);
    // The link may lead to another server when it is made again.
    redis.upgrade();
    expect((await run(redis))[0]).toBe(FLAGGED);
  });

  it('fails as it fails', async () => {
    const redis = new FakeRedis('OOM command not allowed');
    await expect(run(redis)).rejects.toThrow('OOM');
  });
});

it('a script without flags is sent as it is', async () => {
  const redis = new FakeRedis();
  expect(await run(redis, '')).toEqual([TEXT, ['EVALSHA', 'EVAL']]);
});

describe('a script that must not be overtaken', () => {
  const inOrder = async (redis: FakeRedis, one: Script) => {
    redis.calls.length = 0;
    await one.runInOrder(redis as unknown as Redis, [], []);
    return [...redis.calls];
  };

  it('is sent as text until the server has it, and after the link was cut', async () => {
    const redis = new FakeRedis();
    const one = script('');
    expect(await inOrder(redis, one)).toEqual(['EVAL']);
    expect(await inOrder(redis, one)).toEqual(['EVALSHA']);
    redis.upgrade();
    expect(await inOrder(redis, one)).toEqual(['EVAL']);
  });
});
