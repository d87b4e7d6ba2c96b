import { Script, type ScriptValue } from '../../redis/script.js';
import type { Lease, RenewReply } from '../job-store.js';
import { renew } from './compiled.js';
import { type ExchangePlace, executionTtl, pairs } from './exchange.js';

/** `renew.lua` as types: the one place that knows its arguments and its reply. */
export const RENEW = new Script(renew);

/** Keeps one script below 5 ms. */
export const RENEWED_AT_ONCE = 1000;

export function encodeRenew(
  { keyspace, queue, shared }: ExchangePlace,
  leaseMs: number,
  held: readonly Lease[],
): ScriptValue[] {
  const { prefix, channels } = keyspace;
  const execution_ttl = executionTtl({ shared }, leaseMs);
  const values = RENEW.values({ prefix, channels, queue, lease: leaseMs, execution_ttl });
  for (const { id, execution } of held) values.push(id, execution);
  return values;
}

export function decodeRenew(reply: unknown): RenewReply[] {
  return pairs(reply as (number | Buffer)[], (index, status) => ({
    index: Number(index) - 1,
    status,
  }));
}
