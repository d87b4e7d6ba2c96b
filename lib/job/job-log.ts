import { cutBytes } from './cut-text.js';

/** The log of a job: lines of text that its handler writes, of limited number and size. */

/** How many lines are kept, the last ones. */
export const LOG_LINES = 1000;

/** The most bytes (UTF-8) of a line. */
export const LONGEST_LOG_LINE = 64 * 1024;

/** The line as it is kept. Never throws: what is no text becomes one, what is too long is cut. */
export function logLine(line: unknown): string {
  return cutBytes(typeof line === 'string' ? line : textOf(line), LONGEST_LOG_LINE);
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return '(what cannot be written as text)';
  }
}
