import { parsePythonJson } from '../../../lib/wire/python-json.js';

describe('JSON as Python writes it', () => {
  it.each([
    ['{"a": [1, 2.5, -3e10], "b": null, "c": true}', { a: [1, 2.5, -3e10], b: null, c: true }],
    ['"na\\u00efve \\ud83c\\udf88"', 'naïve 🎈'],
    ['[]', []],
    ['0', 0],
    ['""', ''],
  ])('%s is read as JSON', (text, value) => {
    expect(parsePythonJson(text)).toEqual(value);
  });

  it.each([
    ['NaN', null],
    ['-Infinity', null],
    ['[NaN, Infinity, -Infinity, 1]', [null, null, null, 1]],
    ['{"a": NaN, "b": [{"c": -Infinity}]}', { a: null, b: [{ c: null }] }],
  ])('%s: numbers that JSON does not know become null', (text, value) => {
    expect(parsePythonJson(text)).toEqual(value);
  });

  it.each([
    ['["NaN", NaN]', ['NaN', null]],
    ['{"Infinity": Infinity}', { Infinity: null }],
    ['["a\\\\", NaN, "\\\\\\" NaN"]', ['a\\', null, '\\" NaN']],
    ['["a \\" NaN", NaN, "\\\\", "-Infinity"]', ['a " NaN', null, '\\', '-Infinity']],
  ])('%s: text keeps such words', (text, value) => {
    expect(parsePythonJson(text)).toEqual(value);
  });

  it.each(['', '{', 'NaNa', '[NaN', 'nan', '{"a": Infinityx}', 'True', "{'a': 1}"])(
    '%j is refused',
    (text) => {
      expect(() => parsePythonJson(text)).toThrow(SyntaxError);
    },
  );

  it('names like __proto__ are data', () => {
    const value = parsePythonJson('{"__proto__": {"polluted": NaN}}') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
