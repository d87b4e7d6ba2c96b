/**
 * JSON as Python writes and reads it. Python's `json.dumps` may emit bare `NaN`, `Infinity` and `-Infinity`, which
 * `JSON.parse` refuses; here they are read as `null`, as JavaScript itself would write them. What we write is plain JSON.
 */

/**
 * Parses JSON text, also with Python's non-finite numbers. Takes linear time, whatever the text.
 * @throws SyntaxError when it is no JSON
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!text.includes('NaN') && !text.includes('Infinity')) throw error;
    return JSON.parse(withoutNonFinite(text));
  }
}

const NON_FINITE = /-?\bInfinity\b|\bNaN\b/g;

/** The text with `null` for each such number. Every character is looked at once: texts in quotes are passed over. */
function withoutNonFinite(text: string): string {
  let result = '';
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const opening = text.indexOf('"', at);
    const quoted = opening === -1 ? text.length : opening;
    // Between two quotes there is mostly a comma or a colon.
    if (quoted - at >= SHORTEST) {
      const between = text.slice(at, quoted).replace(NON_FINITE, 'null');
      result += text.slice(copied, at) + between;
      copied = quoted;
    }
    at = endOfQuoted(text, quoted);
  }
  return result + text.slice(copied);
}

const SHORTEST = 'NaN'.length;

/** Where the text in quotes that opens there is over; the end of all when it is never closed. */
function endOfQuoted(text: string, opening: number): number {
  let closing = text.indexOf('"', opening + 1);
  while (closing !== -1 && isEscaped(text, closing)) closing = text.indexOf('"', closing + 1);
  return closing === -1 ? text.length : closing + 1;
}

/** After an odd number of backslashes. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text[first - 1] === '\\') first -= 1;
  return (quote - first) % 2 === 1;
}
