import {
  EnqueueManyError,
  InvalidOptionError,
  RqConnectionError,
  resolveDefaults,
} from '../../../lib/job/index.js';
import { Queue, type QueueOptions } from '../../../lib/queue/index.js';
import type { JobStore, NewJob } from '../../../lib/store/index.js';

/** A store that only notes what it is asked to enqueue. */
class NotingStore {
  readonly maxPayloadBytes = 1000;
  readonly jobs: NewJob[] = [];

  enqueue(jobs: readonly NewJob[]): Promise<[]> {
    this.jobs.push(...jobs);
    return Promise.resolve([]);
  }
}

function queue(options?: QueueOptions) {
  const store = new NotingStore();
  return { store, queue: new Queue('images', store as unknown as JobStore, options) };
}

describe('a queue', () => {
  it.each(['', ' images', 'a,b', 'a\nb', 'images:intermediate'])(
    'is not made with the name %j',
    (name) => {
      const make = () => new Queue(name, new NotingStore() as unknown as JobStore);
      expect(make).toThrow(InvalidOptionError);
    },
  );

  it('checks its defaults when it is made, and names the queue', () => {
    const make = () => queue({ defaultJobOptions: { retry: { max: -1 } } });
    expect(make).toThrow(/defaultJobOptions of queue "images": retry\.max must be/);
    expect(() => queue({ defaultJobOptions: { delay: 5 } as object })).toThrow(
      /delay is not an option/,
    );
  });
});

describe('the jobs of a registry', () => {
  it.each(['waiting', 'constructor', '', null])(
    'that is %j are an error with the names',
    async (name) => {
      const list = queue().queue.jobs(name as 'queued');
      await expect(list).rejects.toBeInstanceOf(InvalidOptionError);
      await expect(list).rejects.toThrow(
        'jobs of queue "images": registry must be one of queued, started, scheduled, deferred, finished, failed, canceled',
      );
    },
  );
});

describe('what cannot be enqueued', () => {
  it.each<[string, unknown, unknown, RegExp]>([
    ['', 1, undefined, /name must be text/],
    ['a\u0000b', 1, undefined, /name must not contain control characters/],
    [5 as unknown as string, 1, undefined, /name must be text/],
    ['f', 1, { retires: 3 }, /enqueue\("f"\) on queue "images": retires is not an option here/],
    ['f', 1, { retry: { max: 1, intervall: 5 } }, /retry\.intervall is not an option/],
    ['f', 1, { retry: { max: 1, interval: [5, -1] } }, /retry\.interval\[1\] must not be negative/],
    ['f', 1, { retry: 3 }, /retry must be an object/],
    ['f', 1, { retry: true }, /retry must be false, or an object/],
    ['f', 1, { description: 'x'.repeat(10_001) }, /description must be at most 10000 characters/],
    ['f', new Map([[1, 2]]), undefined, /JSON would make \{\} of a Map/],
    ['f', 1, { timeout: NaN }, /timeout must be a duration/],
    ['f', 1, { delay: -1 }, /delay must not be negative/],
    ['f', 1, { at: '2026-01-01' }, /at must be a valid Date/],
    ['f', 1, { at: new Date(NaN) }, /at must be a valid Date/],
    ['f', 1, { delay: 1, at: new Date() }, /delay and at exclude each other/],
    ['f', 1, { id: 'a:b' }, /id must be 1 to 200 letters/],
    ['f', 1, { id: '' }, /id must be/],
    ['f', 1, { unique: true }, /unique needs an id/],
    ['f', 1, { meta: [1] }, /meta must be a plain object/],
    [
      'f',
      1,
      { meta: { ring: 1n } },
      /The meta of job "f" for queue "images" cannot be written as JSON/,
    ],
    ['f', 1n, undefined, /The data of job "f" for queue "images" cannot be written as JSON/],
    ['f', 'x'.repeat(2000), undefined, /data of job "f" is too large/],
    ['f', 1, { meta: { a: 'x'.repeat(2000) } }, /meta of job "f" is too large/],
    ['f', 1, null, /options must be an object/],
  ])('enqueue(%j, %p, %j)', async (name, data, options, message) => {
    const { queue: images, store } = queue();

    await expect(images.enqueue(name, data, options as object)).rejects.toThrow(message);
    const many = [{ name: 'ok' }, { name, data, options: options as object }];
    await expect(images.enqueueMany(many)).rejects.toThrow(message);

    expect(store.jobs).toEqual([]);
  });

  it('is named by its place in enqueueMany', async () => {
    const { queue: images } = queue();
    const jobs = [{ name: 'f' }, { name: 'f', options: { timeout: -5 } }];
    await expect(images.enqueueMany(jobs)).rejects.toThrow(/^jobs\[1\]: .*timeout/);
  });

  it('rejects, never throws', () => {
    const { queue: images } = queue();
    const calls = [
      () => images.enqueue('', 1),
      () => images.enqueueIn(-1, 'f'),
      () => images.enqueueAt(new Date(NaN), 'f'),
      () => images.enqueueMany([{ name: '' }]),
      () => images.enqueueCall('', {}),
      () => images.getJob('a:b'),
    ];
    return Promise.all(
      calls.map((call) => {
        let promise: Promise<unknown> | undefined;
        expect(() => (promise = call())).not.toThrow();
        return expect(promise).rejects.toBeInstanceOf(InvalidOptionError);
      }),
    );
  });
});

