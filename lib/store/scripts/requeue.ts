import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { requeue } from './compiled.js';

/** `requeue.lua` as types: the one place that knows its arguments and its reply. */
export const REQUEUE = new Script(requeue);

/** Keeps one script below 5 ms. */
export const REQUEUED_AT_ONCE = 500;

export function encodeRequeue(
  { prefix, channels }: Keyspace,
  queue: string,
  slice: RequeueSlice,
): ScriptValue[] {
  const { registry = '', offset = 0, most, ids = [] } = slice;
  const named = { prefix, channels, queue, registry, offset, slice: REQUEUED_AT_ONCE, most };
  return [...REQUEUE.values(named), ...ids];
}

export function decodeRequeue(reply: unknown): RequeueReply {
  const [requeued, stay, looked, entries, leftOver] = (reply as number[]).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { requeued, stay, looked, entries, leftOver: leftOver > 0 };
}

/** Some ids, or a part of a registry. */
export interface RequeueSlice {
  readonly registry?: 'failed' | 'canceled';
  readonly offset?: number;
  /** How many jobs to put back at most. */
  readonly most: number;
  readonly ids?: readonly string[];
}

export interface RequeueReply {
  readonly requeued: number;
  /** Entries that could not be put back and are still there. */
  readonly stay: number;
  readonly looked: number;
  /** Entries in the registry before. */
  readonly entries: number;
  /** Jobs that wait for those are still to be told. */
  readonly leftOver: boolean;
}
