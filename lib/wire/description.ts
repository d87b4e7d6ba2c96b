import { isObject } from '../job/index.js';

/**
 * A job's description where nobody gave one: its call as RQ writes it, `tasks.add(1, b='two')`. Arguments look as in
 * Python, and each is cut after 75 characters. RQ's tools show it in the rows of their lists.
 *
 * @param data text of the call (see call.ts)
 */
export function describeCall(data: string): string {
  const [name, , args, kwargs] = JSON.parse(data) as [string, null, unknown[], object];
  const named = Object.entries(kwargs).map(([key, value]) => `${key}=${shortText(value)}`);
  return `${name}(${[...args.map(shortText), ...named.toSorted()].join(', ')})`;
}

/** Characters. */
const LONGEST = 75;

function shortText(value: unknown): string {
  const text = pythonText(value, LONGEST + 1);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** What Python's `repr` says of a JSON value; once it is longer than `enough`, the rest of it is not looked at. */
function pythonText(value: unknown, enough: number): string {
  if (enough <= 0) return '';
  if (typeof value === 'string') return quotedText(value.slice(0, enough));
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) {
    return `[${listed(value.length, enough, (index, rest) => pythonText(value[index], rest))}]`;
  }
  if (isObject(value)) {
    const keys = Object.keys(value);
    const entry = (index: number, rest: number) => {
      const key = keys[index] as string;
      return `${quotedText(key.slice(0, rest))}: ${pythonText(value[key], rest)}`;
    };
    return `{${listed(keys.length, enough, entry)}}`;
  }
  // A number, which JSON and Python write alike.
  return JSON.stringify(value);
}

function listed(
  count: number,
  enough: number,
  item: (index: number, rest: number) => string,
): string {
  let text = '';
  for (let index = 0; index < count && text.length < enough; index += 1) {
    // One less for the bracket: however deep it goes, it comes to an end.
    text += (index === 0 ? '' : ', ') + item(index, enough - text.length - 1);
  }
  return text;
}

/** Python prefers single quotes, unless the text has some and no double ones. */
function quotedText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t'\p{Cc}]/gu, (character) => {
    if (character === "'") return quote === "'" ? "\\'" : character;
    const known = ESCAPED[character];
    return known ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return quote + escaped + quote;
}

const ESCAPED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};
