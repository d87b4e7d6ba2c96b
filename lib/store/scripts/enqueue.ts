import { given, optionFields, uniqueField } from '../../wire/fields.js';
import { type ExchangePlace, pairs } from './exchange.js';
import type { NewJob, Refusal } from '../job-store.js';
import type { Tick } from '../schedule-store.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { encodeTick } from '../../wire/tick.js';
import { describeCall } from '../../wire/description.js';
import { enqueue } from './compiled.js';

/** `enqueue.lua` as types: the one place that knows its arguments and its reply. */
export const ENQUEUE = new Script(enqueue);

export function encodeEnqueue(
  { keyspace, shared }: Pick<ExchangePlace, 'keyspace' | 'shared'>,
  jobs: readonly NewJob[],
  mode: 'all' | 'each',
): ScriptValue[] {
  if (!shared && arePlain(jobs)) return encodePlain(keyspace, jobs);
  // Jobs of a queue without options of their own share one list of fields, which travels once.
  const templates = new Map<string[], number>();
  const texts = new Map<string, string[]>();
  const queues: string[] = [];
  let levels = '';
  const rows: ScriptValue[] = [];
  let hasKeys: '' | '1' = '';
  for (const job of jobs) {
    const { options, queue } = job;
    let fields = optionFields(queue, options);
    let template = templates.get(fields);
    if (template === undefined && jobs.length > 1) {
      // The same options in objects of their own, since each job brings a key.
      const text = fields.join('\0');
      fields = texts.get(text) ?? fields;
      texts.set(text, fields);
      template = templates.get(fields);
    }
    if (template === undefined) {
      template = templates.size + 1;
      templates.set(fields, template);
      queues.push(queue);
      if (options.level !== undefined) levels += `${template} ${options.level}\n`;
    }
    // In the order of NEW_JOB_COLUMNS.
    rows.push(job.id, checkOf(job, jobs), placeOf(job), options.ttl ?? '', template, job.data);
    const { unique } = options;
    const own: string[] = typeof unique === 'object' ? uniqueField(unique, job.data) : [];
    if (job.lane !== undefined) {
      hasKeys = '1';
      own.push('nrq_lane', job.lane);
    }
    if (job.meta !== undefined) own.push('meta', job.meta);
    if (job.waitsFor?.jobs.length) own.push('nrq_given', `${given(options)}${waitingAs(job)}`);
    if (job.tick) own.push(...tickFields(job.tick, given(options)));
    const description = options.description ?? (shared ? describeCall(job.data) : undefined);
    if (description !== undefined) own.push('description', description);
    rows.push(own.length, ...own);
  }
  const { prefix, channels } = keyspace;
  const max_lengths = maxLengthsOf(jobs);
  const values = ENQUEUE.values({ prefix, channels, mode, has_keys: hasKeys, levels, max_lengths });
  values.push(templates.size);
  let index = 0;
  for (const fields of templates.keys()) {
    values.push(queues[index] as string, fields.length, ...fields);
    index += 1;
  }
  values.push(jobs.length);
  for (const value of rows) values.push(value);
  return values;
}

/** `leftOver`: queues of failed jobs of which some of the new jobs, which were to wait for them, are still to be told. */
export function decodeEnqueue(reply: unknown): {
  readonly refused: Refusal[];
  readonly leftOver: readonly string[];
} {
  const entries = pairs(reply as (number | Buffer)[], (index, text) => ({
    index: Number(index),
    text,
  }));
  return {
    refused: entries.filter(({ index }) => index > 0).map(refusalOf),
    leftOver: entries.filter(({ index }) => index === 0).map(({ text }) => text),
  };
}

function refusalOf({ index, text }: { readonly index: number; readonly text: string }): Refusal {
  const [reason, ...details] = text.split(' ') as [Refusal['reason'], ...string[]];
  const refusal = { index: index - 1, reason, holder: undefined };
  if (!WITH_HOLDER.has(reason)) return details.length > 0 ? { ...refusal, details } : refusal;
  return { ...refusal, holder: details[0] };
}

