/**
 * How every options object is read. Only known keys are taken, each of the right type; an error names the key and the
 * place. A misspelt option must never be silently ignored.
 */
import { InvalidOptionError } from './errors.js';

/**
 * Refuses what is no object, and every own key that is not known.
 * @param path the options' own key, `''` for the outermost: an unknown key is named with it (`retry.maxx`)
 * @throws InvalidOptionError
 */
export function checkOptions(
  value: unknown,
  known: ReadonlySet<string>,
  path: string,
  where: string | undefined,
): void {
  if (!isObject(value)) {
    throw new InvalidOptionError({
      option: path || 'options',
      problem: `must be an object with the keys ${[...known].join(', ')}`,
      value,
      where,
    });
  }
  for (const key of Object.keys(value)) {
    if (!known.has(key)) {
      throw new InvalidOptionError({
        option: path ? `${path}.${key}` : key,
        problem: `is not an option here. Known: ${[...known].join(', ')}`,
        where,
      });
    }
  }
}

/** A flag: `undefined` is false. @throws InvalidOptionError */
export function readFlag(value: unknown, option: string, where: string | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new InvalidOptionError({ option, problem: 'must be true or false', value, where });
  }
  return value ?? false;
}

/** An object that is no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
