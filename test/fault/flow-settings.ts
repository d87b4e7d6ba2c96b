// What the queue of the flow model is like: its gates, one of each kind, and its levels.
import { encodeGate } from '../../lib/wire/index.js';

export interface GateSettings {
  readonly total?: number;
  readonly perKey?: number;
  readonly rate?: { readonly max: number; readonly per: number };
  readonly keyRate?: { readonly max: number; readonly per: number };
  readonly isKeyed: boolean;
  readonly batch?: { readonly size: number; readonly wait: number };
  readonly isStrict?: boolean;
}

export const GATES: Readonly<Record<string, GateSettings>> = {
  work: { total: 6, perKey: 2, isKeyed: true },
  serial: { perKey: 1, isKeyed: true },
  rated: { keyRate: { max: 3, per: 150 }, isKeyed: true },
  turns: { isKeyed: true },
  solo: { total: 2, isKeyed: false },
  slow: { rate: { max: 1, per: 40 }, isKeyed: false },
  bulk: { total: 9, isKeyed: true, batch: { size: 2, wait: 30 } },
  strict: { perKey: 1, isKeyed: true, isStrict: true },
};

/** The limits of the gate of this name, as Redis keeps them. */
export function textOf(name: string): string {
  const { total, perKey, rate, keyRate, isKeyed = true, batch, isStrict } = GATES[name] ?? {};
  const traits = { takesKeys: isKeyed, batch, isStrict: isStrict === true };
  return encodeGate({ total, perKey, rate, keyRate }, traits);
}

/** Jobs without limits are plain: they wait in RQ's list or in a level. */
export const NAMES: readonly string[] = [...Object.keys(GATES), 'plain', 'plain', 'plain'];

/** Undefined is `normal`. */
export type Level = 'high' | 'low' | undefined;

export const LEVELS: readonly Level[] = [undefined, undefined, 'high', 'low'];
/** There is no `low` in lanes. */
export const LEVELS_IN_LANES: readonly Level[] = [undefined, undefined, undefined, 'high'];

const TENANTS = ['a', 'b', 'c', 'd', 'e', ''];
/** Where jobs of one key have to meet. */
const FEW_TENANTS = ['a', 'b'];

/** Which keys the jobs of this name have. */
export function keysOf(name: string): readonly string[] {
  const { isKeyed, isStrict, batch } = GATES[name] ?? {};
  if (!isKeyed) return [''];
  return isStrict || batch ? FEW_TENANTS : TENANTS;
}

/** Of the queue as a whole; nothing is claimed ahead where there is one. */
export const QUEUE_TOTAL = 20;
/** How many jobs of this handler each worker takes at once. */
export const TURNS_ROOM = 3;
