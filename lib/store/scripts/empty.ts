import { Script, type ScriptValue } from '../../redis/script.js';
import { empty } from './compiled.js';

/** `empty.lua` as types: the one place that knows its arguments. */
export const EMPTY = new Script(empty);

export function encodeEmpty(prefix: string): ScriptValue[] {
  return EMPTY.values({ prefix, most: EMPTIED_AT_ONCE });
}

/** Keeps one script below 5 ms. */
export const EMPTIED_AT_ONCE = 1000;
