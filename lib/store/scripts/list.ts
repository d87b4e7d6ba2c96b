import { decodeRow } from '../../wire/job-row.js';
import type { ListPage, RegistryName } from '../watcher-store.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { list } from './compiled.js';

/** `list.lua` as types: the one place that knows its arguments and its reply. */
export const LIST = new Script(list);

/** Keeps one script below 5 ms. */
export const LISTED_AT_ONCE = 200;

export function encodeList(
  { prefix, channels }: Keyspace,
  queue: string,
  registry: RegistryName,
  offset: number,
  limit: number,
): ScriptValue[] {
  return LIST.values({ prefix, channels, queue, registry, offset, limit });
}

/** Jobs of any queues, by their ids; at most {@link LISTED_AT_ONCE}. */
export function encodeListOf(
  { prefix, channels }: Keyspace,
  ids: readonly string[],
): ScriptValue[] {
  const names = { prefix, channels, queue: '', registry: 'ids' };
  return [...LIST.values({ ...names, offset: 0, limit: ids.length }), ...ids];
}

/** @param queue undefined: the rows are of several queues */
export function decodeList(
  queue: string | undefined,
  registry: RegistryName,
  reply: unknown,
): ListPage {
  const [rows, looked, more] = reply as [Buffer[][], number, Buffer];
  return {
    jobs: rows.map((row) => decodeRow(queue, row, registry === 'scheduled' || queue === undefined)),
    looked: Number(looked),
    more: more.length > 0,
  };
}
