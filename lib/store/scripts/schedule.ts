import { Script, type ScriptValue } from '../../redis/script.js';
import type { ScheduleDefinition } from '../../schedule/index.js';
import { encodeDefinition } from '../../wire/schedule-record.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { ScheduleChange } from '../schedule-store.js';
import { schedule } from './compiled.js';
import { PASSIVE_MS } from './schedules.js';

/** `schedule.lua` as types: the one place that knows its arguments. */
export const SCHEDULE = new Script(schedule);

export function scheduleKeys(keys: Keyspace, id: string): readonly string[] {
  return SCHEDULE.keys({
    schedule: keys.schedule(id),
    schedules: keys.schedules,
    code: keys.codeSchedules,
    history: keys.cronHistory(id),
    cron_jobs: keys.cronJobs,
  });
}

export function encodeDefine(
  channel: string,
  definition: ScheduleDefinition,
  { from, expected, due }: ScheduleChange,
): ScriptValue[] {
  const { id, queue, rev } = definition;
  const fields = encodeDefinition(definition);
  const values = SCHEDULE.values({
    ...{ channel, act: 'define', id, queue, from, rev },
    ...{ expected: expected ?? '', due, unseen: PASSIVE_MS },
  });
  values.push(fields.length, ...fields);
  return values;
}

/** @param due of `resume` */
export function encodeAct(
  channel: string,
  act: 'remove' | 'pause' | 'resume',
  id: string,
  { queue = '', due = 0, unseen = 0 }: { queue?: string; due?: number; unseen?: number } = {},
): ScriptValue[] {
  const values = SCHEDULE.values({
    ...{ channel, act, id, queue, from: '', rev: '', expected: '', due, unseen },
  });
  values.push(0);
  return values;
}
