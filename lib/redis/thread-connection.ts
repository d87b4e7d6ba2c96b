import type { RedisOptions } from 'ioredis';
import * as messages from './messages.js';

/**
 * How another thread connects to the same Redis. Only plain data can be handed to a thread; what cannot (functions, a TLS
 * context) must not be left out either, since the thread would then connect less safely than the application does.
 */
export function forThread(options: RedisOptions): ThreadConnection {
  // It tells a client when to look for Sentinels again; the thread's is there for moments only.
  const { sentinelReconnectStrategy: _, ...rest } = options;
  const unfit = Object.entries(rest).flatMap(([key, value]) => unfitParts(key, value));
  if (unfit.length === 0) return { options: rest as Readonly<Record<string, unknown>> };
  return { problem: messages.notForThreads(unfit) };
}

export type ThreadConnection =
  { readonly options: Readonly<Record<string, unknown>> } | { readonly problem: string };

/** The paths of all that is not plain data. */
function unfitParts(path: string, value: unknown): string[] {
  if (typeof value === 'function' || typeof value === 'symbol') return [path];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || isObjectPrototype(prototype);
  if (!isPlain) return [path];
  return Object.entries(value).flatMap(([key, part]) => unfitParts(`${path}.${key}`, part));
}

/** Also that of another realm, as test runners have them. */
function isObjectPrototype(prototype: unknown): boolean {
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'toString')
  );
}
