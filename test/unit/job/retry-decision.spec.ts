import {
  decideRetry,
  decideReturnedRetry,
  type FailedAttempt,
  FailJob,
  Retry,
  type RetryFilter,
  RetryJob,
  retryPolicy,
  withNonRetryable,
} from '../../../lib/job/index.js';

class TimeoutError extends Error {}
class ValidationError extends Error {}

const NOW = 1_000_000;

function decide(given: Partial<FailedAttempt>) {
  return decideRetry({
    error: new Error('boom'),
    policy: retryPolicy({ max: 3, interval: [10, 60] }),
    retriesLeft: undefined,
    filter: undefined,
    job: {},
    firstEnqueuedAt: undefined,
    now: NOW,
    random: () => 0.5,
    ...given,
  });
}

const again = (delay: number, front = false) => ({ retry: true, delay, front });
const never = (why: RegExp, exhausted = false) => ({
  retry: false,
  why: expect.stringMatching(why) as string,
  exhausted,
});
/** It had retries, and they are used up. */
const exhausted = (why: RegExp) => never(why, true);

describe('a failed attempt', () => {
  it('is retried after the interval of its turn, in milliseconds', () => {
    expect(decide({})).toEqual(again(10_000));
    expect(decide({ retriesLeft: 3 })).toEqual(again(10_000));
    expect(decide({ retriesLeft: 2 })).toEqual(again(60_000));
    expect(decide({ retriesLeft: 1 })).toEqual(again(60_000));
  });

  it('is not retried when no retry is left', () => {
    expect(decide({ retriesLeft: 0 })).toEqual(exhausted(/no retries are left/));
  });

  it('is not retried without a policy', () => {
    expect(decide({ policy: undefined })).toEqual(never(/no retry policy/));
    expect(decide({ policy: undefined, error: new RetryJob() })).toEqual(never(/no retry policy/));
  });

  it('goes to the head of the queue when the policy says so', () => {
    expect(decide({ policy: retryPolicy({ max: 1, interval: 0, front: true }) })).toEqual(
      again(0, true),
    );
  });

  it.each([
    [0, 8000],
    [0.5, 10_000],
    [0.999_999, 12_000],
  ])('has its interval spread by the jitter (random %d)', (random, delay) => {
    const interval = { type: 'exponential', delay: 10, jitter: 0.2 } as const;
    const policy = retryPolicy({ max: 1, interval });
    expect(decide({ policy, random: () => random })).toEqual(again(delay));
  });

  it.each([
    [0, 8000],
    [0.5, 9000],
    [1, 10_000],
  ])('is spread below the longest interval, never above it (random %d)', (random, delay) => {
    const interval = { type: 'exponential', delay: 10, max: 10, jitter: 0.2 } as const;
    const policy = retryPolicy({ max: 5, interval });
    expect(decide({ policy, random: () => random })).toEqual(again(delay));
    const retry = Retry({ max: 5, interval });
    expect(decideReturnedRetry({ retry, done: 3, random: () => random })).toEqual(again(delay));
  });

  it('never waits for longer than a hundred years, whatever is stored', () => {
    const policy = { max: 1, intervals: [36_500 * 86_400], jitter: 1, front: false };
    expect(decide({ policy, random: () => 1 })).toEqual(again(36_500 * 86_400_000));
  });

  it('never waits for less than nothing', () => {
    const policy = { max: 1, intervals: [10], jitter: 1, front: false };
    expect(decide({ policy, random: () => 0 })).toEqual(again(0));
  });
});

describe('the window of a policy', () => {
  const policy = retryPolicy({ max: 100, interval: 10, within: 60 });

  it('is counted from the first enqueue', () => {
    expect(decide({ policy, firstEnqueuedAt: NOW - 50_000 })).toEqual(again(10_000));
    expect(decide({ policy, firstEnqueuedAt: NOW - 50_001 })).toEqual(
      exhausted(/later than 1m after the enqueue/),
    );
  });

  it('begins now when the first enqueue is not known', () => {
    expect(decide({ policy })).toEqual(again(10_000));
  });

  it('also holds for a retry the handler asked for', () => {
    expect(decide({ policy, error: new RetryJob({ in: 61 }) })).toEqual(exhausted(/later than 1m/));
  });
});