/** Of queues that may hold only so many: mostly none. */
function maxLengthsOf(jobs: readonly NewJob[]): string {
  let text = '';
  let last: string | undefined;
  for (const { queue, room } of jobs) {
    if (!room || queue === last) continue;
    last = queue;
    text += `${queue}\t${room.most ?? ''}\t${room.perKey ?? ''}\t${room.waits ? 1 : 0}\n`;
  }
  return text;
}

const WITH_HOLDER: ReadonlySet<Refusal['reason']> = new Set([
  'duplicate',
  'held',
  'replaced',
  'rekeyed',
]);

/** Where others of the call wait for a job, another one cannot take its place: that is an error. */
function checkOf({ id, check, tick, options }: NewJob, jobs: readonly NewJob[]): string {
  if (tick) return checkOfTick(tick);
  const { unique } = options;
  if (typeof unique !== 'object') return check;
  const isParent = jobs.some(({ waitsFor }) => waitsFor?.jobs.includes(id));
  const replace = unique.replace && !isParent;
  const orError = unique.orError || isParent;
  return `key${check === 'new' ? '' : ' once'}${replace ? ' replace' : ''}${orError ? ' error' : ''}`;
}

function checkOfTick(tick: Tick): string {
  const { mode, rev, due, at, next, missed, overlap, schedule } = tick;
  return ['tick', mode, rev, due, at, next, missed, overlap ? 1 : 0, schedule].join(' ');
}

/** Its letters say that there is more to read at a claim. */
function tickFields({ schedule, at }: Tick, letters: string): string[] {
  const marked = letters.includes('c') ? letters : `${letters}c`;
  return ['nrq_given', marked, 'nrq_tick', encodeTick(schedule, at)];
}

/** Where it goes, when what it waits for is over. */
function placeOf({ options, waitsFor }: NewJob): string {
  const place = placeWithoutParents(options);
  if (!waitsFor) return place;
  const { jobs, group, ifFailed } = waitsFor;
  if (group !== undefined) return `after ${ifFailed} ${place} @${group}`;
  return jobs.length > 0 ? `after ${ifFailed} ${place} ${jobs.join(',')}` : place;
}

/** Letters of `nrq_given`: one that waits for a single job and for nothing else is released together with others. */
function waitingAs({ options, waitsFor }: NewJob): string {
  return waitsFor?.jobs.length === 1 && placeWithoutParents(options) === 'back' ? 'ds' : 'd';
}

function placeWithoutParents(options: NewJob['options']): string {
  const { at, delay, atFront } = options;
  const behind = atFront ? ':front' : '';
  if (at !== undefined) return `at:${at}${behind}`;
  if (delay > 0) return `in:${delay}${behind}`;
  return atFront ? 'front' : 'back';
}

/**
 * Whether these are plain jobs, which cost the least when they are stored by themselves: nothing has to be looked at
 * before, or written beside them. (Where the data are shared with Python, each has a description of its own.)
 */
function arePlain(jobs: readonly NewJob[]): jobs is PlainJobs {
  const [first] = jobs;
  if (!first || jobs.length > MOST_PLAIN) return false;
  const { queue, options } = first;
  const { ttl, description, unique, group, level } = options;
  if (placeWithoutParents(options) !== 'back' || ttl !== undefined || group !== undefined)
    return false;
  if (description !== undefined || typeof unique === 'object' || level !== undefined) return false;
  return jobs.every(
    (job) =>
      job.queue === queue &&
      job.options === options &&
      job.check === 'new' &&
      job.meta === undefined &&
      job.lane === undefined &&
      !job.waitsFor &&
      !job.tick &&
      !job.room,
  );
}

function encodePlain({ prefix, channels }: Keyspace, jobs: PlainJobs): ScriptValue[] {
  const [{ queue, options }] = jobs;
  const fields = optionFields(queue, options);
  const values = ENQUEUE.values({
    prefix,
    channels,
    mode: 'plain',
    has_keys: '',
    levels: '',
    max_lengths: '',
  });
  values.push(1, queue, fields.length, ...fields, jobs.length);
  for (const { id, data } of jobs) values.push(id, data);
  return values;
}

type PlainJobs = readonly [NewJob, ...NewJob[]];

/** Lua's `unpack` takes so many at least. */
const MOST_PLAIN = 1000;
