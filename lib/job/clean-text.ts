/**
 * Text of strangers is cleaned here before it reaches a log, a terminal or an error's message. Anybody may have put it
 * into Redis: a name, an id, a status, a Python traceback. A line break in it would forge a line of the log, an escape
 * sequence would color or clear the terminal, a mark of writing direction would turn words around.
 */

/** One line: escape sequences are dropped, and every other character that is not printed becomes `?`. */
export function cleanLine(text: string, longest = LONGEST_LINE): string {
  return unescaped(text.slice(0, longest)).replace(UNPRINTED, '?');
}

/** Several lines, such as a stack: line breaks and tabs stay, every other character that is not printed becomes a space. */
export function cleanText(text: string): string {
  // Most stacks are plain: one quick look then.
  if (!BEYOND_PLAIN.test(text)) return text;
  return unescaped(text).replace(UNPRINTED_BUT_LINES, ' ');
}

/** Anything but the printed characters of ASCII, line breaks and tabs. */
const BEYOND_PLAIN = /[^\n\t -~]/;

/** Characters. */
const LONGEST_LINE = 4000;

// Most texts have nothing to clean: one look then.
function unescaped(text: string): string {
  return ESCAPE_START.test(text) ? text.replace(ESCAPES, '') : text;
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const ESCAPE_START = /[\u001B\u009B]/;

/** What terminals obey: `ESC [ ... letter` (colors, the cursor), `ESC ] ... end` (titles, links), `ESC letter`. */
const ESCAPES =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]?|\u001B\][^\u0007\u001B\u009C\n]*(?:\u0007|\u001B\\|\u009C)|\u001B[ -/]*[0-~]?/g;

/** Control characters, halves of characters, line separators, marks of writing direction, the byte order mark. */
const UNPRINTED =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu;
const UNPRINTED_BUT_LINES = new RegExp(`(?![\\n\\t])${UNPRINTED.source}`, 'gu');