describe('what is enqueued', () => {
  it('has the options of the call, then of the queue, then of the root', async () => {
    const { queue: images, store } = queue({
      rootDefaults: resolveDefaults({ timeout: 10, resultTtl: 20, retry: { max: 1 } }),
      defaultJobOptions: { resultTtl: 30, ttl: 40 },
    });

    await images.enqueue('f', 1, { ttl: 50 });
    await images.enqueue('f', 1);

    expect(store.jobs.map(({ options }) => options)).toMatchObject([
      { timeout: 10_000, resultTtl: 30, ttl: 50, retry: { max: 1 }, retryGiven: false },
      { timeout: 10_000, resultTtl: 30, ttl: 40, retry: { max: 1 }, retryGiven: false },
    ]);
  });

  it('does not change when the caller changes its objects afterwards', async () => {
    const { queue: images, store } = queue();
    const data = { path: 'a.png' };
    const meta: Record<string, unknown> = { user: 7 };

    const enqueued = images.enqueue('f', data, { meta });
    data.path = 'b.png';
    meta['user'] = 8;
    await enqueued;

    expect(store.jobs).toMatchObject([
      { data: '["f",null,[{"path":"a.png"}],{}]', meta: '{"user":7}' },
    ]);
  });

  it('is checked for its id only when it brings one', async () => {
    const { queue: images, store } = queue();
    await images.enqueue('f');
    await images.enqueue('f', undefined, { id: 'mine' });
    await images.enqueue('f', undefined, { id: 'mine', unique: true });
    expect(store.jobs.map(({ check }) => check)).toEqual(['new', 'once', 'unique']);
  });
});

describe('an enqueue whose answer was lost', () => {
  /** Stores everything, and lets nobody know. */
  class SilentStore extends NotingStore {
    constructor(private readonly answered = 0) {
      super();
    }

    override enqueue(jobs: readonly NewJob[]): Promise<[]> {
      const answers = this.jobs.length < this.answered;
      void super.enqueue(jobs);
      if (answers) return Promise.resolve([]);
      return Promise.reject(new RqConnectionError({ action: 'enqueue', uncertain: true }));
    }
  }
  const silent = (answered?: number) => {
    const store = new SilentStore(answered);
    return { store, images: new Queue('images', store as unknown as JobStore) };
  };
  const errorOf = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: unknown) => error as RqConnectionError,
    );

  it('tells each caller the id of its own job', async () => {
    const { store, images } = silent();
    const errors = await Promise.all([
      errorOf(images.enqueue('a', 1)),
      errorOf(images.enqueueIn(5, 'b', 2)),
      errorOf(images.enqueueAt(new Date(), 'b', 2)),
      errorOf(images.enqueueCall('c')),
      errorOf(images.enqueue('d', 1, { id: 'mine' })),
    ]);
    expect(errors.map((error) => error?.jobIds)).toEqual(store.jobs.map(({ id }) => [id]));
    expect(errors[4]?.jobIds).toEqual(['mine']);
    for (const error of errors) expect(error?.uncertain).toBe(true);
  });

  it('of many jobs tells the ids of all', async () => {
    const { store, images } = silent();
    const error = await errorOf(images.enqueueMany([{ name: 'a' }, { name: 'b' }]));
    expect(error).toBeInstanceOf(RqConnectionError);
    expect(error?.jobIds).toEqual(store.jobs.map(({ id }) => id));
  });

  it('of a long list that broke off tells the ids of all, too', async () => {
    const { store, images } = silent(1);
    const error = await errorOf(
      images.enqueueMany(Array.from({ length: 1200 }, () => ({ name: 'a' }))),
    );
    expect(error).toBeInstanceOf(EnqueueManyError);
    expect(error?.jobIds).toHaveLength(1200);
    expect(error?.jobIds).toEqual(store.jobs.map(({ id }) => id));
  });
});
