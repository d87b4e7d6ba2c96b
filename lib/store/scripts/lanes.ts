import { Script } from '../../redis/script.js';
import type { LaneWait, LimitScope, StoredLane } from '../limit-store.js';
import { lanes } from './compiled.js';
import { numberIn } from './limit-uses.js';

/** `lanes.lua` as types: the one place that knows its reply. */
export const LANES = new Script(lanes);

/** Keeps one script below 5 ms. */
export const LANES_AT_ONCE = 250;

export function decodeLanes(reply: unknown): StoredLane[] {
  const values = (reply as (Buffer | number)[]).map(String);
  const found: StoredLane[] = [];
  for (let at = 0; at + 10 < values.length; at += 11) {
    const [handler = '', key = '', waiting, running, why, opensAt = '', scope, ...numbers] =
      values.slice(at, at + 11);
    const [used, max, per, since] = numbers.map(numberIn);
    found.push({
      handler,
      key,
      waiting: Number(waiting),
      running: Number(running),
      why: (why || undefined) as LaneWait | undefined,
      opensAt: numberIn(opensAt),
      scope: (scope || undefined) as LimitScope | undefined,
      used,
      max,
      per,
      since,
    });
  }
  return found;
}
