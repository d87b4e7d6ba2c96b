import type { Keyspace } from '../../wire/keyspace.js';
import { decodeGate, decodeQueueLimits } from '../../wire/limit-text.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import type { LimitChange, LimitDeclaration } from '../limit-store.js';
import { limits } from './compiled.js';

/** `limits.lua` as types: the one place that knows its arguments and its reply. */
export const LIMITS = new Script(limits);

export function encodeDeclaration(
  { prefix, channels }: Keyspace,
  queue: string,
  { gates, plain, queue: whole }: LimitDeclaration,
  isAgain: boolean,
): ScriptValue[] {
  const mode = isAgain ? 'again' : 'declare';
  const values = LIMITS.values({ prefix, channels, queue, mode, whole: whole ?? '?' });
  values.push(gates.size + (isAgain ? 0 : plain.length));
  for (const [name, text] of gates) values.push(name, text);
  if (!isAgain) for (const name of plain) values.push(name, '');
  return values;
}

/** @param ofKey the field is one of a key's limits */
export function encodeSetting(
  { prefix, channels }: Keyspace,
  queue: string,
  { ofKey, field, text }: { ofKey: boolean; field: string; text: string },
): ScriptValue[] {
  const values = LIMITS.values({ prefix, channels, queue, mode: 'set', whole: '?' });
  values.push(ofKey ? 2 : 1, field, text);
  return values;
}

export function decodeChanges(reply: unknown): LimitChange[] {
  const texts = (reply as Buffer[]).map(String);
  const changes: LimitChange[] = [];
  for (let at = 0; at + 2 < texts.length; at += 3) {
    const [name, before, after] = texts.slice(at, at + 3) as [string, string, string];
    const read = name === '' ? limitsOfQueue : limitsOfGate;
    const handler = name === '' ? undefined : name;
    changes.push({ handler, before: read(before), after: read(after) });
  }
  return changes;
}

function limitsOfGate(text: string) {
  return decodeGate(text) ?? NO_LIMITS;
}

function limitsOfQueue(text: string) {
  return { ...NO_LIMITS, ...decodeQueueLimits(text) };
}

const NO_LIMITS = { total: undefined, perKey: undefined, rate: undefined, keyRate: undefined };
