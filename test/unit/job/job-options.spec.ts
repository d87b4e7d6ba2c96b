import {
  type DefaultJobOptions,
  InvalidOptionError,
  type JobOptions,
  layerDefaults,
  resolveDefaults,
  resolveJobOptions,
  retryPolicy,
} from '../../../lib/job/index.js';

const none = resolveDefaults(undefined);

/** What the options `dependsOn` and `priority` become. */
const INTERNAL: ReadonlySet<string> = new Set(['waitsFor', 'level']);

describe('a job enqueued without options', () => {
  it("has RQ's defaults", () => {
    expect(resolveJobOptions(undefined, none)).toEqual({
      unique: false,
      retryGiven: false,
      timeout: 180_000,
      timeoutGiven: false,
      delay: 0,
      atFront: false,
    });
  });

  it('costs nothing: all share one frozen object', () => {
    const options = resolveJobOptions(undefined, none);
    expect(resolveJobOptions(undefined, none)).toBe(options);
    expect(Object.isFrozen(options)).toBe(true);
    expect(resolveJobOptions({}, none)).toEqual(options);
  });

  it('has the defaults of its queue', () => {
    const defaults = resolveDefaults({ retry: { max: 2 }, timeout: '30s', resultTtl: 60 });
    expect(resolveJobOptions(undefined, defaults)).toMatchObject({
      retry: retryPolicy({ max: 2 }),
      retryGiven: false,
      timeout: 30_000,
      timeoutGiven: false,
      resultTtl: 60,
    });
  });
});

describe('job options', () => {
  it('are read one by one', () => {
    const at = new Date(5000);
    expect(
      resolveJobOptions(
        {
          id: 'image-1',
          unique: true,
          retry: { max: 2, interval: [10, 60] },
          timeout: '1m',
          ttl: 0.5,
          resultTtl: '1h',
          failureTtl: 'forever',
          at,
          atFront: true,
          dependsOn: ['a', 'b'],
          meta: { user: 7 },
          description: 'resize image 1',
        },
        none,
      ),
    ).toEqual({
      id: 'image-1',
      unique: true,
      retry: { max: 2, intervals: [10, 60], jitter: 0, within: undefined, front: false },
      retryGiven: true,
      timeout: 60_000,
      timeoutGiven: true,
      ttl: 1,
      resultTtl: 3600,
      failureTtl: -1,
      delay: 0,
      at: 5000,
      atFront: true,
      waitsFor: { jobs: ['a', 'b'], ifFailed: 'cancel' },
      meta: { user: 7 },
      description: 'resize image 1',
    });
    expect(resolveJobOptions({ delay: '1.5s' }, none).delay).toBe(1500);
  });

  it('that are undefined count as not given', () => {
    const options: Record<string, undefined> = { dependsOn: undefined, priority: undefined };
    for (const key of Object.keys(resolveJobOptions({}, none))) {
      if (key !== 'retryGiven' && key !== 'timeoutGiven' && !INTERNAL.has(key)) {
        options[key] = undefined;
      }
    }
    expect(resolveJobOptions(options, none)).toEqual(resolveJobOptions(undefined, none));
  });

  it('false and -1 are no timeout', () => {
    expect(resolveJobOptions({ timeout: false }, none)).toMatchObject({
      timeout: -1,
      timeoutGiven: true,
    });
    expect(resolveJobOptions({ timeout: -1 }, none).timeout).toBe(-1);
  });

  it.each(['resultTtl', 'failureTtl'] as const)(
    "%s may be 0 (delete at once) or 'forever', RQ's -1",
    (key) => {
      expect(resolveJobOptions({ [key]: 0 }, none)[key]).toBe(0);
      expect(resolveJobOptions({ [key]: -1 }, none)[key]).toBe(-1);
      expect(resolveJobOptions({ [key]: 'forever' }, none)[key]).toBe(-1);
    },
  );

  it('do not change when the caller changes its objects later', () => {
    const meta: Record<string, unknown> = { user: 7 };
    const options = resolveJobOptions({ meta }, none);
    meta['user'] = 8;
    expect(options.meta).toEqual({ user: 7 });
  });

  it('may have no prototype, and a __proto__ key in meta changes none', () => {
    const meta = JSON.parse('{"__proto__": {"admin": true}}') as Record<string, unknown>;
    const bare = Object.assign(Object.create(null) as JobOptions, { meta });
    const resolved = resolveJobOptions(bare, none);
    expect(Object.keys(resolved.meta!)).toEqual(['__proto__']);
    expect(resolved.meta!['admin']).toBeUndefined();
  });
});

