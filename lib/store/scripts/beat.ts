import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { CountedJobs, WorkerActivity } from '../figure-store.js';
import { beat } from './compiled.js';

/** `beat.lua` as types: the one place that knows its arguments. */
export const BEAT = new Script(beat);

export function encodeBeat(
  { prefix, channels }: Keyspace,
  { ttl, state, finished, failed, seconds, begins, queues, birth, activity, figures }: Beat,
): ScriptValue[] {
  const values = BEAT.values({
    prefix,
    channels,
    ttl,
    state,
    finished,
    failed,
    seconds,
    activity: activityText(queues, activity),
    figures: figures ? figuresText(queues, figures) : '[]',
    begins: begins ? '1' : '',
  });
  const fields = Object.entries(birth).flat();
  values.push(queues.length, ...queues, fields.length, ...fields);
  return values;
}

export interface Beat {
  /** Seconds. */
  readonly ttl: number;
  readonly state: string;
  readonly finished: number;
  readonly failed: number;
  readonly seconds: number;
  /** The worker starts. */
  readonly begins: boolean;
  readonly queues: readonly string[];
  /** Fields of its hash that do not change. */
  readonly birth: Readonly<Record<string, string | number>>;
  readonly activity: WorkerActivity | undefined;
  /** Undefined: nothing is counted. */
  readonly figures: readonly CountedJobs[] | undefined;
}

function activityText(queues: readonly string[], activity: WorkerActivity | undefined): string {
  if (!activity) return '[]';
  const { slots, queueSlots, busy, rss, lagMs, everyMs, running } = activity;
  const runs = JSON.stringify(
    running.map(({ id, queue, name, since }) => [id, queue, name, since]),
  );
  const fields = {
    nrq_slots: slots,
    nrq_queue_slots: queues.map((queue) => queueSlots.get(queue) ?? 0).join(','),
    nrq_busy: busy,
    nrq_rss: rss,
    nrq_lag: Math.round(lagMs),
    nrq_every: everyMs,
    nrq_running: runs,
  };
  return JSON.stringify(Object.entries(fields).flatMap(([name, value]) => [name, String(value)]));
}

/** Queues without counts, too: how they stand is seen with the beat. */
function figuresText(queues: readonly string[], counted: readonly CountedJobs[]): string {
  const byQueue = new Map<string, [string, readonly number[]][]>(queues.map((name) => [name, []]));
  for (const { queue, name, figures } of counted) {
    const jobs = byQueue.get(queue) ?? [];
    jobs.push([name, figures]);
    byQueue.set(queue, jobs);
  }
  return JSON.stringify([...byQueue]);
}
