import { decodeClaims } from '../../../lib/wire/claim.js';

/** MessagePack as Redis's Lua writes it. */
function packed(value: unknown): Buffer {
  if (value === false) return Buffer.from([0xc2]);
  if (value === true) return Buffer.from([0xc3]);
  if (Array.isArray(value)) {
    const head = Buffer.alloc(value.length < 16 ? 1 : 3);
    if (value.length < 16) head[0] = 0x90 + value.length;
    else {
      head[0] = 0xdc;
      head.writeUInt16BE(value.length, 1);
    }
    return Buffer.concat([head, ...value.map(packed)]);
  }
  const text = Buffer.from(String(value));
  const { length } = text;
  const head = Buffer.alloc(length < 32 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5);
  if (length < 32) head[0] = 0xa0 + length;
  else if (length < 256) head.set([0xd9, length]);
  else if (length < 65_536) {
    head[0] = 0xda;
    head.writeUInt16BE(length, 1);
  } else {
    head[0] = 0xdb;
    head.writeUInt32BE(length, 1);
  }
  return Buffer.concat([head, text]);
}

describe('the claimed jobs of one answer', () => {
  it('are none in an empty one', () => {
    expect(decodeClaims(Buffer.alloc(0), [])).toEqual([]);
  });

  it.each([0, 1, 31, 32, 255, 256, 65_535, 65_536])('have fields of %d bytes', (length) => {
    const text = 'ä'.repeat(length / 2) + 'x'.repeat(length % 2);
    const [job] = decodeClaims(packed([[false, text, 'next']]), []);
    expect(job?.has(0)).toBe(false);
    expect(job?.text(0)).toBeUndefined();
    expect(job?.bytes(0)).toBeUndefined();
    expect(job?.has(1)).toBe(true);
    expect(job?.text(1)).toBe(text);
    expect(job?.bytes(1)).toEqual(Buffer.from(text));
    expect(job?.text(2)).toBe('next');
    // Further fields that did not travel.
    expect(job?.has(15)).toBe(false);
  });

  it('have as many fields as they came with, whatever the others have', () => {
    const fields = (count: number, job: string) =>
      Array.from({ length: count }, (_, field) => (field === 3 ? false : `${job}${field}`));
    const jobs = [
      fields(10, 'a'),
      fields(30, 'b'),
      fields(22, 'c'),
      fields(2, 'd'),
      fields(10, 'e'),
    ];
    const decoded = decodeClaims(packed(jobs), []);
    for (const [index, job] of decoded.entries()) {
      const texts = Array.from({ length: 40 }, (_, field) => job.text(field) ?? false);
      const expected = jobs[index] ?? [];
      expect(texts).toEqual([...expected, ...Array(40 - expected.length).fill(false)]);
    }
  });

  it('may be many, each with its own long data', () => {
    const count = 200;
    const jobs = Array.from({ length: count }, (_, index) => [
      false,
      index % 2 === 0 ? true : `short ${index}`,
      `id-${index}`,
    ]);
    const long = Array.from({ length: count / 2 }, (_, index) => Buffer.from([index, 0xff, 0]));
    const decoded = decodeClaims(packed(jobs), long);
    expect(decoded).toHaveLength(count);
    for (const [index, job] of decoded.entries()) {
      expect(job.text(2)).toBe(`id-${index}`);
      expect(job.has(1)).toBe(true);
      const expected = index % 2 === 0 ? long[index / 2] : Buffer.from(`short ${index}`);
      expect(job.bytes(1)).toEqual(expected);
    }
  });

  it.each([
    ['0', 0],
    ['180', 180],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', undefined],
    ['', undefined],
    ['3m', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    [' 1', undefined],
    [false, undefined],
    [true, undefined],
  ])('have %p as the number %p', (value, number) => {
    const [job] = decodeClaims(packed([[value]]), [Buffer.from('5')]);
    expect(job?.digits(0)).toBe(number);
  });

  it('tell how they begin, when they are there and not too long', () => {
    const [job] = decodeClaims(packed([['[1]', false, true, '']]), [Buffer.from('[2]')]);
    const begins = (field: number, most: number) => job?.isShort(field, most, '['.charCodeAt(0));
    expect([begins(0, 3), begins(0, 2), begins(1, 3), begins(2, 3), begins(3, 3)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
