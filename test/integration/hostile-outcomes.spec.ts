import { FailJob, JobFailedError } from '../../lib/job/index.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

function circular(): object {
  const ring: Record<string, unknown> = { name: 'ring' };
  ring['self'] = ring;
  return ring;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

class Unfriendly {
  // oxlint-disable-next-line unicorn/no-thenable -- what the test is about
  get then(): never {
    throw new Error('do not look at me');
  }
}

/** Settles the next turn, so that both ways to fail a handler are tried. */
function later<Value>(act: () => Value): Promise<Value> {
  return Promise.resolve().then(act);
}

describe('whatever a handler throws', () => {
  const thrown: [label: string, value: () => unknown, readable: RegExp][] = [
    ['undefined', () => undefined, /^Error: undefined was thrown, which is no Error/],
    ['null', () => null, /^Error: null was thrown, which is no Error/],
    ['a string', () => 'the disk is full', /^Error: the disk is full/],
    ['a frozen error', () => Object.freeze(new RangeError('frozen')), /^RangeError: frozen\n +at /],
    ['a circular object', circular, /^Error: .*ring.* was thrown/],
    ['a BigInt', () => 12n, /^Error: 12n was thrown/],
    ['a symbol', () => Symbol('odd'), /^Error: Symbol\(odd\) was thrown/],
    ['a revoked proxy', revoked, /^Error: .+ was thrown, which is no Error/],
    ['FailJob', () => new FailJob('the image is gone'), /^FailJob: the image is gone/],
  ];

  it.each(thrown)('%s: the job fails with a readable reason', async (_, value, readable) => {
    const worker = await engine.work({
      sync: () => {
        throw value();
      },
      async: () =>
        later(() => {
          throw value();
        }),
    });

    for (const name of ['sync', 'async']) {
      const job = await engine.queue().enqueue(name);
      const error = await job.result({ timeout: 5 }).catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(JobFailedError);
      expect((error as JobFailedError).reason).toMatch(readable);
      expect(await job.status()).toBe('failed');
      expect(await engine.places(job.id)).toEqual(['failed']);
    }
    const failed = await worker.events.waitFor('jobFailed', 2);
    expect(failed.map(({ why }) => why)).not.toContain('');
  });
});

describe('whatever a handler returns', () => {
  const returned: [label: string, value: () => unknown, result: unknown][] = [
    ['undefined', () => undefined, null],
    ['null', () => null, null],
    ['0', () => 0, 0],
    ["''", () => '', ''],
    ['false', () => false, false],
    ['NaN', () => NaN, null],
    ['text that looks like JSON', () => '{"a":1}', '{"a":1}'],
    ['other alphabets', () => 'naïve 日本 🎈\u2028', 'naïve 日本 🎈\u2028'],
    ['a Date', () => new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an object', () => ({ a: [1, { b: null }] }), { a: [1, { b: null }] }],
  ];

  it.each(returned)('%s comes out as it is', async (_, value, result) => {
    await engine.work({ sync: value, async: () => later(value) });

    for (const name of ['sync', 'async']) {
      const job = await engine.queue().enqueue(name);

      // While somebody waits, and again from what is stored.
      expect(await job.result({ timeout: 5 })).toEqual(result);
      expect(await job.result({ timeout: 5 })).toEqual(result);
      expect(await job.results()).toMatchObject([{ outcome: 'finished', value: result }]);
    }
  });

  const unserializable: [label: string, value: () => unknown][] = [
    ['a cycle', circular],
    ['a BigInt', () => ({ count: 1n })],
    ['a function', () => () => 1],
    ['a symbol', () => Symbol('odd')],
    [
      'a toJSON that throws',
      () => ({
        toJSON() {
          throw new Error('secret state');
        },
      }),
    ],
  ];

  it.each(unserializable)('%s fails the attempt', async (_, value) => {
    await engine.work({ sync: value, async: () => later(() => [value()]) });

    const job = await engine.queue().enqueue('sync');

    await expect(job.result({ timeout: 5 })).rejects.toMatchObject({
      code: 'RQ_JOB_FAILED',
      reason: expect.stringMatching(/^UnserializableResultError: The result of job /) as string,
    });
  });

  it('an unserializable result spends a retry like any failure', async () => {
    const attempts: number[] = [];
    await engine.work({
      odd: (_, job) => {
        attempts.push(job.attempt);
        return job.attempt === 1 ? 1n : 'fine';
      },
    });

    const job = await engine.queue().enqueue('odd', undefined, { retry: { max: 1, interval: 0 } });

    expect(await job.result({ timeout: 5 })).toBe('fine');
    expect(attempts).toEqual([1, 2]);
  });

  it('an object that throws when it is looked at fails its job and stops nothing', async () => {
    await engine.work(
      { unfriendly: () => new Unfriendly(), revoked, ok: () => 'ok' },
      { concurrency: 1 },
    );

    const unfriendly = await engine.queue().enqueue('unfriendly');
    const proxy = await engine.queue().enqueue('revoked');
    const ok = await engine.queue().enqueue('ok');

    await expect(unfriendly.result({ timeout: 5 })).rejects.toThrow('do not look at me');
    await expect(proxy.result({ timeout: 5 })).rejects.toThrow('proxy that has been revoked');
    expect(await ok.result({ timeout: 5 })).toBe('ok');
  });

  it('a thenable that is no Promise is awaited', async () => {
    await engine.work({
      // oxlint-disable-next-line unicorn/no-thenable -- what the test is about
      thenable: () => ({ then: (resolve: (value: string) => void) => resolve('at last') }),
    });

    const job = await engine.queue().enqueue('thenable');

    expect(await job.result({ timeout: 5 })).toBe('at last');
  });
});
