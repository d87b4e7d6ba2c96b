import { BOUNDS, decodeFigures, placeOfDuration } from '../../../lib/wire/figures.js';

describe('numbers as Redis packs them', () => {
  it('are read, whatever their size', () => {
    // prettier-ignore
    const bytes = [
      0x87, 10, 0x7f, 11, 0xcc, 0xff, 12, 0xcd, 0x01, 0x00, 13, 0xce, 0, 1, 0, 0,
      14, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 15, 0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0, 16, 0xff,
    ];
    expect(Object.fromEntries(decodeFigures(Buffer.from(bytes)))).toEqual({
      10: 127,
      11: 255,
      12: 256,
      13: 65_536,
      14: 2 ** 32,
      15: 0.5,
      16: -1,
    });
  });

  it.each([
    ['nothing', []],
    ['a list', [0x90]],
    ['a text for a number', [0x81, 10, 0xa1, 0x61]],
    ['half a number', [0x81, 10, 0xcd, 1]],
  ])('are none in %s', (_, bytes) => expect(decodeFigures(Buffer.from(bytes)).size).toBe(0));
});

it('a duration stands at the first bound that it does not exceed', () => {
  expect([0, 1, 1.5, 2, 600, 3_600_000, 1e9].map(placeOfDuration)).toEqual([0, 0, 1, 1, 9, 18, 19]);
  expect(BOUNDS.toSorted((one, other) => one - other)).toEqual([...BOUNDS]);
});
