/**
 * What is recorded when a handler throws. JavaScript can throw anything: undefined, a frozen or circular object, a
 * proxy that throws when it is looked at. Whatever it is, the job's failure gets a name, one readable line and a
 * text with stack and causes, of limited size. Only names, messages and stacks are taken from an error: its other
 * fields (a request with its headers, say) may be secret. An HTTP exception's message says no more than its class, and
 * what was wrong (which fields a validation refused) is a list of texts in its response: they belong to the message.
 */
import { inspect, types } from 'node:util';
import { cleanText } from './clean-text.js';
import { cutBytes } from './cut-text.js';
import type { FailureRecord } from './outcome.js';

/** The most bytes (UTF-8) of a failure's text unless told otherwise. */
export const FAILURE_TEXT_LIMIT = 16 * 1024;

/**
 * Describes what was thrown: `name` and `message` in one line each, `stack` with causes and the errors of an
 * AggregateError. Never throws.
 * @param limit the most bytes (UTF-8) of `stack`, default 16 KB
 */
export function describeFailure(thrown: unknown, limit = FAILURE_TEXT_LIMIT): FailureRecord {
  const { name, message } = headOf(thrown);
  return {
    name: oneLine(name, LONGEST_NAME),
    message: oneLine(message, LONGEST_MESSAGE),
    stack: cutBytes(cleanText(textOf(thrown, new Trail(limit))), limit),
  };
}

const LONGEST_NAME = 100;
const LONGEST_MESSAGE = 1000;
const MOST_ERRORS = 16;
const MOST_REASONS = 50;
const LONGEST_REASON = 500;

/** What a description has gone through so far: errors refer to each other in circles and trees. */
class Trail {
  private readonly seen = new Set<unknown>();

  constructor(readonly limit: number) {}

  /** Why the description should not go into this value; `undefined`: it may. */
  objectionTo(value: unknown): string | undefined {
    if (this.seen.has(value)) {
      return '(already shown above)';
    }
    if (this.seen.size >= MOST_ERRORS) {
      return '(not shown: too many errors)';
    }
    this.seen.add(value);
    return undefined;
  }
}

function textOf(thrown: unknown, trail: Trail): string {
  const objection = isObject(thrown) ? trail.objectionTo(thrown) : undefined;
  if (objection !== undefined) {
    return objection;
  }
  const parts = [ownText(thrown, trail.limit)];
  if (isErrorLike(thrown)) {
    for (const inner of innerErrors(thrown)) {
      parts.push(`One of its errors: ${textOf(inner, trail)}`);
    }
    const cause = read(thrown, 'cause');
    if (cause !== undefined && cause !== null) {
      parts.push(`Caused by: ${textOf(cause, trail)}`);
    }
  }
  return parts.join('\n');
}

/** Name, message and stack frames, without causes. The head is made anew: the stack's own often says just `Error`. */
function ownText(thrown: unknown, limit: number): string {
  const { name, message, inStack } = headOf(thrown);
  const head = `${cutCharacters(name, LONGEST_NAME)}: ${cutCharacters(message, limit / 4)}`;
  const stack = isErrorLike(thrown) ? read(thrown, 'stack') : undefined;
  if (typeof stack !== 'string') {
    return `${head}\n    (no stack: throw an Error to get one)`;
  }
  // Frames begin after the message, which may itself look like frames.
  const messageAt = inStack === '' ? -1 : stack.indexOf(inStack);
  const rest = stack.slice(messageAt === -1 ? 0 : messageAt + inStack.length);
  const framesAt = rest.search(/\n[ \t]+at /);
  if (framesAt !== -1) {
    return head + cutCharacters(rest.slice(framesAt), limit / 2);
  }
  return messageAt === -1 && stack !== ''
    ? `${head}\n${cutCharacters(stack, limit / 2)}`
    : head + cutCharacters(rest, limit / 2);
}

interface Head {
  readonly name: string;
  readonly message: string;
  /** The message as the error's own stack has it. */
  readonly inStack: string;
}

function headOf(thrown: unknown): Head {
  if (typeof thrown === 'string') {
    return headWith('Error', thrown || '(an empty text was thrown)');
  }
  if (isErrorLike(thrown)) {
    const own = textIn(read(thrown, 'message')) ?? withoutMessage(thrown);
    const reasons = reasonsOf(thrown);
    const message = reasons === undefined ? own : `${own}: ${reasons}`;
    return { ...headWith(nameOf(thrown), message), inStack: own };
  }
  return headWith('Error', `${shown(thrown)} was thrown, which is no Error`);
}

function headWith(name: string, message: string): Head {
  return { name, message, inStack: message };
}

/** What an HTTP exception keeps in `getResponse().message`: the texts of a list, known by this shape. */
function reasonsOf(error: object): string | undefined {
  const getResponse = read(error, 'getResponse');
  if (typeof getResponse !== 'function') {
    return undefined;
  }
  try {
    const response: unknown = getResponse.call(error);
    const list = isObject(response) ? read(response, 'message') : undefined;
    if (!Array.isArray(list)) {
      return undefined;
    }
    const texts = list.slice(0, MOST_REASONS).filter((item) => textIn(item) !== undefined);
    const reasons = texts.map((text: string) => cutCharacters(text, LONGEST_REASON));
    return reasons.length > 0 ? reasons.join('; ') : undefined;
  } catch {
    return undefined;
  }
}

/** The class, which is more telling than the `name` that most classes forget to set. */
function nameOf(error: object): string {
  const name = textIn(read(error, 'name'));
  if (name !== undefined && name !== 'Error') {
    return name;
  }
  const constructor = read(error, 'constructor');
  const className =
    typeof constructor === 'function' ? textIn(read(constructor, 'name')) : undefined;
  return className === undefined || className === 'Object' ? 'Error' : className;
}

/** Node's own AggregateErrors (no address answered) have a code and no message. */
function withoutMessage(error: object): string {
  return textIn(read(error, 'code')) ?? '(no message)';
}

function innerErrors(error: object): unknown[] {
  try {
    const errors = read(error, 'errors');
    // Only errors: validators keep lists of other things there, with the refused values in them.
    return Array.isArray(errors) ? errors.slice(0, MOST_ERRORS).filter(isErrorLike) : [];
  } catch {
    return [];
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** An error, also one of another realm, or an object that looks like one. */
function isErrorLike(value: unknown): value is object {
  return (
    isObject(value) && (types.isNativeError(value) || typeof read(value, 'message') === 'string')
  );
}

/** Any property of a thrown object may be a getter, or trap, that throws. */
function read(from: object, key: string): unknown {
  try {
    return (from as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A value that is no error, in short and without what is nested in it. */
function shown(value: unknown): string {
  // What it holds besides is not for readers, such as the marks of async hooks.
  if (types.isPromise(value)) return 'a Promise';
  try {
    return inspect(value, {
      depth: 0,
      customInspect: false,
      maxArrayLength: 10,
      maxStringLength: 200,
      breakLength: Infinity,
    });
  } catch {
    return 'an object that cannot be read';
  }
}

function oneLine(text: string, longest: number): string {
  const start = cleanText(text.slice(0, longest * 2));
  return cutCharacters(start.replace(/\s+/g, ' ').trim(), longest);
}

function cutCharacters(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
