import {
  InvalidOptionError,
  duration,
  durationAboveZero,
  either,
  flag,
  numberAboveZero,
  oneOf,
  optionTable,
  optional,
  otherwise,
  readOptions,
  unchecked,
  wholeNumber,
} from '../../../lib/job/index.js';

interface Options {
  count?: number;
  order?: 'a' | 'b' | 'c';
  wait?: string | number;
  longer?: string | number;
  share?: number;
  mode?: 'on' | 'off';
  isOn?: boolean;
  other?: object;
}

const TABLE = optionTable<Options>()({
  count: otherwise(3, wholeNumber(1)),
  order: otherwise('a', oneOf('a', 'b', 'c')),
  wait: optional(duration),
  longer: otherwise('1s', durationAboveZero),
  share: optional(numberAboveZero),
  mode: optional(either('on', 'off')),
  isOn: flag,
  other: unchecked<object | undefined>(),
});

describe('a table of options', () => {
  it('has what holds where nothing is given', () => {
    expect(readOptions({}, TABLE, 'here')).toEqual({
      count: 3,
      order: 'a',
      wait: undefined,
      longer: 1000,
      share: undefined,
      mode: undefined,
      isOn: false,
      other: undefined,
    });
  });

  it('gives each value in the form in which it is used, of the type that its rule says', () => {
    const other = {};
    const given = { count: 1, order: 'c', wait: '2s', longer: 1, mode: 'off', isOn: true, other };
    const read = readOptions(given, TABLE, undefined);
    const order: 'a' | 'b' | 'c' = read.order;
    const wait: number | undefined = read.wait;
    expect({ ...read, order, wait }).toEqual({ ...given, wait: 2000, longer: 1000 });
    expect(read.other).toBe(other);
  });

  it.each<[unknown, string, string]>([
    [null, 'options', 'must be an object with the keys count, order, '],
    [{ cuont: 1 }, 'cuont', 'is not an option here. Known: count, order, '],
    [{ constructor: 1 }, 'constructor', 'is not an option here'],
    [{ count: 0 }, 'count', 'must be a whole number of at least 1, got 0'],
    [{ count: null }, 'count', 'must be a whole number of at least 1, got null'],
    [{ order: 'd' }, 'order', `must be one of 'a', 'b', 'c', got "d"`],
    [{ wait: -1 }, 'wait', 'must not be negative'],
    [{ longer: 0 }, 'longer', 'must be above 0, got 0'],
    [{ share: Infinity }, 'share', 'must be a number above 0'],
    [{ mode: true }, 'mode', "must be 'on' or 'off', got true"],
    [{ isOn: 'yes' }, 'isOn', 'must be true or false'],
  ])('refuses %j, naming the key and the place', (given, option, problem) => {
    const read = () => readOptions(given, TABLE, 'here');
    expect(read).toThrow(InvalidOptionError);
    expect(read).toThrow(`here: ${option} ${problem}`);
  });

  it('names the path of keys within keys', () => {
    expect(() => readOptions({ count: 0 }, TABLE, 'here', 'list[1]')).toThrow(
      expect.objectContaining({ option: 'list[1].count' }),
    );
  });
});
