import { createHash } from 'node:crypto';
import type { FailureRecord } from './outcome.js';

/**
 * Why a job failed, as a short key: failures of one cause have the same key, so that they can be counted and handled
 * together. `connect ETIMEDOUT 10.0.0.1:443` and `... 10.0.0.2:443` at the same place of the same job are one cause.
 *
 * It is made of the job's name, the error's name, the first place in the stack that is the application's own (function
 * and file, no line) and the message without what differs from one to the next: numbers, ids, quoted texts.
 */
export function causeOf(jobName: string, failure: FailureRecord): string {
  return keyOf(jobName, failure.name, plainMessage(failure.message), placeOf(failure.stack));
}

/** The same where only the line `Error: message` is known: of Python's jobs, and of those that no worker failed. */
export function causeOfLine(jobName: string | undefined, line: string): string {
  const [, name = 'Error', message = line] = /^([\w.$]{1,100}): (.*)$/s.exec(line) ?? [];
  return keyOf(jobName ?? '', name, plainMessage(message), '');
}

/** A message without what differs: `job 17 of "ann"` is `job # of "…"`. At most 200 characters. */
export function plainMessage(message: string): string {
  return message
    .slice(0, LONGEST_MESSAGE)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '"…"')
    .replace(/\b0x[\da-f]+\b|\b(?=[\da-f-]*\d)[\da-f]{4,}(?:-[\da-f]{2,})*\b/gi, '#')
    .replace(/\d+/g, '#')
    .replace(/#(?:[.:,-]#)+/g, '#');
}

function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, KEY_LENGTH);
}

/** Function and file of the first frame that is neither Node's nor a package's; the first of all when there is none. */
function placeOf(stack: string): string {
  let first: string | undefined;
  let at = stack.indexOf('\n');
  for (let frames = 0; at !== -1 && frames < MOST_FRAMES; frames += 1) {
    const end = stack.indexOf('\n', at + 1);
    const line = stack
      .slice(at + 1, end === -1 ? undefined : end)
      .trim()
      .slice(0, LONGEST_FRAME);
    at = end;
    if (!line.startsWith('at ')) continue;
    const place = line.replace(/:\d+(?::\d+)?\)?$/, '');
    first ??= place;
    if (!/node:|node_modules/.test(line)) return place;
  }
  return first ?? '';
}

const LONGEST_MESSAGE = 200;
const LONGEST_FRAME = 500;
const MOST_FRAMES = 30;
const KEY_LENGTH = 10;