describe("a handler's filter", () => {
  it('on: only these errors and their subclasses are retried', () => {
    class SlowError extends TimeoutError {}
    const filter = { on: [TimeoutError] };
    expect(decide({ filter, error: new SlowError() })).toEqual(again(10_000));
    expect(decide({ filter })).toEqual(never(/^retry\.on names only TimeoutError$/));
  });

  it('except: these errors are not, and it wins over on', () => {
    const filter = { on: [Error], except: [ValidationError] };
    expect(decide({ filter })).toEqual(again(10_000));
    expect(decide({ filter, error: new ValidationError() })).toEqual(
      never(/^retry\.except names ValidationError$/),
    );
  });

  it('nonRetryable errors are not retried, but the others are as ever', () => {
    class TooLongError extends ValidationError {}
    const filter = withNonRetryable(undefined, [ValidationError]);
    expect(decide({ filter, error: new TooLongError() })).toEqual(
      never(/^ValidationError is not worth a retry unless retry\.on or retry\.except says so$/),
    );
    expect(decide({ filter })).toEqual(again(10_000));
    expect(decide({ filter, error: new RetryJob() })).toEqual(again(10_000));
  });

  it('on and except say themselves what is nonRetryable, when does not', () => {
    const error = new ValidationError();
    const withDefault = (filter: RetryFilter) => withNonRetryable(filter, [ValidationError]);
    expect(decide({ filter: withDefault({ except: [] }), error })).toEqual(again(10_000));
    expect(decide({ filter: withDefault({ on: [Error] }), error })).toEqual(again(10_000));
    expect(decide({ filter: withDefault({ when: () => true }), error })).toEqual(
      never(/^ValidationError is not worth/),
    );
  });

  it('when: is asked with the error and the job, after on and except', () => {
    const job = { id: 'j1' };
    const error = new TimeoutError();
    const asked: unknown[][] = [];
    const when = (...args: unknown[]) => {
      asked.push(args);
      return asked.length > 1;
    };
    expect(decide({ filter: { when }, error, job })).toEqual(never(/retry\.when returned false/));
    expect(decide({ filter: { when }, error, job })).toEqual(again(10_000));
    expect(decide({ filter: { when, on: [TypeError] }, error, job })).toEqual(never(/retry\.on/));
    expect(asked).toEqual([
      [error, job],
      [error, job],
    ]);
  });

  it('that breaks fails the job instead of trying for ever, and says so', async () => {
    const broken = () => {
      throw new Error('bug');
    };
    const late = (() => Promise.reject(new Error('bug'))) as unknown as () => boolean;
    const sloppy = (() => 'yes') as unknown as () => boolean;
    expect(decide({ filter: { when: broken } })).toEqual(never(/retry\.when threw/));
    expect(decide({ filter: { when: late } })).toEqual(never(/must not be async/));
    expect(decide({ filter: { when: sloppy } })).toEqual(never(/did not return true or false/));
    // An unhandled rejection would end the test run here.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it.each([undefined, null, 'boom', 5, Object.freeze({})])('stands a thrown %p', (error) => {
    expect(decide({ error })).toEqual(again(10_000));
    expect(decide({ error, filter: { on: [TimeoutError] } })).toEqual(never(/retry\.on/));
    expect(decide({ error, filter: { except: [TimeoutError] } })).toEqual(again(10_000));
  });

  it('stands a thrown proxy that does not tell its class', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(decide({ error: proxy, filter: { on: [TimeoutError] } })).toEqual(never(/retry\.on/));
  });
});

describe('RetryJob', () => {
  it('is retried whatever the filter says', () => {
    const filter = { on: [TimeoutError], except: [Error], when: () => false };
    expect(decide({ filter, error: new RetryJob() })).toEqual(again(10_000));
  });

  it('spends a retry: none left, none made', () => {
    expect(decide({ error: new RetryJob({ in: 5 }), retriesLeft: 0 })).toEqual(
      exhausted(/no retries are left/),
    );
  });

  it('overrides interval and place, exactly, without jitter', () => {
    const interval = { type: 'exponential', delay: 10, jitter: 1 } as const;
    const policy = retryPolicy({ max: 1, interval, front: true });
    const given = { policy, random: () => 0 };
    expect(decide({ ...given, error: new RetryJob({ in: '30s' }) })).toEqual(again(30_000, true));
    expect(decide({ ...given, error: new RetryJob({ in: 0, front: false }) })).toEqual(again(0));
  });
});

describe('FailJob', () => {
  it('is never retried', () => {
    expect(decide({ error: new FailJob('gone') })).toEqual(never(/FailJob/));
  });
});

describe('a returned Retry', () => {
  const returned = (done: number, options: Parameters<typeof Retry>[0], random = 0.5) =>
    decideReturnedRetry({ retry: Retry(options), done, random: () => random });

  it('takes the interval of its turn and repeats the last one', () => {
    const options = { max: 4, interval: [1, 2] };
    expect([0, 1, 2, 3].map((done) => returned(done, options))).toEqual([
      again(1000),
      again(2000),
      again(2000),
      again(2000),
    ]);
  });

  it('ends when as many retries were made as the returned max', () => {
    expect(returned(1, { max: 1 })).toEqual(exhausted(/all 1 retries are used/));
    // The handler may return another max each time.
    expect(returned(5, { max: 2, interval: 5 })).toEqual(exhausted(/all 2 retries are used/));
  });

  it('has jitter, too', () => {
    const interval = { type: 'exponential', delay: 10, jitter: 0.5 } as const;
    expect(returned(0, { max: 1, interval }, 0)).toEqual(again(5000));
  });
});
