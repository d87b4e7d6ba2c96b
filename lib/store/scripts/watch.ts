import { Script, type ScriptValue } from '../../redis/script.js';
import { watch } from './compiled.js';

/** `watch.lua` as types: the one place that knows its arguments. */
export const WATCH = new Script(watch);

export function encodeWatch(id: string): ScriptValue[] {
  return WATCH.values({ id, seconds: WATCHED_SECONDS });
}

/** A mark outlives a waiter that died; waiters renew it. */
const WATCHED_SECONDS = 86_400;
