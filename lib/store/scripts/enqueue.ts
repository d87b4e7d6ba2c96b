import { given, optionFields } from '../../wire/fields.js';
import { type ExchangePlace, pairs } from './exchange.js';
import type { NewJob, Refusal } from '../job-store.js';
import type { Tick } from '../schedule-store.js';
import { Script, type ScriptValue } from '../../redis/script.js';
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
    rows.push(job.id, checkOf(job), placeOf(job), options.ttl ?? '', template, job.data);
    const own: string[] = [];
    if (job.meta !== undefined) own.push('meta', job.meta);
    if (job.tick) own.push(...tickFields(job.tick, given(options)));
    const description = options.description ?? (shared ? describeCall(job.data) : undefined);
    if (description !== undefined) own.push('description', description);
    rows.push(own.length, ...own);
  }
  const { prefix, channels } = keyspace;
  const values = ENQUEUE.values({ prefix, channels, mode });
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
    return { index: Number(index) - 1, reason, details };
  });
}

function checkOf({ check, tick }: NewJob): string {
  if (!tick) return check;
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

function placeOf({ options }: NewJob): string {
  const { at, delay, atFront } = options;
  const behind = atFront ? ':front' : '';
  if (at !== undefined) return `at:${at}${behind}`;
  if (delay > 0) return `in:${delay}${behind}`;
  return atFront ? 'front' : 'back';
}
