import type { RenewalScript } from '../../redis/renewal-link.js';
import { Script, inSlot, withNeverThere } from '../../redis/script.js';
import { extend as compiled } from './compiled.js';

const EXTEND = new Script(compiled);

/** `extend.lua` for a thread that has no client of Redis: text and arguments, the same at each call. */
export function extend(
  registries: readonly string[],
  token: string,
  leaseMs: number,
  layout: 'shared' | 'cluster' = 'shared',
): RenewalScript {
  const all = [...EXTEND.values({ lease: leaseMs, token }), ...registries];
  const values = all.map(String);
  if (layout === 'shared') return { text: compiled.text, values };
  return { text: inSlot(compiled.text), keys: withNeverThere(registries), values };
}
