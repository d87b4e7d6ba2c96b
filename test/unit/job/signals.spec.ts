import {
  CancelJob,
  FailJob,
  InvalidOptionError,
  isCancelJob,
  isFailJob,
  isRetryJob,
  isReturnedRetry,
  isSnoozeJob,
  Retry,
  ReturnedRetry,
  RetryJob,
  SnoozeJob,
} from '../../../lib/job/index.js';

const guards = { isRetryJob, isSnoozeJob, isFailJob, isCancelJob, isReturnedRetry };

function recognised(value: unknown): string[] {
  return Object.entries(guards)
    .filter(([, guard]) => guard(value))
    .map(([name]) => name);
}

describe('what a handler throws', () => {
  it.each([
    [new RetryJob(), 'isRetryJob'],
    [new SnoozeJob({ for: 30 }), 'isSnoozeJob'],
    [new FailJob('gone'), 'isFailJob'],
    [new CancelJob('obsolete'), 'isCancelJob'],
  ])('%p is an error and is recognised as itself only', (signal, guard) => {
    expect(signal).toBeInstanceOf(Error);
    expect(signal.name).toBe(signal.constructor.name);
    expect(signal.stack).toMatch(new RegExp(`^${signal.name}: `));
    expect(recognised(signal)).toEqual([guard]);
  });

  it('is recognised when it comes from another copy of the package', () => {
    const foreign = Object.assign(new Error('gone'), { [Symbol.for('nestjs-rq.signal')]: 'fail' });
    expect(recognised(foreign)).toEqual(['isFailJob']);
  });

  it('is recognised when it is a subclass', () => {
    class Throttled extends SnoozeJob {
      constructor() {
        super({ for: 60 });
      }
    }
    expect(recognised(new Throttled())).toEqual(['isSnoozeJob']);
    expect(new Throttled().name).toBe('Throttled');
  });

  it('is recognised when it is frozen', () => {
    expect(recognised(Object.freeze(new RetryJob()))).toEqual(['isRetryJob']);
  });

  it.each([
    undefined,
    null,
    'RetryJob',
    5,
    {},
    new Error('RetryJob'),
    JSON.parse('{"nestjs-rq.signal": "retry"}'),
    () => 'retry',
  ])('%p is no signal', (value) => {
    expect(recognised(value)).toEqual([]);
  });

  it('may be an object that throws when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(recognised(proxy)).toEqual([]);
  });
});

describe('RetryJob', () => {
  it('waits as long as the policy says unless told otherwise', () => {
    expect(new RetryJob()).toMatchObject({ delay: undefined, front: undefined });
    expect(new RetryJob({ in: '1m', front: true })).toMatchObject({ delay: 60_000, front: true });
    expect(new RetryJob({ in: 0 }).delay).toBe(0);
  });

  it('tells its reason and keeps the error behind it', () => {
    const cause = new Error('503');
    const retry = new RetryJob({ reason: 'the server is busy', cause });
    expect(retry.message).toBe('the server is busy');
    expect(retry.cause).toBe(cause);
    expect(new RetryJob()).not.toHaveProperty('cause');
  });

  it.each([
    [{ in: -1 }, /^RetryJob\.in must not be negative/],
    [{ in: 'soon' }, /^RetryJob\.in must be a duration/],
    [{ front: 'yes' }, /^RetryJob\.front must be true or false/],
    [{ delay: 5 }, /^RetryJob\.delay is not an option/],
    [null, /^RetryJob must be an object/],
    [30, /^RetryJob must be an object/],
  ])('refuses %j', (options, message) => {
    expect(() => new RetryJob(options as never)).toThrow(InvalidOptionError);
    expect(() => new RetryJob(options as never)).toThrow(message);
  });
});

describe('SnoozeJob', () => {
  it('says for how long', () => {
    expect(new SnoozeJob({ for: '30s' }).delay).toBe(30_000);
  });

  it.each([
    [undefined, /^SnoozeJob must be an object/],
    [{}, /^SnoozeJob\.for must be a duration/],
    [{ for: 0 }, /^SnoozeJob\.for must be above 0/],
    [{ in: 30 }, /^SnoozeJob\.in is not an option/],
  ])('refuses %j', (options, message) => {
    expect(() => new SnoozeJob(options as never)).toThrow(message);
  });
});

describe('FailJob and CancelJob', () => {
  it('carry the reason', () => {
    const cause = new Error('404');
    expect(new FailJob('gone', { cause })).toMatchObject({ message: 'gone', cause });
    expect(new CancelJob('obsolete').message).toBe('obsolete');
    expect(new FailJob().message).not.toBe('');
    expect(new CancelJob().message).not.toBe('');
  });
});

describe('a returned Retry', () => {
  it('is recognised, and is no error', () => {
    const retry = Retry({ max: 3, interval: [10, '1m'] });
    expect(retry).toBeInstanceOf(ReturnedRetry);
    expect(retry).not.toBeInstanceOf(Error);
    expect(recognised(retry)).toEqual(['isReturnedRetry']);
    expect(retry).toMatchObject({ max: 3, intervals: [10, 60, 60], jitter: 0 });
  });

  it('is at once by default', () => {
    expect(Retry({ max: 2 }).intervals).toEqual([0, 0]);
  });

  it.each([
    [undefined, /^Retry must be an object/],
    [{}, /^Retry\.max must be a whole number/],
    [{ max: 0 }, /^Retry\.max must be a whole number/],
    [{ max: 1, interval: -1 }, /^Retry\.interval must not be negative/],
    [{ max: 1, interval: [1, 'x'] }, /^Retry\.interval\[1\] must be a duration/],
    [{ max: 1, front: true }, /^Retry\.front is not an option/],
  ])('refuses %j', (options, message) => {
    expect(() => Retry(options as never)).toThrow(InvalidOptionError);
    expect(() => Retry(options as never)).toThrow(message);
  });
});
