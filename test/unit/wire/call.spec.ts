import { deflateSync } from 'node:zlib';
import { PayloadTooLargeError, UnserializableDataError } from '../../../lib/job/index.js';
import {
  assertSize,
  decodeCall,
  encodeCall,
  encodePayload,
  payloadOf,
  toJson,
} from '../../../lib/wire/call.js';

const LIMIT = 1024 * 1024;

function decode(data: string | Buffer, limit = LIMIT) {
  return decodeCall('id1', Buffer.isBuffer(data) ? data : Buffer.from(data), limit);
}

describe('what we write', () => {
  it("is RQ's array of function, instance, args and kwargs", () => {
    expect(encodePayload('images', 'resize', { path: 'a.png' })).toBe(
      '["resize",null,[{"path":"a.png"}],{}]',
    );
    expect(encodePayload('images', 'resize', undefined)).toBe('["resize",null,[],{}]');
    expect(encodePayload('images', 'resize', null)).toBe('["resize",null,[null],{}]');
    expect(encodeCall('images', { name: 'tasks.add', args: [1, 'b'], kwargs: { c: true } })).toBe(
      '["tasks.add",null,[1,"b"],{"c":true}]',
    );
  });

  it.each(['plain', 'with "quotes"', '日本 🎈', '__proto__', 'a\\b'])(
    'comes back as it was: name %j',
    (name) => {
      const data = { name, list: [0, '', false, null], nested: { a: { b: [] } } };
      expect(decode(encodePayload('q', name, data))).toEqual({ name, args: [data], kwargs: {} });
    },
  );

  it('refuses what is no JSON, naming the job and the queue but not the data', () => {
    const ring: Record<string, unknown> = { secret: 'hunter2' };
    ring['self'] = ring;
    for (const data of [ring, 1n, Symbol('s'), () => 1, { toJSON: () => undefined }]) {
      const encode = () => encodePayload('images', 'resize', data);
      expect(encode).toThrow(UnserializableDataError);
      expect(encode).toThrow(/"resize" for queue "images"/);
      expect(encode).not.toThrow(/hunter2/);
    }
    const args = [1n];
    expect(() => encodeCall('images', { name: 'f', args, kwargs: {} })).toThrow(
      UnserializableDataError,
    );
    expect(() => toJson(1n, { queue: 'q', name: 'n', what: 'meta' })).toThrow(/^The meta of job/);
  });
});

describe('what Python writes', () => {
  it('is deflated JSON', () => {
    // zlib.compress(b'["tasks.add", null, [1], {"b": 2}]') of Python 3.11.
    const data = Buffer.from(
      '789c8b562a492cce2ed64b4c4951d251c82bcdc9d15188368cd551a8564a52b25230aa8d0500bc620a2c',
      'hex',
    );
    expect(decode(data)).toEqual({ name: 'tasks.add', args: [1], kwargs: { b: 2 } });
  });

  it('may be escaped, spaced and hold numbers that JSON does not know', () => {
    expect(decode('["t\\u00e4sk", null, [NaN, "NaN"], {"x": -Infinity}]')).toEqual({
      name: 'täsk',
      args: [null, 'NaN'],
      kwargs: { x: null },
    });
  });

  it.each([
    [{ args: [1], kwargs: {} }, 1],
    [{ args: [undefined], kwargs: {} }, undefined],
    [{ args: [[1, 2]], kwargs: {} }, [1, 2]],
    [{ args: [], kwargs: { a: 1 } }, { a: 1 }],
    [{ args: [], kwargs: {} }, undefined],
    [{ args: [1, 2], kwargs: {} }, [1, 2]],
    [{ args: [1], kwargs: { a: 1 } }, [1]],
    [{ args: [1, 2], kwargs: { a: 1 } }, [1, 2]],
  ])('%j gives the handler its data', (call, data) => {
    expect(payloadOf({ name: 'f', ...call })).toEqual(data);
  });
});

