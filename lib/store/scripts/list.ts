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

export function decodeList(queue: string, registry: RegistryName, reply: unknown): ListPage {
  const [rows, looked, more] = reply as [Buffer[][], number, Buffer];
  return {
    jobs: rows.map((row) => decodeRow(queue, row, registry === 'scheduled')),
    looked: Number(looked),
    more: more.length > 0,
  };
}
