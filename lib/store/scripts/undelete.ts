import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { undelete } from './compiled.js';

/** `undelete.lua` as types: the one place that knows its arguments and its reply. */
export const UNDELETE = new Script(undelete);

export function encodeUndelete(
  { prefix, channels }: Keyspace,
  queue: string,
  operation: string,
): ScriptValue[] {
  return UNDELETE.values({ prefix, channels, queue, operation, most: UNDELETED_AT_ONCE });
}

export function decodeUndelete(reply: unknown): {
  restored: number;
  refused: number;
  left: number;
} {
  const [restored, refused, left] = (reply as unknown[]).map(Number);
  return { restored: restored ?? 0, refused: refused ?? 0, left: left ?? 0 };
}

/** Keeps one script below 5 ms. */
const UNDELETED_AT_ONCE = 200;
