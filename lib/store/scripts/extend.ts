import type { GuardedScript } from '../../redis/lease-guard-thread.js';
import { Script, inSlot, withNeverThere } from '../../redis/script.js';
import { extend as compiled } from './compiled.js';

const EXTEND = new Script(compiled);

/** `extend.lua` for a thread that has no client of Redis: text and arguments. They are the same at each call but for what is over. */
export function extend(
  registries: readonly string[],
  token: string,
  leaseMs: number,
  layout: 'shared' | 'cluster' = 'shared',
): GuardedScript {
  const all = [...EXTEND.values({ lease: leaseMs, token, over: '' }), ...registries];
  const values = all.map(String);
  const overAt = compiled.values.indexOf('over');
  if (layout === 'shared') return { text: compiled.text, values, overAt };
  return { text: inSlot(compiled.text), keys: withNeverThere(registries), values, overAt };
}
