import { Script } from '../../redis/script.js';
import type { LaneWait, LimitScope, StoredStop, StoredWait } from '../limit-store.js';
import { waits } from './compiled.js';
import { numberIn } from './limit-uses.js';

/** `waits.lua` as types: the one place that knows its reply. */
export const WAITS = new Script(waits);

/** Undefined: there is no such job. */
export function decodeWait(reply: unknown): StoredWait | undefined {
  const [status, paused, suspended, due, handler, key, rows] = reply as [
    Buffer,
    number,
    number,
    Buffer,
    Buffer,
    Buffer,
    (Buffer | number)[],
  ];
  if (status.length === 0) return undefined;
  const stops: StoredStop[] = [];
  for (let at = 0; at + 6 < rows.length; at += 7) {
    const [why, scope, used = '', max = '', per = '', opensAt = '', job = ''] = rows
      .slice(at, at + 7)
      .map(String);
    stops.push({
      why: why as LaneWait,
      scope: scope as LimitScope,
      used: numberIn(used),
      max: numberIn(max),
      per: numberIn(per),
      opensAt: numberIn(opensAt),
      job: job || undefined,
    });
  }
  return {
    status: status.toString(),
    paused: paused === 1,
    suspended: suspended === 1,
    due: numberIn(due.toString()),
    lane: handler.length > 0 ? { handler: handler.toString(), key: key.toString() } : undefined,
    stops,
  };
}
