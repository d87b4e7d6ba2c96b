import { decodeMeta as decodeMetaWithin } from '../../../lib/wire/meta.js';

const decodeMeta = (meta: Buffer | null | undefined) => decodeMetaWithin(meta, 10_000);

/** The pickle that RQ's own tools make of JSON meta: `{'unserialized': b'...'}` by protocol 5. */
function pickled(json: string): Buffer {
  const bytes = Buffer.from(json);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  const opcode =
    bytes.length < 256
      ? Buffer.from([0x43, bytes.length])
      : Buffer.concat([Buffer.from([0x42]), length]);
  const body = Buffer.concat([
    Buffer.from([0x7d, 0x94, 0x8c, 0x0c]),
    Buffer.from('unserialized'),
    Buffer.from([0x94]),
    opcode,
    bytes,
    Buffer.from([0x94, 0x73, 0x2e]),
  ]);
  const frame = Buffer.alloc(8);
  frame.writeBigUInt64LE(BigInt(body.length));
  return Buffer.concat([Buffer.from([0x80, 0x05, 0x95]), frame, body]);
}

describe("a job's meta", () => {
  it('is read as JSON', () => {
    expect(decodeMeta(Buffer.from('{"user": 7, "tags": ["a"]}'))).toEqual({
      user: 7,
      tags: ['a'],
    });
    expect(decodeMeta(Buffer.from('{"ratio": NaN}'))).toEqual({ ratio: null });
  });

  it('is empty when it is longer than the limit', () => {
    const meta = Buffer.from('{"user": 7}');
    expect(decodeMetaWithin(meta, meta.length)).toEqual({ user: 7 });
    expect(decodeMetaWithin(meta, meta.length - 1)).toEqual({});
  });

  it('is empty when there is none', () => {
    expect(decodeMeta(null)).toEqual({});
    expect(decodeMeta(undefined)).toEqual({});
    expect(decodeMeta(Buffer.alloc(0))).toEqual({});
  });

  it('is recovered from the pickle that `rq info` makes of it', () => {
    // As Python 3.11 writes pickle.dumps({'unserialized': b'{"a": 1}'}), byte for byte.
    const bytes = Buffer.from(
      '8005951e000000000000007d948c0c756e73657269616c697a65649443087b2261223a20317d94732e',
      'hex',
    );
    expect(decodeMeta(bytes)).toEqual({ a: 1 });
    expect(decodeMeta(pickled('{"a": 1}'))).toEqual({ a: 1 });
  });

  it('is recovered from a long one, too', () => {
    const meta = { text: 'x'.repeat(1000) };
    expect(decodeMeta(pickled(JSON.stringify(meta)))).toEqual(meta);
    const atLimit = { t: 'x'.repeat(255 - '{"t":""}'.length) };
    expect(decodeMeta(pickled(JSON.stringify(atLimit)))).toEqual(atLimit);
  });

  it.each([
    ['another pickle', Buffer.from('80049503000000000000008c0161942e', 'hex')],
    ['only the head of a pickle', Buffer.from([0x80])],
    ['a pickle that breaks off in the key', pickled('{"a": 1}').subarray(0, 20)],
    ['a pickle that breaks off after the key', pickled('{"a": 1}').subarray(0, 28)],
    ['a pickle that breaks off in the value', pickled('{"a": 1}').subarray(0, 33)],
    ['a long pickle that breaks off', pickled(`{"a": "${'x'.repeat(999)}"}`).subarray(0, 31)],
    ['a pickle with something else inside', pickled('no JSON')],
    ['no JSON', Buffer.from('hello')],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00])],
    ['a list', Buffer.from('[1]')],
    ['a number', Buffer.from('1')],
    ['null', Buffer.from('null')],
  ])('%s counts as empty', (_, meta) => {
    expect(decodeMeta(meta)).toEqual({});
  });
});