describe('precedence', () => {
  const root = resolveDefaults({
    retry: { max: 1 },
    timeout: 10,
    ttl: 10,
    resultTtl: 10,
    failureTtl: 10,
  });
  const queue = resolveDefaults({ retry: { max: 2, interval: 5 }, timeout: 20, resultTtl: 0 });
  const layered = layerDefaults(root, queue);

  it("is the queue's defaults over the root's, key by key", () => {
    expect(resolveJobOptions(undefined, layered)).toMatchObject({
      retry: retryPolicy({ max: 2, interval: 5 }),
      timeout: 20_000,
      ttl: 10,
      resultTtl: 0,
      failureTtl: 10,
    });
  });

  it('is the options of enqueue over both', () => {
    const given = resolveJobOptions({ retry: { max: 3 }, timeout: false, failureTtl: 0 }, layered);
    expect(given).toMatchObject({
      // As a whole: the interval of the queue's policy does not leak into it.
      retry: retryPolicy({ max: 3 }),
      retryGiven: true,
      timeout: -1,
      timeoutGiven: true,
      ttl: 10,
      resultTtl: 0,
      failureTtl: 0,
    });
  });

  it('tells what the caller gave, for it also wins over the handler', () => {
    expect(resolveJobOptions({ ttl: 5 }, layered)).toMatchObject({
      retryGiven: false,
      timeoutGiven: false,
      timeout: 20_000,
    });
  });

  it('is no retries where the innermost says false', () => {
    const off = resolveDefaults({ retry: false });
    expect(layerDefaults(root, off).plainJob).toMatchObject({ retryGiven: false });
    expect(layerDefaults(root, off).plainJob.retry).toBeUndefined();
    expect(resolveJobOptions({ ttl: 5 }, layerDefaults(root, off)).retry).toBeUndefined();
    expect(layerDefaults(off, queue).plainJob.retry).toEqual(queue.retry);
    const given = resolveJobOptions({ retry: false }, layered);
    expect([given.retry, given.retryGiven]).toEqual([undefined, true]);
  });

  it('is the root alone where a queue has no defaults', () => {
    expect(layerDefaults(root, none)).toEqual(root);
    expect(layerDefaults(none, none).plainJob).toEqual(none.plainJob);
  });
});

describe('an impossible option', () => {
  const where = 'enqueue("processImage") on queue "images"';

  const ofAll: [unknown, string][] = [
    [{ retry: { max: 0 } }, 'retry.max'],
    [{ retry: 3 }, 'retry'],
    [{ retry: true }, 'retry'],
    [{ retry: null }, 'retry'],
    [{ retry: { max: 1, on: [Error] } }, 'retry.on'],
    [{ timeout: 0 }, 'timeout'],
    [{ timeout: '0s' }, 'timeout'],
    [{ timeout: -2 }, 'timeout'],
    [{ timeout: true }, 'timeout'],
    [{ timeout: null }, 'timeout'],
    [{ timeout: NaN }, 'timeout'],
    [{ ttl: 0 }, 'ttl'],
    [{ ttl: -1 }, 'ttl'],
    [{ ttl: 'forever' }, 'ttl'],
    [{ resultTtl: -2 }, 'resultTtl'],
    [{ resultTtl: false }, 'resultTtl'],
    [{ resultTtl: 'always' }, 'resultTtl'],
    [{ failureTtl: Infinity }, 'failureTtl'],
    [{ failureTtl: null }, 'failureTtl'],
    [{ removeOnComplete: true }, 'removeOnComplete'],
    [{ constructor: 1 }, 'constructor'],
    [JSON.parse('{"__proto__": {"timeout": 5}}'), '__proto__'],
    [null, 'options'],
    [5, 'options'],
    ['images', 'options'],
    [[], 'options'],
  ];

  const ofOneJob: [unknown, string][] = [
    [{ id: '' }, 'id'],
    [{ id: 'a:b' }, 'id'],
    [{ id: 5 }, 'id'],
    [{ id: null }, 'id'],
    [{ id: 'a', unique: 1 }, 'unique'],
    [{ unique: true }, 'unique'],
    [{ delay: -1 }, 'delay'],
    [{ delay: 'later' }, 'delay'],
    [{ delay: new Date() }, 'delay'],
    [{ delay: 5, at: new Date(0) }, 'delay'],
    [{ at: new Date(NaN) }, 'at'],
    [{ at: Date.now() }, 'at'],
    [{ at: '2030-01-01' }, 'at'],
    [{ at: Object.create(Date.prototype) }, 'at'],
    [{ atFront: 'yes' }, 'atFront'],
    [{ atFront: null }, 'atFront'],
    [{ meta: null }, 'meta'],
    [{ meta: 'x' }, 'meta'],
    [{ meta: [1] }, 'meta'],
    [{ meta: new Date(0) }, 'meta'],
    [{ meta: new Map() }, 'meta'],
    [{ at: new Date(8.64e15) }, 'at'],
    [{ description: 5 }, 'description'],
    [{ description: 'x'.repeat(10_001) }, 'description'],
  ];

  it.each([...ofAll, ...ofOneJob])('%p is refused as %s at enqueue', (options, option) => {
    const resolve = () => resolveJobOptions(options as JobOptions, none, where);
    expect(resolve).toThrow(InvalidOptionError);
    expect(resolve).toThrow(
      expect.objectContaining({
        option,
        message: expect.stringContaining(`${where}: ${option} `) as string,
      }),
    );
  });

  it.each([...ofAll, [{ delay: 5 }, 'delay'], [{ id: 'a' }, 'id']] as [unknown, string][])(
    '%p is refused as %s among defaults',
    (options, option) => {
      expect(() => resolveDefaults(options as DefaultJobOptions, 'queue "images"')).toThrow(
        expect.objectContaining({
          option,
          message: expect.stringContaining(`queue "images": ${option} `) as string,
        }),
      );
    },
  );

  it('is explained together with the keys that exist', () => {
    expect(() => resolveJobOptions({ retries: 3 } as JobOptions, none, where)).toThrow(
      `${where}: retries is not an option here. Known: retry, timeout, ttl, resultTtl, failureTtl, id, ` +
        'unique, repeat, delay, at, atFront, priority, dependsOn, key, group, meta, description, webhooks',
    );
  });
});
