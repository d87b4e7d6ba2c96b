import { ENHANCER_KEYS, ENTRY_PROVIDER_WATERMARK } from '../nest-internals.js';
import { rememberDecorated } from './decorated-classes.js';

/**
 * What our decorators leave on methods. A method may be marked several times; the marks are kept in the order in which
 * they are written.
 *
 * A mark stands on the function, and beside it on the class under the method's name: a decorator above ours may put
 * another function in the method's place (to trace it, to count its calls), which then is the one that runs.
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
  rememberDecorated(target);
  // Decorators are applied from the bottom up.
  Reflect.defineMetadata(metadataKey, [mark, ...onFunction<Mark>(metadataKey, method)], method);
  const onClass = marksByName<Mark>(metadataKey, target);
  const marks = [mark, ...(onClass.get(key) ?? [])];
  Reflect.defineMetadata(metadataKey, new Map([...onClass, [key, marks]]), target);
  const replaced = Reflect.getOwnMetadata(MARKED_FUNCTIONS, target, key) as Functions | undefined;
  Reflect.defineMetadata(MARKED_FUNCTIONS, [method, ...(replaced ?? [])], target, key);
}

/** The marked methods of a class, with what it inherits. An override without a mark is none. */
export function markedMethods<Mark>(metadataKey: symbol, prototype: object): Map<string, Mark[]> {
  const found = new Map<string, Mark[]>();
  const names = new Set<string>();
  for (const owner of chainOf(prototype)) {
    const onClass = marksByName<Mark>(metadataKey, owner);
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (names.has(name) || name === 'constructor') continue;
      names.add(name);
      const method: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
      const marks =
        onClass.get(name) ??
        (typeof method === 'function' ? onFunction<Mark>(metadataKey, method) : []);
      if (marks.length > 0) found.set(name, [...marks]);
    }
  }
  return found;
}

/**
 * The function that an instance has under a method's name. What other decorators have left on the method (guards, pipes,
 * roles) counts for what was put in its place, too: a guard must not vanish because a method is traced or bound.
 */
export function methodOf(instance: object, name: string): Method {
  const method = (instance as Record<string, Method>)[name]!;
  const owner = chainOf(instance).find((one) => one !== instance && Object.hasOwn(one, name));
  if (!owner) return method;
  const own: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
  const marked = Reflect.getOwnMetadata(MARKED_FUNCTIONS, owner, name) as Functions | undefined;
  for (const original of [own, ...(marked ?? [])]) {
    if (typeof original === 'function' && original !== method) carryOver(original, method);
  }
  return method;
}

export type Method = (...args: unknown[]) => unknown;

/** Where a decorator stands, for errors: `@Job on ImageJobs.resize`. */
export function placeOf(decorator: string, target: object, key: string | symbol): string {
  const type = typeof target === 'function' ? target.name : target.constructor.name;
  return `${decorator} on ${type}.${String(key)}`;
}

/** The functions that were marked under one name of one class. */
const MARKED_FUNCTIONS = Symbol.for('nestjs-rq:marked-functions');
type Functions = readonly object[];

function onFunction<Mark>(metadataKey: symbol, method: object): readonly Mark[] {
  return Reflect.getOwnMetadata(metadataKey, method) ?? [];
}

function marksByName<Mark>(
  metadataKey: symbol,
  prototype: object,
): ReadonlyMap<string, readonly Mark[]> {
  return Reflect.getOwnMetadata(metadataKey, prototype) ?? new Map();
}

function carryOver(from: object, to: object): void {
  for (const key of Reflect.getOwnMetadataKeys(from) as (string | symbol)[]) {
    const isOurs = typeof key === 'symbol' && key.description?.startsWith('nestjs-rq:');
    if (isOurs) continue;
    const left: unknown = Reflect.getOwnMetadata(key, from);
    const has = Reflect.hasOwnMetadata(key, to);
    if (!has) Reflect.defineMetadata(key, left, to);
    else if (ENHANCER_KEYS.includes(key as string)) addMissing(key, left, to);
  }
}

/** Guards stand above the replacing decorator and below it: all of them count, the lower ones first, as Nest has it. */
function addMissing(key: string | symbol, lower: unknown, to: object): void {
  const upper: unknown = Reflect.getOwnMetadata(key, to);
  if (!Array.isArray(lower) || !Array.isArray(upper)) return;
  const missing = (lower as unknown[]).filter((one) => !(upper as unknown[]).includes(one));
  if (missing.length > 0) Reflect.defineMetadata(key, [...missing, ...(upper as unknown[])], to);
}

/** The object and what it inherits from, without what every object has. */
export function chainOf(object: object): object[] {
  const chain: object[] = [];
  for (let one: object | null = object; one && one !== Object.prototype;) {
    chain.push(one);
    one = Object.getPrototypeOf(one) as object | null;
  }
  return chain;
}
