import { inflateSync } from 'node:zlib';
import {
  MalformedJobError,
  PayloadTooLargeError,
  UnserializableDataError,
  isObject,
} from '../job/index.js';
import { parsePythonJson } from './python-json.js';

/**
 * What a job calls: RQ's `data` field, the JSON array `[function, instance, args, kwargs]`, maybe deflated. Python's
 * default serializer writes pickles instead; a pickle can run any code when it is decoded, so it never is.
 */
export interface JobCall {
  /** The registered name, or for Python the dotted function. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** Text of a call with the payload as its one argument (none when it is undefined), as `data` stores it. */
export function encodePayload(queue: string, name: string, payload: unknown): string {
  const json = payload === undefined ? '' : toJson(payload, { queue, name });
  return `[${quoted(name)},null,[${json}],{}]`;
}

/** Text of a call with Python's positional and keyword arguments. */
export function encodeCall(queue: string, call: JobCall): string {
  const args = toJson(call.args, { queue, name: call.name });
  const kwargs = toJson(call.kwargs, { queue, name: call.name });
  return `[${quoted(call.name)},null,${args},${kwargs}]`;
}

/**
 * Reads what a job calls.
 * @throws MalformedJobError when it is a pickle, no JSON, not of RQ's form, or longer than so many bytes
 */
export function decodeCall(jobId: string, data: Buffer, maxBytes: number): JobCall {
  const text = inflated(jobId, data, maxBytes);
  if (text[0] === PICKLE_PROTOCOL) {
    throw new MalformedJobError({
      jobId,
      problem:
        'its data is a Python pickle, which is never decoded (enqueue it with serializer=JSONSerializer)',
    });
  }
  return readCall(jobId, text.toString('utf8'));
}

/**
 * The same of JSON text.
 * @throws MalformedJobError
 */
export function readCall(jobId: string, text: string): JobCall {
  let call: unknown;
  try {
    call = parsePythonJson(text);
  } catch {
    throw new MalformedJobError({ jobId, problem: 'its data is no JSON' });
  }
  if (!Array.isArray(call) || call.length !== 4) {
    throw new MalformedJobError({
      jobId,
      problem: 'its data is not [function, instance, args, kwargs]',
    });
  }
  const [name, instance, args, kwargs] = call as unknown[];
  if (typeof name !== 'string' || !Array.isArray(args) || !isObject(kwargs)) {
    throw new MalformedJobError({
      jobId,
      problem: 'its data is not [function, instance, args, kwargs]',
    });
  }
  if (instance !== null) {
    throw new MalformedJobError({
      jobId,
      problem: 'it calls a method of a Python object; enqueue a function',
    });
  }
  return { name, args, kwargs };
}

/**
 * What the handler gets as `data`: the one positional argument, or the keyword arguments when there are only those,
 * or all positionals.
 */
export function payloadOf({ args, kwargs }: JobCall): unknown {
  const named = hasAny(kwargs);
  if (args.length === 1 && !named) return args[0];
  if (args.length === 0) return named ? kwargs : undefined;
  return args;
}

/** Without a list of its keys, which would be made for every job. */
function hasAny(kwargs: object): boolean {
  for (const key in kwargs) if (Object.hasOwn(kwargs, key)) return true;
  return false;
}

/** JSON text of data, meta or an argument. @throws UnserializableDataError */
export function toJson(
  value: unknown,
  place: { queue: string; name: string; what?: string },
): string {
  let text: string | undefined;
  try {
    text = jsonOf(value);
  } catch (cause) {
    throw new UnserializableDataError({ ...place, cause });
  }
  if (text === undefined) throw new UnserializableDataError(place);
  return text;
}

/**
 * JSON text of a value; undefined when JSON has no word for it. What is nested in it is not looked through, which would
 * cost more than writing it: there JSON's own rules hold.
 * @throws TypeError for a cycle, a BigInt, a Map, a Set, and what toJSON() throws
 */
export function jsonOf(value: unknown): string | undefined {
  if (typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof Map) throw new TypeError('JSON would make {} of a Map');
  if (value instanceof Set) throw new TypeError('JSON would make {} of a Set');
  return JSON.stringify(value);
}

/** @throws PayloadTooLargeError when the text is longer than so many bytes of UTF-8 */
export function assertSize(text: string, what: string, limit: number): void {
  // A UTF-16 unit is at most 3 bytes of UTF-8: most texts need no counting.
  if (text.length * 3 <= limit) return;
  const size = Buffer.byteLength(text);
  if (size > limit)
    throw new PayloadTooLargeError({ what, size, limit, option: 'maxPayloadBytes' });
}

/** Zlib text, as RQ deflates; what is not deflated is taken as it is. Neither may be longer than so many bytes. */
export function inflated(jobId: string, data: Buffer, maxBytes: number): Buffer {
  if (data.length > maxBytes) throw tooLong(jobId, maxBytes);
  if (data[0] !== ZLIB_DEFLATE) return data;
  try {
    return inflateSync(data, { maxOutputLength: maxBytes });
  } catch (error) {
    const isTooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLong) throw tooLong(jobId, maxBytes);
    throw new MalformedJobError({ jobId, problem: 'its data is damaged' });
  }
}

/** The job has more data than anybody here would read. */
export function tooLong(jobId: string, maxBytes: number): MalformedJobError {
  const problem = `its data is longer than ${maxBytes} bytes (see maxPayloadBytes)`;
  return new MalformedJobError({ jobId, problem });
}

/** With it, the text of a call begins. */
export const OPENING_BRACKET = 0x5b;
const PICKLE_PROTOCOL = 0x80;
const ZLIB_DEFLATE = 0x78;

const names = new Map<string, string>();

// Job names are few and come with every job.
function quoted(name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    text = JSON.stringify(name);
    if (names.size < 1000) names.set(name, text);
  }
  return text;
}
