import {
  type Duration,
  formatDuration,
  InvalidOptionError,
  toMilliseconds,
  toWholeSeconds,
} from '../../../lib/job/index.js';

describe('a duration', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [30, 30_000],
    [0.5, 500],
    [1.1, 1100],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
  ])('%j is %d ms', (given, expected) => {
    expect(toMilliseconds(given, 'delay')).toBe(expected);
  });

  it('is in seconds, as everywhere in RQ, when it is a number', () => {
    expect(toMilliseconds(30, 'delay')).toBe(30_000);
    expect(toMilliseconds('1234ms', 'delay')).toBe(1234);
  });

  it('keeps a fraction to the millisecond', () => {
    expect(toMilliseconds(0.12345, 'delay')).toBe(123);
  });

  it('never becomes zero when it is above zero', () => {
    expect(toMilliseconds(0.0000001, 'delay')).toBe(1);
    expect(toMilliseconds(-0, 'delay')).toBe(0);
  });

  it('is rounded up to the whole seconds that RQ stores, so that nothing ends early', () => {
    expect(toWholeSeconds('1ms', 'ttl')).toBe(1);
    expect(toWholeSeconds(2, 'ttl')).toBe(2);
    expect(toWholeSeconds(2.001, 'ttl')).toBe(3);
    expect(toWholeSeconds(0, 'ttl')).toBe(0);
  });

  it.each([
    -1,
    -0.001,
    NaN,
    Infinity,
    -Infinity,
    1e300,
    '',
    '5',
    's',
    '-5s',
    '5 s',
    '5sec',
    '5S',
    '1e3s',
    '1.s',
    '.5s',
    '5s ',
    '5s\n',
    '1m30s',
    `${'9'.repeat(400)}s`,
    null,
    undefined,
    true,
    5n,
    [5],
    {},
    new Date(0),
    Symbol('5s'),
  ])('refuses %p, naming the option and the place', (given) => {
    const read = () => toMilliseconds(given as Duration, 'retry.interval', 'queue "images"');
    expect(read).toThrow(InvalidOptionError);
    expect(read).toThrow(/^queue "images": retry\.interval must /);
    expect(() => toMilliseconds(given as Duration, 'delay')).toThrow(/^delay must /);
    expect(() => toWholeSeconds(given as Duration, 'ttl')).toThrow(/^ttl must /);
  });

  it('is at most a hundred years, so that no date overflows', () => {
    expect(toMilliseconds('36500d', 'ttl')).toBe(36_500 * 86_400_000);
    expect(() => toMilliseconds('36501d', 'ttl')).toThrow('ttl must be at most a hundred years');
  });
});

describe('a duration in a log line', () => {
  it.each([
    [0, '0ms'],
    [-5, '0ms'],
    [250, '250ms'],
    [999.6, '1s'],
    [1500, '1.5s'],
    [5000, '5s'],
    [59_999, '59.999s'],
    [60_000, '1m'],
    [90_000, '1m 30s'],
    [3_600_000, '1h'],
    [3_659_000, '1h'],
    [5_400_000, '1h 30m'],
    [86_400_000, '1d'],
    [183_600_000, '2d 3h'],
    [1_209_600_000, '14d'],
  ])('of %d ms reads %j', (milliseconds, expected) => {
    expect(formatDuration(milliseconds)).toBe(expected);
  });
});
