import { isObject } from '../job/index.js';

/**
 * Numbers and times that are stored as text. Anybody may have written them: what is too long to be one is not looked at.
 */

/** The most characters that a stored number or time has. */
export const LONGEST_NUMBER = 64;

/** The name of a Python function; Python writes an empty one where there is none. */
export function callbackIn(text: string | undefined): string | undefined {
  return text && text.length <= LONGEST_NAME ? text : undefined;
}

/** Milliseconds since 1970 of a stored time; undefined when it is none. */
export function timeOf(text: string | undefined): number | undefined {
  if (!text || text.length > LONGEST_NUMBER) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** The object in a stored text of JSON; undefined when there is none. */
export function jsonObject(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const LONGEST_NAME = 500;
