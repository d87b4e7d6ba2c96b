import { given, optionFields, uniqueField } from '../../wire/fields.js';
import { type ExchangePlace, pairs } from './exchange.js';
import type { NewJob, Refusal } from '../job-store.js';
import type { Tick } from '../schedule-store.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { encodeTick } from '../../wire/tick.js';
import { describeCall } from '../../wire/description.js';
import { enqueue } from './compiled.js';

/** `enqueue.lua` as types: the one place that knows its arguments and its reply. */
export const ENQUEUE = new Script(enqueue);

/** Seconds: twice as long as a list of queues is used (see store/dependencies.ts). */
export const HUNG_SECONDS = 120;

export function encodeEnqueue(
  { keyspace, shared }: Pick<ExchangePlace, 'keyspace' | 'shared'>,
  jobs: readonly NewJob[],
  mode: 'all' | 'each',
): ScriptValue[] {
  // Jobs without options of their own share one list of fields, which travels once.
  const templates = new Map<string[], number>();
  const queues: string[] = [];
  const places: number[] = [];
  const rows: ScriptValue[] = [];
  for (const job of jobs) {
    const { options, queue } = job;
    const fields = optionFields(queue, options);
    let template = templates.get(fields);
    if (template === undefined) {
      template = templates.size + 1;
      templates.set(fields, template);
      places.push(numberOf(queue, queues));
    }
    rows.push(job.id, checkOf(job, jobs), placeOf(job), options.ttl ?? '', template, job.data);
    const { unique } = options;
    const own: string[] = typeof unique === 'object' ? uniqueField(unique, job.data) : [];
    if (job.meta !== undefined) own.push('meta', job.meta);
    if (job.waitsFor?.jobs.length) own.push('nrq_given', `${given(options)}d`);
    if (job.tick) own.push(...tickFields(job.tick, given(options)));
    const description = options.description ?? (shared ? describeCall(job.data) : undefined);
    if (description !== undefined) own.push('description', description);
    rows.push(own.length, ...own);
  }
  const { prefix, channels } = keyspace;
  const values = ENQUEUE.values({ prefix, channels, hung_seconds: HUNG_SECONDS, mode });
  values.push(queues.length, ...queues, templates.size);
  let index = 0;
  for (const fields of templates.keys()) {
    values.push(places[index] as number, fields.length, ...fields);
    index += 1;
  }
  values.push(jobs.length);
  for (const value of rows) values.push(value);
  return values;
}

export function decodeEnqueue(reply: unknown): Refusal[] {
  return pairs(reply as (number | Buffer)[], (index, text) => {
    const [reason, ...details] = text.split(' ') as [Refusal['reason'], ...string[]];
    const holder = WITH_HOLDER.has(reason) ? details[0] : undefined;
    return { index: Number(index) - 1, reason, holder, details };
  });
}

const WITH_HOLDER: ReadonlySet<Refusal['reason']> = new Set(['duplicate', 'held', 'replaced']);

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
  const marked = letters.includes('x') ? letters : `${letters}x`;
  return ['nrq_given', marked, 'nrq_tick', encodeTick(schedule, at)];
}

/** 1-based place in a list, of which it becomes the last unless it is there. */
function numberOf(queue: string, queues: string[]): number {
  const index = queues.indexOf(queue);
  return index === -1 ? queues.push(queue) : index + 1;
}

/** Where it goes, when what it waits for is over. */
function placeOf({ options, waitsFor }: NewJob): string {
  const place = placeWithoutParents(options);
  return waitsFor && waitsFor.jobs.length > 0
    ? `after ${waitsFor.ifFailed} ${place} ${waitsFor.jobs.join(',')}`
    : place;
}

function placeWithoutParents(options: NewJob['options']): string {
  const { at, delay, atFront } = options;
  const behind = atFront ? ':front' : '';
  if (at !== undefined) return `at:${at}${behind}`;
  if (delay > 0) return `in:${delay}${behind}`;
  return atFront ? 'front' : 'back';
}
