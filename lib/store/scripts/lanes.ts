import { Script } from '../../redis/script.js';
import type { LaneWait, StoredLane } from '../limit-store.js';
import { lanes } from './compiled.js';

/** `lanes.lua` as types: the one place that knows its reply. */
export const LANES = new Script(lanes);

/** Keeps one script below 5 ms. */
export const LANES_AT_ONCE = 500;

export function decodeLanes(reply: unknown): StoredLane[] {
  const values = reply as (Buffer | number)[];
  const found: StoredLane[] = [];
  for (let at = 0; at + 5 < values.length; at += 6) {
    const [handler, key, waiting, running, why, opensAt] = values.slice(at, at + 6).map(String) as [
      string,
      string,
      string,
      string,
      LaneWait | '',
      string,
    ];
    found.push({
      handler,
      key,
      waiting: Number(waiting),
      running: Number(running),
      why: why || undefined,
      opensAt: opensAt === '' ? undefined : Number(opensAt),
    });
  }
  return found;
}
