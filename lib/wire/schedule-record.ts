import type { ResolvedJobOptions } from '../job/index.js';
import { type ScheduleDefinition, decodeWhen, encodeWhen } from '../schedule/index.js';
import { wholeNumber } from './job-record.js';
import { jsonObject } from './stored-text.js';

/**
 * A schedule as it stands in Redis: a hash of our own. What defines it is written together; the rest says how far it is.
 *
 * | Field | Holds |
 * |---|---|
 * | `queue`, `name`, `data`, `meta`, `options` | of the jobs; `options` is JSON |
 * | `when` | JSON: `cron` and `tz`, or `every` (ms) |
 * | `missed`, `overlap` | the rules; `overlap` is `0` when it is off |
 * | `rev` | revision of the definition |
 * | `from` | `code` or `api` |
 * | `seen`, `older` | of a definition in code: when a process with it was there last (ms), revisions that it replaced |
 * | `last`, `last_at`, `last_job` | the last tick that was fired, when (ms both), and its job |
 * | `missed_ticks`, `skipped_ticks` | how many got no job: nobody was there; the last one's had not ended |
 * | `paused` | `1` |
 */
export interface ScheduleRecord {
  readonly id: string;
  /** Undefined: it cannot be read. */
  readonly definition: ScheduleDefinition | undefined;
  readonly queue: string;
  readonly rev: string;
  readonly from: 'code' | 'api';
  /** Text of `when`. */
  readonly when: string;
  /** Milliseconds since the epoch, as all that follow; undefined: it is paused. */
  readonly due: number | undefined;
  readonly seen: number;
  /** 0: none. */
  readonly last: number;
  readonly lastAt: number | undefined;
  readonly lastJobId: string | undefined;
  readonly missed: number;
  readonly skipped: number;
  readonly paused: boolean;
}

/** What defines a schedule, as fields: field, value, ... */
export function encodeDefinition(definition: ScheduleDefinition): string[] {
  const { queue, name, when, missed, overlap, data, meta, options } = definition;
  return [
    ...['queue', queue, 'name', name, 'when', encodeWhen(when), 'missed', missed],
    ...['overlap', overlap ? '1' : '0', 'data', data, 'options', JSON.stringify(options)],
    ...['meta', meta ?? ''],
  ];
}

/** @param due its score among the schedules */
export function decodeSchedule(
  id: string,
  fields: Readonly<Record<string, string>>,
  due: string | null | undefined,
): ScheduleRecord | undefined {
  const { queue, rev, from, when } = fields;
  if (queue === undefined || rev === undefined || when === undefined) return undefined;
  const score = due === null || due === undefined ? NaN : Number(due);
  return {
    id,
    definition: definitionIn(id, fields),
    queue,
    rev,
    from: from === 'code' ? 'code' : 'api',
    when,
    due: Number.isFinite(score) ? score : undefined,
    seen: wholeNumber(fields['seen']) ?? 0,
    last: wholeNumber(fields['last']) ?? 0,
    lastAt: wholeNumber(fields['last_at']),
    lastJobId: fields['last_job'],
    missed: wholeNumber(fields['missed_ticks']) ?? 0,
    skipped: wholeNumber(fields['skipped_ticks']) ?? 0,
    paused: fields['paused'] === '1',
  };
}

/** Another version may have written what this one cannot read. */
function definitionIn(
  id: string,
  fields: Readonly<Record<string, string>>,
): ScheduleDefinition | undefined {
  const { queue, name, data, rev, missed } = fields;
  const when = decodeWhen(fields['when']);
  const options = jsonObject(fields['options']);
  const isKnown = missed === 'once' || missed === 'skip' || missed === 'all';
  const { timeout, delay } = options ?? {};
  const areOptions = typeof timeout === 'number' && typeof delay === 'number';
  if (!when || !areOptions || !isKnown) return undefined;
  if (queue === undefined || name === undefined || data === undefined || rev === undefined) {
    return undefined;
  }
  return {
    id,
    queue,
    name,
    when,
    missed,
    overlap: fields['overlap'] !== '0',
    data,
    meta: fields['meta'] || undefined,
    options: options as unknown as ResolvedJobOptions,
    rev,
  };
}
