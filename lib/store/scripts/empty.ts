import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { empty } from './compiled.js';

/** `empty.lua` as types: the one place that knows its arguments. */
export const EMPTY = new Script(empty);

export function encodeEmpty({ prefix, channels }: Keyspace, queue: string): ScriptValue[] {
  return EMPTY.values({ prefix, channels, queue, most: EMPTIED_AT_ONCE });
}

/** `leftOver`: jobs that wait for the deleted ones are still to be told. */
export function decodeEmpty(reply: unknown): { deleted: number; leftOver: boolean } {
  const [deleted, leftOver] = reply as [number, number];
  return { deleted: Number(deleted), leftOver: Number(leftOver) > 0 };
}

/** Keeps one script below 5 ms. */
export const EMPTIED_AT_ONCE = 1000;
