import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { GroupCounts } from '../group-store.js';
import { group } from './compiled.js';

/** `group.lua` as types: the one place that knows its arguments and its reply. */
export const GROUP = new Script(group);

type Counts = [number, number, number, number, number];

export function encodeGroup(
  { prefix, channels }: Keyspace,
  name: string,
  action: 'look' | 'forget',
): ScriptValue[] {
  return GROUP.values({ prefix, channels, group: name, action });
}

export function decodeGroup(reply: unknown): { counts: GroupCounts; more: boolean } {
  const [pending, finished, failed, canceled, more] = (reply as unknown[]).map(Number) as Counts;
  return { counts: { pending, finished, failed, canceled }, more: more > 0 };
}
