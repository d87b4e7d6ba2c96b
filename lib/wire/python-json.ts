/**
 * JSON as Python writes and reads it. Python's `json.dumps` may emit bare `NaN`, `Infinity` and `-Infinity`, which
 * `JSON.parse` refuses; here they are read as `null`, as JavaScript itself would write them. What we write is plain JSON.
 */

const NON_FINITE = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * Parses JSON text, also with Python's non-finite numbers.
 * @throws SyntaxError when it is no JSON
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!text.includes('NaN') && !text.includes('Infinity')) throw error;
    return JSON.parse(text.replace(NON_FINITE, (token) => (token[0] === '"' ? token : 'null')));
  }
}
