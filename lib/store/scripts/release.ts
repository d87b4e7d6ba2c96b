import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { release } from './compiled.js';

/** `release.lua` as types: the one place that knows its arguments. */
export const RELEASE = new Script(release);

export function encodeRelease({ prefix, channels }: Keyspace, queue: string): ScriptValue[] {
  return RELEASE.values({ prefix, channels, queue });
}
