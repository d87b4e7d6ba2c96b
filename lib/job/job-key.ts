/**
 * The key of a job: whose it is, such as a tenant or an account. Jobs of one key run in their order, keys take turns, and
 * limits may hold for each key.
 */
import { createHash } from 'node:crypto';
import { InvalidOptionError, because } from './errors.js';
import type { JobKey } from './limit-options.js';

/**
 * The text of a key; empty: none.
 * @throws InvalidOptionError (option `key`) when no key can be so
 */
export function readKey(key: unknown, where: string | undefined): string {
  if (key === undefined || key === null) return '';
  const isNoNumber = typeof key === 'number' && !Number.isFinite(key);
  const text = typeof key === 'number' && !isNoNumber ? String(key) : key;
  if (typeof text === 'string' && text.length <= LONGEST_KEY && !UNPRINTABLE.test(text))
    return text;
  const problem = isNoNumber
    ? 'must be a finite number, or text; null says that a job has no key'
    : `must be text of at most ${LONGEST_KEY} characters without control characters, or a number`;
  throw new InvalidOptionError({ option: 'key', problem, value: key, where });
}

/** The same for a job that is there already and must have some key: of an impossible one, its digest. */
export function usableKey(key: unknown): string {
  try {
    return readKey(key, undefined);
  } catch {
    return createHash('sha1').update(String(key)).digest('hex');
  }
}

/**
 * The text of the key that a function says for a new job; empty: none.
 * @throws InvalidOptionError (option `key`) when no key can be so, or the function throws: that is its `cause`
 */
export function keyOfData(
  keyOf: JobKey<unknown>,
  data: unknown,
  name: string,
  queue: string,
): string {
  const where = `the key of job "${name}" on queue "${queue}"`;
  let key: unknown;
  try {
    key = keyOf(data, name);
  } catch (cause) {
    const problem = `is not known: its function threw${because(cause)}. For data without a key it returns null`;
    throw new InvalidOptionError({ option: 'key', problem, where, cause });
  }
  return readKey(key, where);
}

const LONGEST_KEY = 200;

// Lone surrogates too: written as UTF-8 they all become the same character.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
