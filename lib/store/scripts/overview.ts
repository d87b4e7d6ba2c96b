import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { QueueState } from '../figure-store.js';
import { overview } from './compiled.js';

/** `overview.lua` as types: the one place that knows its arguments and its reply. */
export const OVERVIEW = new Script(overview);

/** Keeps one script below 5 ms. */
export const SEEN_AT_ONCE = 100;

/** @param ages whether the ages of the oldest waiting jobs are wanted */
export function encodeOverview(
  { prefix, channels }: Keyspace,
  queues: readonly string[],
  ages: boolean,
): ScriptValue[] {
  const values = OVERVIEW.values({ prefix, channels, ages: ages ? '1' : '' });
  values.push(...queues);
  return values;
}

export function decodeOverview(queues: readonly string[], reply: unknown): QueueState[] {
  const [suspended, rows] = reply as [Buffer, (number | Buffer)[][]];
  return queues.map((queue, index) => {
    const row = rows[index] ?? [];
    const number = (at: number) => Number(row[at] ?? 0);
    const age = (at: number) => (String(row[at] ?? '') === '' ? undefined : number(at));
    return {
      queue,
      queued: number(0),
      started: number(1),
      scheduled: number(2),
      deferred: number(3),
      finished: number(4),
      failed: number(5),
      canceled: number(6),
      retrying: number(7),
      overdue: number(8),
      overdueMs: number(9),
      oldestMs: age(10),
      heldMs: age(13),
      paused: number(11) === 1,
      suspended: suspended.length > 0,
      mayStart: number(12) === 1,
    };
  });
}
