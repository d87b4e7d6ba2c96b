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

/**
 * The same of bytes, for what is read of every job: a time as we write it, `2026-03-01T09:00:00.123Z`, is read without
 * making a text of it. Jobs that come together are mostly of the same second.
 */
export function timeIn(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start === USUAL_LENGTH && isOfLastSecond(bytes, start)) {
    const thousandths = digits(bytes, start + SECOND_LENGTH);
    if (thousandths >= 0 && bytes[end - 1] === LETTER_Z) return lastTime + thousandths;
  }
  const time = timeOf(bytes.toString('latin1', start, Math.min(end, start + LONGEST_NUMBER + 1)));
  if (time !== undefined && end - start === USUAL_LENGTH && bytes[end - 1] === LETTER_Z) {
    bytes.copy(lastSecond, 0, start, start + SECOND_LENGTH);
    lastTime = Math.floor(time / 1000) * 1000;
  }
  return time;
}

function isOfLastSecond(bytes: Buffer, start: number): boolean {
  // From behind: there they differ first.
  for (let at = SECOND_LENGTH - 1; at >= 0; at -= 1) {
    if (bytes[start + at] !== lastSecond[at]) return false;
  }
  return true;
}

/** Three digits; below 0: they are none. */
function digits(bytes: Buffer, start: number): number {
  let value = 0;
  for (let at = start; at < start + 3; at += 1) {
    const digit = (bytes[at] as number) - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const USUAL_LENGTH = 24;
/** `2026-03-01T09:00:00.` */
const SECOND_LENGTH = 20;
const DIGIT_0 = 0x30;
const LETTER_Z = 0x5a;
const lastSecond = Buffer.alloc(SECOND_LENGTH);
let lastTime = 0;

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
