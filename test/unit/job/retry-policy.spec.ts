import {
  handlerRetry,
  type HandlerRetryOptions,
  intervalFor,
  InvalidOptionError,
  type IntervalOption,
  type RetryOptions,
  retryPolicy,
} from '../../../lib/job/index.js';

/** The intervals before the first, second, ... retry, as a worker that follows RQ's rule reads them. */
function waits(max: number, intervals: readonly number[]): number[] {
  return Array.from({ length: max }, (_, done) => intervalFor(intervals, max - done));
}

/** A small generator with a seed: a failing case can be run again. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('a retry policy', () => {
  it('is max retries after the first run, interval seconds apart', () => {
    expect(retryPolicy({ max: 3, interval: 5 })).toEqual({
      max: 3,
      intervals: [5],
      jitter: 0,
      within: undefined,
      front: false,
    });
  });

  it('backs off when nothing is said of intervals: soon at first, then at most an hour apart', () => {
    const policy = retryPolicy({ max: 10 });
    expect(policy.intervals).toEqual([3, 9, 27, 81, 243, 729, 2187, 3600, 3600, 3600]);
    expect(policy).toMatchObject({ jitter: 0.2, longest: 3_600_000 });
    expect(retryPolicy({ within: '1m' })).toMatchObject({ max: 3, intervals: [3, 9, 27] });
  });

  it('retries at once when that is asked for', () => {
    expect(retryPolicy({ max: 3, interval: 0 })).toMatchObject({ intervals: [0], jitter: 0 });
  });

  it('takes text for an interval, with fractions of a second', () => {
    expect(retryPolicy({ max: 1, interval: '5m' }).intervals).toEqual([300]);
    expect(retryPolicy({ max: 1, interval: '500ms' }).intervals).toEqual([0.5]);
  });

  it('repeats the last interval of a list that is shorter than max', () => {
    expect(retryPolicy({ max: 4, interval: [10, 60] }).intervals).toEqual([10, 60, 60, 60]);
  });

  it('uses only the first max intervals of a longer list', () => {
    expect(retryPolicy({ max: 2, interval: [1, 2, 3, 4] }).intervals).toEqual([1, 2]);
  });

  it("stores no values that RQ's rule repeats by itself", () => {
    expect(retryPolicy({ max: 3, interval: [5, 5, 9] }).intervals).toEqual([5, 9]);
    expect(retryPolicy({ max: 1000, interval: 5 }).intervals).toEqual([5]);
  });

  it('grows exponentially up to a limit', () => {
    const interval = { type: 'exponential', delay: 1, max: '10s' } as const;
    expect(retryPolicy({ max: 6, interval }).intervals).toEqual([1, 2, 4, 8, 10, 10]);
    expect(
      retryPolicy({ max: 3, interval: { type: 'exponential', delay: '100ms', factor: 3 } })
        .intervals,
    ).toEqual([0.1, 0.3, 0.9]);
  });

  it('stays finite however often it grows', () => {
    const interval = { type: 'exponential', delay: 1, factor: 1e300, jitter: 0.2 } as const;
    const { intervals, jitter } = retryPolicy({ max: 1000, interval });
    expect(intervals.every((value) => Number.isFinite(value))).toBe(true);
    expect(jitter).toBe(0.2);
  });

  it('may be a window instead of a count: as many retries as fit', () => {
    expect(retryPolicy({ within: '48h', interval: '1h' })).toMatchObject({
      max: 48,
      within: 48 * 3_600_000,
    });
    expect(retryPolicy({ within: 100, interval: [10, 60] }).max).toBe(2);
    expect(retryPolicy({ within: 10, interval: [0, 0, 10] }).max).toBe(3);
    expect(retryPolicy({ within: '365d', interval: 1 }).max).toBe(1000);
  });

  it('may have a window and a count', () => {
    expect(retryPolicy({ max: 3, within: 60 })).toMatchObject({ max: 3, within: 60_000 });
  });

  it('does not change when the options change later', () => {
    const interval = [1, 2];
    const policy = retryPolicy({ max: 2, interval });
    interval[0] = 99;
    expect(policy.intervals).toEqual([1, 2]);
  });

  it('takes options without a prototype', () => {
    const options = Object.assign(Object.create(null) as RetryOptions, { max: 2 });
    expect(retryPolicy(options).max).toBe(2);
  });
});

describe("the stored list, read with RQ's rule", () => {
  it('repeats its first value, as RQ does with any list shorter than the retries left', () => {
    expect(waits(4, [1, 2])).toEqual([1, 1, 1, 2]);
    expect(waits(2, [1, 2, 3, 4])).toEqual([3, 4]);
    expect(waits(2, [])).toEqual([0, 0]);
    expect(intervalFor([1, 2], 0)).toBe(2);
  });

  it('gives what the user wrote, and is as short as possible (property)', () => {
    const next = generator(20_250_101);
    for (let round = 0; round < 3000; round += 1) {
      const max = 1 + next(12);
      const given = Array.from({ length: 1 + next(14) }, () => next(3));
      const wanted = Array.from({ length: max }, (_, index) => given[index] ?? given.at(-1)!);

      const { intervals } = retryPolicy({ max, interval: given });

      const described = { max, given, intervals };
      expect({ ...described, waits: waits(max, intervals) }).toEqual({
        ...described,
        waits: wanted,
      });
      const shorter = intervals.slice(1);
      expect(shorter.length > 0 && waits(max, shorter).join() === wanted.join()).toBe(false);
    }
  });
});

describe('an impossible retry option', () => {
  const exponential = (options: object) =>
    ({ max: 1, interval: { type: 'exponential', delay: 1, ...options } }) as unknown;

  it.each<[unknown, string]>([
    [{}, 'retry.max'],
    [{ max: 0 }, 'retry.max'],
    [{ max: -1 }, 'retry.max'],
    [{ max: 1.5 }, 'retry.max'],
    [{ max: NaN }, 'retry.max'],
    [{ max: Infinity }, 'retry.max'],
    [{ max: 1001 }, 'retry.max'],
    [{ max: '3' }, 'retry.max'],
    [{ max: null }, 'retry.max'],
    [{ max: 1, interval: null }, 'retry.interval'],
    [{ max: 1, interval: -5 }, 'retry.interval'],
    [{ max: 1, interval: 'soon' }, 'retry.interval'],
    [{ max: 1, interval: true }, 'retry.interval'],
    [{ max: 1, interval: [] }, 'retry.interval'],
    [{ max: 1, interval: Array(1001).fill(1) }, 'retry.interval'],
    [{ max: 3, interval: [1, -1] }, 'retry.interval[1]'],
    [{ max: 3, interval: [1, undefined] }, 'retry.interval[1]'],
    // A hole, which map would step over.
    [{ max: 3, interval: Object.assign([1], { length: 2 }) }, 'retry.interval[1]'],
    [{ max: 1, interval: [1, 'x'] }, 'retry.interval[1]'],
    [{ max: 1, interval: {} }, 'retry.interval.type'],
    [{ max: 1, interval: new Date(0) }, 'retry.interval.type'],
    [exponential({ type: 'linear' }), 'retry.interval.type'],
    [exponential({ base: 2 }), 'retry.interval.base'],
    [exponential({ delay: undefined }), 'retry.interval.delay'],
    [exponential({ delay: 0 }), 'retry.interval.delay'],
    [exponential({ factor: 0.5 }), 'retry.interval.factor'],
    [exponential({ factor: Infinity }), 'retry.interval.factor'],
    [exponential({ factor: null }), 'retry.interval.factor'],
    [exponential({ max: 0.5 }), 'retry.interval.max'],
    [exponential({ jitter: 1.1 }), 'retry.interval.jitter'],
    [exponential({ jitter: -0.1 }), 'retry.interval.jitter'],
    [exponential({ jitter: NaN }), 'retry.interval.jitter'],
    [{ max: 1, within: 0 }, 'retry.within'],
    [{ max: 1, within: 'long' }, 'retry.within'],
    [{ max: 1, interval: 60, within: 59 }, 'retry.within'],
    [{ within: 1 }, 'retry.within'],
    [{ within: 60, interval: 0 }, 'retry.interval'],
    [{ within: 60, interval: [5, 0] }, 'retry.interval'],
    [{ max: 1, front: 1 }, 'retry.front'],
    [{ maxx: 1 }, 'retry.maxx'],
    [{ max: 1, on: [Error] }, 'retry.on'],
    [JSON.parse('{"max": 1, "__proto__": {"front": true}}'), 'retry.__proto__'],
    [3, 'retry'],
    [true, 'retry'],
    [false, 'retry'],
    [null, 'retry'],
    [[3], 'retry'],
    ['3', 'retry'],
  ])('%j is refused as %s', (options, option) => {
    const read = () => retryPolicy(options as RetryOptions, 'queue "images"');
    expect(read).toThrow(InvalidOptionError);
    expect(read).toThrow(expect.objectContaining({ option }));
    expect(read).toThrow(new RegExp(`^queue "images": ${option.replace(/[.[\]]/g, '\\$&')} `));
  });

  it('changes no prototype', () => {
    const hostile = JSON.parse('{"type": "exponential", "delay": 1, "__proto__": {"max": 1}}');
    expect(() => retryPolicy({ max: 1, interval: hostile as IntervalOption })).toThrow(
      'retry.interval.__proto__ is not an option here',
    );
    expect(({} as { max?: number }).max).toBeUndefined();
  });
});

describe("a handler's retry options", () => {
  class TimeoutError extends Error {}

  it('are a policy, and which errors are worth a retry', () => {
    const when = (error: unknown) => error instanceof RangeError;
    const { policy, filter } = handlerRetry({
      max: 2,
      on: [TimeoutError],
      except: [TypeError],
      when,
    });
    expect(policy).toEqual(retryPolicy({ max: 2 }));
    expect(filter).toMatchObject({ on: [TimeoutError], except: [TypeError] });
    expect(filter?.when?.(new RangeError(), {})).toBe(true);
    expect(filter?.when?.(new Error(), {})).toBe(false);
  });

  it('may be an object whose predicate needs its other fields', () => {
    class Patient {
      max = 2;
      on = [TimeoutError];
      when() {
        return this.max > 1;
      }
    }
    expect(handlerRetry(new Patient()).filter?.when?.(new TimeoutError(), {})).toBe(true);
  });

  it('may be false: no retries, whatever the defaults are', () => {
    expect(handlerRetry(false)).toEqual({ policy: false, filter: undefined });
  });

  it('may leave the policy to whoever enqueues', () => {
    expect(handlerRetry({ on: [TimeoutError] }).policy).toBeUndefined();
    expect(handlerRetry({ except: [] })).toEqual({ policy: undefined, filter: { except: [] } });
  });

  it('have no filter when none is given', () => {
    expect(handlerRetry({ max: 2 }).filter).toBeUndefined();
  });

  it('take abstract, bound and built-in classes', () => {
    abstract class Failure extends Error {}
    const on = [Failure, TypeError, TimeoutError.bind(null)] as HandlerRetryOptions['on'];
    expect(() => handlerRetry({ max: 1, on })).not.toThrow();
  });

  it.each<[unknown, string]>([
    [{}, 'retry.max'],
    [{ interval: 5, on: [Error] }, 'retry.max'],
    [{ max: 1, on: Error }, 'retry.on'],
    [{ max: 1, on: [] }, 'retry.on'],
    [{ max: 1, on: ['TimeoutError'] }, 'retry.on'],
    [{ max: 1, on: [() => true] }, 'retry.on'],
    [{ max: 1, except: [undefined] }, 'retry.except'],
    [{ max: 1, except: null }, 'retry.except'],
    [{ max: 1, when: true }, 'retry.when'],
    [{ max: 1, unless: [Error] }, 'retry.unless'],
    [true, 'retry'],
  ])('%p are refused as %s', (options, option) => {
    expect(() => handlerRetry(options as HandlerRetryOptions, 'ImageJobs.processImage')).toThrow(
      expect.objectContaining({
        option,
        message: expect.stringMatching(/^ImageJobs\.processImage: /) as string,
      }),
    );
  });
});
