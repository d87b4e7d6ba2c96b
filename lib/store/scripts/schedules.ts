import { LONGEST_DURATION } from '../../job/index.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import type { LookReply, LookRequest, OwnSchedule } from '../schedule-store.js';
import { schedules } from './compiled.js';

/** `schedules.lua` as types: the one place that knows its arguments and its reply. */
export const SCHEDULES = new Script(schedules);

/** Milliseconds after which a definition in code that no process holds any more gives way to an older one. */
export const PASSIVE_MS = 90_000;

export function encodeLook(prefix: string, { own, withinMs }: LookRequest): ScriptValue[] {
  const values = SCHEDULES.values({
    prefix,
    within: Math.min(withinMs, LONGEST_DURATION),
    most: TOLD_AT_ONCE,
    passive: PASSIVE_MS,
    tidy_each: TIDY_EACH_MS,
  });
  values.push(own.length);
  for (const { id, rev } of own) values.push(id, rev);
  return values;
}

export function decodeLook(reply: unknown): LookReply {
  const [now, own, soon, more, tidies] = reply as [Buffer, Buffer[][], Buffer[], Buffer, Buffer];
  const told: LookReply['soon'][number][] = [];
  for (let at = 0; at + 2 < soon.length; at += 3) {
    const [id, rev, due] = soon.slice(at, at + 3).map(String) as [string, string, string];
    told.push({ id, rev, due: Number(due) });
  }
  return {
    now: Number(now),
    own: own.map((fields) => ownSchedule(fields.map(String))),
    soon: told,
    more: more.length > 0,
    tidies: tidies.length > 0,
  };
}

function ownSchedule(fields: readonly string[]): OwnSchedule {
  const [state = '', rev = '', due, when = '', seen, last] = fields;
  const dueAt = due ? Number(due) : undefined;
  if (state === 'live') return { state, due: dueAt };
  if (state !== 'takeable') return { state: state as 'absent' | 'passive' | 'api' };
  return { state, rev, when, due: dueAt, seen: Number(seen || 0), last: Number(last || 0) };
}

const TOLD_AT_ONCE = 1000;
const TIDY_EACH_MS = 25_000;
