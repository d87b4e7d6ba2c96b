import { toMilliseconds } from '../../observe/index.js';
import type { Place } from './answers.js';
import { Refused } from './problems.js';

/** What somebody types into the search, as `name:charge error:Timeout age:>1h 4711`. */
export interface SearchWords {
  readonly places: readonly Place[];
  readonly queue: string | undefined;
  readonly name: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly id: string | undefined;
  readonly worker: string | undefined;
  readonly attempts: Comparison | undefined;
  /** Milliseconds. */
  readonly age: Comparison | undefined;
  /** Paths in the data and the texts that have to stand there. */
  readonly data: readonly { readonly path: readonly string[]; readonly value: string }[];
  /** Words without a key: each has to be in the id, the name or the failure. */
  readonly free: readonly string[];
}

export interface Comparison {
  readonly sign: '<' | '>' | '=';
  readonly value: number;
}

/** @throws Refused when a word makes no sense, with what is wrong */
export function readSearch(text: string): SearchWords {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  const data: { path: readonly string[]; value: string }[] = [];
  const free: string[] = [];
  for (const [, key = '', quoted, bare = ''] of text.slice(0, LONGEST).matchAll(WORD)) {
    const value = quoted ?? bare;
    if (value === '') continue;
    if (key.startsWith('data.')) data.push({ path: key.split('.'), value });
    else if (key === '') free.push(value);
    else if (KEYS.has(key)) found[key] = value;
    else throw new Refused('search', `nothing can be searched by "${key}:"`, 400);
  }
  const status = found['status'];
  const place = status === undefined ? undefined : (STATUS[status] ?? status);
  if (place !== undefined && !isPlace(place)) {
    throw new Refused('search', `there is no status "${status}"`, 400);
  }
  const isOfFailure = found['error'] !== undefined || found['cause'] !== undefined;
  return {
    places: place ? [place] : isOfFailure ? ['failed'] : PLACES,
    queue: found['queue'],
    name: found['name'],
    error: found['error'],
    cause: found['cause'],
    id: found['id'],
    worker: found['worker'],
    attempts: comparison(found['attempts'], 'attempts', Number),
    age: comparison(found['age'], 'age', (length) => toMilliseconds(length, 'age')),
    data,
    free,
  };
}

function comparison(
  text: string | undefined,
  key: string,
  read: (text: string) => number,
): Comparison | undefined {
  if (text === undefined) return undefined;
  const [, sign = '=', rest = ''] = /^([<>=]?)(.*)$/s.exec(text) ?? [];
  let value = NaN;
  try {
    value = read(rest);
  } catch {
    // Said below.
  }
  if (!Number.isFinite(value)) {
    const example = key === 'age' ? 'age:>1h' : 'attempts:>3';
    throw new Refused('search', `"${key}:" wants a number, as in ${example}`, 400);
  }
  return { sign: (sign || '=') as Comparison['sign'], value };
}

export function compares(value: number, { sign, value: bound }: Comparison): boolean {
  return sign === '<' ? value < bound : sign === '>' ? value > bound : value === bound;
}

function isPlace(text: string): text is Place {
  return (PLACES as readonly string[]).includes(text);
}

/** In the order in which they are looked through. */
export const PLACES: readonly Place[] = [
  'failed',
  'started',
  'queued',
  'scheduled',
  'deferred',
  'canceled',
  'finished',
];

const STATUS: Readonly<Record<string, Place>> = {
  running: 'started',
  waiting: 'queued',
  stopped: 'failed',
  retrying: 'scheduled',
};
const KEYS = new Set('queue name status error cause id worker attempts age'.split(' '));
/** `key:value`, `key:"some value"`, `value`. */
const WORD = /(?:([a-z][\w.-]*):)?(?:"([^"]*)"|([^\s"]+))/gi;
const LONGEST = 1000;
