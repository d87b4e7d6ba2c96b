import { InvalidOptionError } from '../../../lib/job/index.js';
import { resolveWorkerOptions, type WorkerOptions } from '../../../lib/worker/worker-options.js';

describe("a worker's options", () => {
  it('have defaults', () => {
    expect(resolveWorkerOptions()).toEqual({
      queues: undefined,
      concurrency: 10,
      durability: expect.any(Function),
      history: true,
      order: 'parallel',
      lease: 15_000,
      shutdownTimeout: 30_000,
      maxCrashes: 3,
      unknownJobs: 'fail',
      webhooks: { allow: [] },
      prefetch: 'auto',
      burst: false,
      maxJobs: undefined,
      maxIdle: undefined,
      ownConcurrency: [],
      name: undefined,
    });
  });

  it('say for all queues, or for each, what replicas must have', () => {
    const ofAll = resolveWorkerOptions({ durability: { replicas: 1, timeout: '2s' } });
    expect(ofAll.durability('a')).toEqual({ replicas: 1, timeout: 2000 });
    const ofSome = resolveWorkerOptions({
      durability: (queue) => (queue === 'a' ? { replicas: 2 } : false),
    });
    expect(ofSome.durability('a')).toEqual({ replicas: 2, timeout: 1000 });
    expect(ofSome.durability('b')).toBeUndefined();
    expect(resolveWorkerOptions().durability('a')).toBeUndefined();
    expect(() => resolveWorkerOptions({ durability: { replicas: 0 } })).toThrow(
      /durability.replicas must be a whole number of at least 1/,
    );
  });

  it('are durations in seconds or text, and names or objects for queues', () => {
    const options: WorkerOptions = {
      queues: ['a', { name: 'b', concurrency: 2, weight: 3 }, { name: 'c' }],
      concurrency: 5,
      order: 'weighted',
      lease: '1m',
      shutdownTimeout: 0,
      maxCrashes: 1,
      unknownJobs: 'release',
      prefetch: 0,
      name: 'web-1.example',
    };
    expect(resolveWorkerOptions(options)).toMatchObject({
      queues: [
        { name: 'a', concurrency: 5, weight: 1 },
        { name: 'b', concurrency: 2, weight: 3 },
        { name: 'c', concurrency: 5, weight: 1 },
      ],
      lease: 60_000,
      shutdownTimeout: 0,
    });
  });

  it.each<[unknown, RegExp]>([
    [null, /options must be an object/],
    [{ concurency: 5 }, /concurency is not an option here/],
    [{ concurrency: 0 }, /concurrency must be a whole number of at least 1, got 0/],
    [{ concurrency: -1 }, /concurrency must be/],
    [{ concurrency: 2.5 }, /concurrency must be/],
    [{ concurrency: NaN }, /concurrency must be/],
    [{ concurrency: Infinity }, /concurrency must be/],
    [{ concurrency: '10' }, /concurrency must be/],
    [{ order: 'random' }, /order must be one of 'parallel', 'ordered', 'weighted', got "random"/],
    [{ unknownJobs: true }, /unknownJobs must be one of 'fail', 'release'/],
    [{ lease: 0.1 }, /lease must be at least 0\.3 seconds/],
    [{ lease: -1 }, /lease must not be negative/],
    [{ lease: 'long' }, /lease must be a duration/],
    [{ shutdownTimeout: -1 }, /shutdownTimeout must not be negative/],
    [{ shutdownTimeout: NaN }, /shutdownTimeout must be a duration/],
    [{ maxCrashes: 0 }, /maxCrashes must be a whole number of at least 1/],
    [{ maxJobs: 0 }, /maxJobs must be a whole number of at least 1/],
    [{ maxIdle: 0 }, /maxIdle must/],
    [{ burst: 1 }, /burst must be true or false/],
    [{ burst: true, maxIdle: 5 }, /maxIdle cannot go with burst/],
    [{ prefetch: -1 }, /prefetch must be a whole number of at least 0/],
    [{ prefetch: 'much' }, /prefetch must be a whole number/],
    [{ name: '' }, /name must be 1 to 200/],
    [{ name: 'a b' }, /name must be 1 to 200/],
    [{ name: 'a:b' }, /name must be 1 to 200/],
    [{ name: 5 }, /name must be 1 to 200/],
    [{ queues: [] }, /queues must be a list with at least one queue/],
    [{ queues: 'images' }, /queues must be a list/],
    [{ queues: [5] }, /queues\[0\] must be an object/],
    [{ queues: ['a', { name: 'b', wieght: 1 }] }, /queues\[1\]\.wieght is not an option/],
    [{ queues: ['a,b'] }, /queue must not contain a comma/],
    [{ queues: [{ concurrency: 1 }] }, /queue must be text/],
    [{ queues: [{ name: 'a', weight: 0 }] }, /queues\[0\]\.weight must be a number above 0/],
    [{ queues: [{ name: 'a', weight: Infinity }] }, /queues\[0\]\.weight must be/],
    [{ queues: [{ name: 'a', concurrency: 0 }] }, /queues\[0\].*concurrency must be/],
    [{ queues: ['a', { name: 'a' }] }, /queues names "a" twice/],
  ])('%j is refused', (options, message) => {
    const resolve = () => resolveWorkerOptions(options as WorkerOptions, 'the worker');
    expect(resolve).toThrow(InvalidOptionError);
    expect(resolve).toThrow(message);
    expect(resolve).toThrow(/the worker/);
  });
});
