import { timeIn, timeOf } from '../../../lib/wire/stored-text.js';

const read = (text: string) => {
  const bytes = Buffer.from(`xx${text}yy`);
  return timeIn(bytes, 2, bytes.length - 2);
};

it('a time is the same read from bytes as from a text, whatever was read before', () => {
  const texts = [
    '2026-03-01T09:00:00.123Z',
    '2026-03-01T09:00:00.999Z',
    '2026-03-01T09:00:00.000Z',
    '2026-03-01T09:00:00.1x3Z',
    '2026-03-01T09:00:00.123X',
    '2026-03-01T09:00:01.001Z',
    '2026-03-01T09:00:01.123456Z',
    '2026-03-01T09:00:01Z',
    '2026-03-01T10:00:01.5+01:00',
    '2026-03-01 09:00:01.1234',
    '1969-12-31T23:59:59.750Z',
    '1969-12-31T23:59:59.250Z',
    '',
    'x'.repeat(24),
    'Z'.repeat(100_000),
  ];
  for (const text of [...texts, ...texts.toReversed()])
    expect([text, read(text)]).toEqual([text, timeOf(text)]);
});
