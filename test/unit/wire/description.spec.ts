import { encodeCall, encodePayload } from '../../../lib/wire/call.js';
import { describeCall } from '../../../lib/wire/description.js';

const described = (...args: unknown[]) =>
  describeCall(encodeCall('q', { name: 'f', args, kwargs: {} }));

describe("a call's description", () => {
  it('is the name with its arguments as Python writes them', () => {
    expect(describeCall(encodePayload('q', 'images.scan', undefined))).toBe('images.scan()');
    expect(described(1, -2.5, null, true, false)).toBe('f(1, -2.5, None, True, False)');
    expect(described({ to: 'ä', list: [1, [], {}] })).toBe("f({'to': 'ä', 'list': [1, [], {}]})");
  });

  it('has named arguments behind the others, by name', () => {
    const call = { name: 'tasks.add', args: [1], kwargs: { z: 'x', a: [2] } };
    expect(describeCall(encodeCall('q', call))).toBe("tasks.add(1, a=[2], z='x')");
  });

  it.each([
    ["O'Hara", `"O'Hara"`],
    [`both ' and "`, `'both \\' and "'`],
    ['two\nlines\t\\', `'two\\nlines\\t\\\\'`],
    ['\u001b[31m', `'\\x1b[31m'`],
  ])('quotes %j', (text, quoted) => {
    expect(described(text)).toBe(`f(${quoted})`);
  });

  it('cuts each argument after 75 characters', () => {
    expect(described('a'.repeat(73))).toBe(`f('${'a'.repeat(73)}')`);
    expect(described('a'.repeat(74), 1)).toBe(`f('${'a'.repeat(74)}..., 1)`);
    expect(described({ key: Array.from({ length: 500 }, (_, index) => index) })).toHaveLength(81);
  });

  it('takes no time for large and deep data', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 3000; level += 1) deep = level % 2 ? [deep] : { a: deep };
    expect(described(deep, 'x'.repeat(5_000_000)).length).toBeLessThan(200);
  });
});