describe('data that somebody else damaged or forged', () => {
  // pickle.dumps (('os.system', None, ('true',), {}), 4) of Python 3.11.
  const pickle = Buffer.from(
    '8004951c00000000000000288c096f732e73797374656d944e8c04747275659485947d9474942e',
    'hex',
  );

  it.each([
    ['a pickle', pickle],
    ['a deflated pickle', deflateSync(pickle)],
  ])('%s is named as what it is', (_, data) => {
    expect(() => decode(data)).toThrow(/"id1" cannot be read: its data is a Python pickle/);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['nothing, deflated', deflateSync('')],
    ['an old pickle', Buffer.from('(Vos.system\np0\nNtp1\n.')],
    ['text', 'hello'],
    ['a cut array', '["f", null, [], {'],
    ['bytes', Buffer.from([0xff, 0x00, 0x80])],
  ])('%s is no JSON', (_, data) => {
    expect(() => decode(data)).toThrow(/its data is no JSON/);
  });

  it.each([
    ['cut', deflateSync('["f", null, [], {}]').subarray(0, 12)],
    ['only a head', Buffer.from([0x78])],
    ['followed by noise', Buffer.concat([Buffer.from([0x78, 0x9c]), Buffer.alloc(20, 0xff)])],
  ])('deflated data that is %s is damaged', (_, data) => {
    expect(() => decode(data)).toThrow(/its data is damaged/);
  });

  it.each([
    'null',
    '{}',
    '"f"',
    '[]',
    '["f", null, []]',
    '["f", null, [], {}, 1]',
    '[1, null, [], {}]',
    '[null, null, [], {}]',
    '[["f"], null, [], {}]',
    '["f", null, {}, {}]',
    '["f", null, null, {}]',
    '["f", null, [], []]',
    '["f", null, [], null]',
    '["f", null, [], "x"]',
  ])('%s is not a call', (data) => {
    expect(() => decode(data)).toThrow(/is not \[function, instance, args, kwargs\]/);
  });

  it('a method of a Python object is not a call for us', () => {
    expect(() => decode('["method", {"py": "object"}, [], {}]')).toThrow(
      /it calls a method of a Python object/,
    );
  });

  it('a small text that inflates to a large one is refused without inflating it', () => {
    const bomb = deflateSync(Buffer.alloc(64 * LIMIT, ' '), { level: 9 });
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decode(bomb)).toThrow(/longer than 1048576 bytes \(see maxPayloadBytes\)/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * LIMIT);
  });

  it('plain text beyond the limit is refused without being parsed', () => {
    const data = `["f", null, ["${'a'.repeat(LIMIT)}"], {}]`;
    expect(() => decode(data)).toThrow(/longer than 1048576 bytes \(see maxPayloadBytes\)/);
    // Not even looked at: it is no JSON.
    expect(() => decode('x'.repeat(LIMIT + 1))).toThrow(/longer than 1048576 bytes/);
  });

  it('names like __proto__ select and change nothing', () => {
    const call = decode('["f", null, [{"__proto__": {"a": 1}}], {"__proto__": {"admin": true}}]');
    expect(Object.keys(call.kwargs)).toEqual(['__proto__']);
    expect((call.kwargs as { admin?: unknown }).admin).toBeUndefined();
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('an array nested a hundred thousand deep ends in an answer, not in a crash', () => {
    const deep = `["f", null, ${'['.repeat(100_000)}${']'.repeat(100_000)}, {}]`;
    expect(decode(deep).name).toBe('f');
  });
});

describe('what JSON would lose altogether', () => {
  it.each([
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
  ])('%s is refused', (what, value) => {
    expect(() => toJson(value, { queue: 'q', name: 'n' })).toThrow(UnserializableDataError);
    expect(() => toJson(value, { queue: 'q', name: 'n' })).toThrow(`JSON would make {} of ${what}`);
  });
});

describe('sizes', () => {
  it('are counted in bytes of UTF-8', () => {
    expect(() => assertSize('12345', 'data', 5)).not.toThrow();
    expect(() => assertSize('123456', 'data', 5)).toThrow(PayloadTooLargeError);
    expect(() => assertSize('ää', 'data', 4)).not.toThrow();
    expect(() => assertSize('äää', 'data', 5)).toThrow(
      /data is too large \(6 bytes\).*5 bytes.*maxPayloadBytes/,
    );
  });
});
