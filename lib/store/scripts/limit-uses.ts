import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { LimitTarget, StoredUse } from '../limit-store.js';
import { limitUses } from './compiled.js';

/** `limit-uses.lua` as types: the one place that knows its arguments and its reply. */
export const LIMIT_USES = new Script(limitUses);

/** Keeps one script below 5 ms. */
export const USES_AT_ONCE = 500;

export function encodeTargets(
  { prefix, channels }: Keyspace,
  queue: string,
  targets: readonly LimitTarget[],
): ScriptValue[] {
  const values = LIMIT_USES.values({ prefix, channels, queue });
  for (const { handler = '', key } of targets) {
    values.push(key === undefined ? handler : `${handler}\t${key}`);
  }
  return values;
}

export function decodeUses(reply: unknown): StoredUse[][] {
  return (reply as (Buffer | number)[][]).map((row) => {
    const uses: StoredUse[] = [];
    for (let at = 0; at + 5 < row.length; at += 6) {
      const [why = '', used = '', max = '', per = '', stops, opensAt = ''] = row
        .slice(at, at + 6)
        .map(String);
      uses.push({
        why: why as StoredUse['why'],
        used: numberIn(used),
        max: numberIn(max),
        per: numberIn(per),
        stops: stops === '1',
        opensAt: numberIn(opensAt),
      });
    }
    return uses;
  });
}

/** Undefined: it is not known, or there is none. */
export function numberIn(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}
