import type { RenewalScript } from '../../redis/renewal-link.js';
import { Script } from '../../redis/script.js';
import { extend as compiled } from './compiled.js';

const EXTEND = new Script(compiled);

/** `extend.lua` for a thread that has no client of Redis: text and arguments, the same at each call. */
export function extend(
  registries: readonly string[],
  token: string,
  leaseMs: number,
): RenewalScript {
  const values = [...EXTEND.values({ lease: leaseMs, token }), ...registries];
  return { text: compiled.text, values: values.map(String) };
}
