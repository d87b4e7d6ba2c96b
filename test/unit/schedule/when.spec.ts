import { InvalidOptionError } from '../../../lib/job/index.js';
import {
  type When,
  decodeWhen,
  encodeWhen,
  gridOf,
  readWhen,
} from '../../../lib/schedule/index.js';

const WHERE = '@Schedule on Reports.daily in ReportsModule';
const at = (text: string) => Date.parse(text);
const next = (when: When, after: string) =>
  new Date(gridOf(readWhen(when, 'when', WHERE)).next(at(after)) ?? NaN).toISOString();

describe('when a schedule is due', () => {
  it.each<[When, string, string]>([
    ['0 9 * * 1-5', '2026-11-27T09:00:00Z', '2026-11-30T09:00:00.000Z'],
    ['30 0 9 * * *', '2026-11-27T09:00:00Z', '2026-11-27T09:00:30.000Z'],
    ['@daily', '2026-11-27T09:00:00Z', '2026-11-28T00:00:00.000Z'],
    ['0 0 L * *', '2026-11-27T09:00:00Z', '2026-11-30T00:00:00.000Z'],
    ['0 0 29 2 *', '2026-11-27T09:00:00Z', '2028-02-29T00:00:00.000Z'],
    [
      { cron: '0 9 * * *', tz: 'Europe/Berlin' },
      '2026-07-01T00:00:00Z',
      '2026-07-01T07:00:00.000Z',
    ],
    [{ every: '5m' }, '2026-11-27T09:01:00Z', '2026-11-27T09:05:00.000Z'],
    [{ every: 1.5 }, '1970-01-01T00:00:01.500Z', '1970-01-01T00:00:03.000Z'],
  ])('%j, after %s: %s', (when, after, expected) => {
    expect(next(when, after)).toBe(expected);
  });

  it('is in UTC unless it says otherwise, whatever zone the machine is in', () => {
    expect(readWhen('0 9 * * *', 'when', WHERE)).toEqual({ cron: '0 9 * * *', tz: 'UTC' });
    expect(readWhen('0 9 * * *', 'when', WHERE, 'Asia/Tokyo')).toMatchObject({ tz: 'Asia/Tokyo' });
  });

  it.each<[string, unknown, RegExp]>([
    ['no expression', 'every day', /when must be a cron expression/],
    ['too few fields', '0 9 * *', /when must be a cron expression/],
    ['seven fields', '0 0 9 * * * 2027', /when must be a cron expression/],
    ['a field out of range', '61 9 * * *', /when is not a cron expression that can be read \(.*61/],
    ['a range backwards', '5-2 * * * *', /when is not a cron expression that can be read/],
    ['an event of the machine', '@reboot', /when must be a cron expression/],
    ['a single date', '2030-01-01T00:00:00', /when must be a cron expression/],
    ['a date that never comes', '0 0 30 2 *', /when never comes/],
    ['an unknown zone', { cron: '0 9 * * *', tz: 'Europe/Bärlin' }, /when\.tz must be a time zone/],
    ['a zone by its distance', { cron: '0 9 * * *', tz: '+02:00' }, /when\.tz must be a time zone/],
    ['both ways', { cron: '0 9 * * *', every: 5 }, /when must be a cron expression/],
    ['neither', {}, /when must be a cron expression/],
    ['a misspelt key', { every: '5m', timezone: 'UTC' }, /when\.timezone is not an option here/],
    ['no duration', { every: 'often' }, /when\.every must be a duration/],
    ['less than a second', { every: '500ms' }, /when\.every must be at least a second/],
    ['nothing', undefined, /when must be a cron expression/],
  ])('is refused when it is %s', (_, when, problem) => {
    const read = () => readWhen(when, 'when', WHERE);
    expect(read).toThrow(InvalidOptionError);
    expect(read).toThrow(problem);
    expect(read).toThrow(WHERE);
  });

  it('takes a zone once', () => {
    const read = (when: unknown) => () => readWhen(when, 'when', WHERE, 'UTC');
    expect(read({ cron: '0 9 * * *', tz: 'UTC' })).toThrow(/tz stands in when and in the options/);
    expect(read({ every: '5m' })).toThrow(/tz is for cron expressions/);
  });

  it('comes back out of its stored text, and what nobody can read does not', () => {
    for (const when of ['0 9 * * 1-5', { every: '90s' }]) {
      const read = readWhen(when, 'when', WHERE);
      expect(decodeWhen(encodeWhen(read))).toEqual(read);
    }
    for (const text of [undefined, '', 'null', '{}', '{"every":-1}', '{"cron":"x","tz":"UTC"}']) {
      expect(decodeWhen(text)).toBeUndefined();
    }
  });
});
