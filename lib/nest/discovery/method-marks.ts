import { ENTRY_PROVIDER_WATERMARK } from '../nest-internals.js';

/**
 * What our decorators leave on methods. A method may be marked several times; the marks are kept in the order in which
 * they are written.
 */

/**
 * Adds a mark to those that the method has under this key.
 *
 * @param place the decorator and where it stands, for errors (see {@link placeOf})
 * @throws TypeError when it does not stand on an instance method with an ordinary name
 */
export function markMethod<Mark>(
  metadataKey: symbol,
  place: string,
  target: object,
  key: string | symbol,
  method: unknown,
  mark: Mark,
): void {
  if (typeof target === 'function' || typeof method !== 'function' || typeof key === 'symbol') {
    throw new TypeError(`${place}: it belongs on an instance method with an ordinary name`);
  }
  // Lets Nest attach global enhancers that are request-scoped to the class, as it does for controllers.
  Reflect.defineMetadata(ENTRY_PROVIDER_WATERMARK, true, target.constructor);
  // Decorators are applied from the bottom up.
  Reflect.defineMetadata(metadataKey, [mark, ...marksOf<Mark>(metadataKey, method)], method);
}

/** The marks that a method has itself; none for any other function. */
export function marksOf<Mark>(metadataKey: symbol, method: object): readonly Mark[] {
  return Reflect.getOwnMetadata(metadataKey, method) ?? [];
}

/** Where a decorator stands, for errors: `@Job on ImageJobs.resize`. */
export function placeOf(decorator: string, target: object, key: string | symbol): string {
  const type = typeof target === 'function' ? target.name : target.constructor.name;
  return `${decorator} on ${type}.${String(key)}`;
}
