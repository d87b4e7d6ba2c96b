import { readRoomRule } from '../../../lib/job/length-options.js';

it('says how many jobs a queue may hold, and whether a call waits', () => {
  expect(readRoomRule({}, 'here')).toBeUndefined();
  expect(readRoomRule({ maxLength: {} }, 'here')).toBeUndefined();
  expect(readRoomRule({ maxLength: { total: 5 } }, 'here')).toEqual({ most: 5, waits: false });
  const whenFull = 'wait';
  expect(readRoomRule({ maxLength: { total: 5 }, whenFull }, 'here')).toEqual({
    most: 5,
    waits: true,
  });
});

it.each<[object, RegExp]>([
  [{ maxLength: 5 }, /here: maxLength must be an object/],
  [{ maxLength: { total: 0 } }, /maxLength.total must be a whole number of at least 1/],
  [{ maxLength: { totl: 5 } }, /maxLength.totl is not an option here/],
  [{ maxLength: { total: 5 }, whenFull: 'drop' }, /whenFull must be 'reject' or 'wait'/],
  [{ whenFull: 'wait' }, /whenFull says what happens at a full queue: give maxLength/],
])('refuses %j', (options, message) => {
  expect(() => readRoomRule(options, 'here')).toThrow(message);
});
