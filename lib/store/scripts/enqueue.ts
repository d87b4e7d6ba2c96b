import { optionFields, uniqueField } from '../../wire/fields.js';
import { type ExchangePlace, pairs } from './exchange.js';
import type { NewJob, Refusal } from '../job-store.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { describeCall } from '../../wire/description.js';
import { enqueue } from './compiled.js';

/** `enqueue.lua` as types: the one place that knows its arguments and its reply. */
export const ENQUEUE = new Script(enqueue);

export function encodeEnqueue(
  { keyspace, queue, shared }: ExchangePlace,
  jobs: readonly NewJob[],
  mode: 'all' | 'each',
): ScriptValue[] {
  // Jobs without options of their own share one list of fields, which travels once.
  const templates = new Map<string[], number>();
  const rows: ScriptValue[] = [];
  for (const job of jobs) {
    const { options } = job;
    const fields = optionFields(queue, options);
    let template = templates.get(fields);
    if (template === undefined) {
      template = templates.size + 1;
      templates.set(fields, template);
    }
    rows.push(job.id, checkOf(job), placeOf(job), options.ttl ?? '', template, job.data);
    const { unique } = options;
    const own: string[] = typeof unique === 'object' ? uniqueField(unique, job.data) : [];
    if (job.meta !== undefined) own.push('meta', job.meta);
    const description = options.description ?? (shared ? describeCall(job.data) : undefined);
    if (description !== undefined) own.push('description', description);
    rows.push(own.length, ...own);
  }
  const { prefix, channels } = keyspace;
  const values = ENQUEUE.values({ prefix, channels, queue, mode });
  values.push(templates.size);
  for (const fields of templates.keys()) values.push(fields.length, ...fields);
  values.push(jobs.length);
  for (const value of rows) values.push(value);
  return values;
}

export function decodeEnqueue(reply: unknown): Refusal[] {
  return pairs(reply as (number | Buffer)[], (index, text) => {
    const [reason, holder] = text.split(' ') as [Refusal['reason'], string?];
    return { index: Number(index) - 1, reason, holder };
  });
}

function checkOf({ check, options: { unique } }: NewJob): string {
  if (typeof unique !== 'object') return check;
  const { replace, orError } = unique;
  return `key${check === 'new' ? '' : ' once'}${replace ? ' replace' : ''}${orError ? ' error' : ''}`;
}

function placeOf({ options }: NewJob): string {
  const { at, delay, atFront } = options;
  const behind = atFront ? ':front' : '';
  if (at !== undefined) return `at:${at}${behind}`;
  if (delay > 0) return `in:${delay}${behind}`;
  return atFront ? 'front' : 'back';
}
