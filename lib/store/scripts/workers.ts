import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { dateOf, wholeNumber } from '../../wire/job-record.js';
import type { RunningNow, WorkerState } from '../figure-store.js';
import { workers } from './compiled.js';

/** `workers.lua` as types: the one place that knows its arguments and its reply. */
export const WORKERS = new Script(workers);

const FIELDS = [
  'queues',
  'state',
  'hostname',
  'pid',
  'version',
  'birth',
  'death',
  'last_heartbeat',
  'successful_job_count',
  'failed_job_count',
  'total_working_time',
  'current_job',
  'nrq_version',
  'nrq_slots',
  'nrq_queue_slots',
  'nrq_busy',
  'nrq_rss',
  'nrq_lag',
  'nrq_every',
  'nrq_running',
] as const;

export function encodeWorkers({ prefix }: Keyspace): ScriptValue[] {
  return [...WORKERS.values({ prefix }), ...FIELDS];
}

/** Anybody may have written a worker: what makes no sense counts as absent. Those that have stopped are left out. */
export function decodeWorkers({ prefix }: Keyspace, reply: unknown): WorkerState[] {
  const [clock, rows] = reply as [Buffer, Buffer[][]];
  return rows
    .map((row) => row.map(String))
    .filter((row) => row[1 + FIELDS.indexOf('death')] === '')
    .map((row) => stateOf(row, `${prefix}worker:`, Number(clock)))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function stateOf(row: readonly string[], prefix: string, now: number): WorkerState {
  const text = (name: (typeof FIELDS)[number]) => row[1 + FIELDS.indexOf(name)] || undefined;
  const whole = (name: (typeof FIELDS)[number]) => wholeNumber(text(name));
  const isOurs = text('nrq_version') !== undefined;
  const seen = dateOf(text('last_heartbeat'))?.getTime();
  const silentMs = seen === undefined ? undefined : Math.max(0, now - seen);
  const everyMs = whole('nrq_every') ?? (isOurs ? OUR_BEAT_MS : PYTHONS_BEAT_MS);
  const current = text('current_job');
  const queues = text('queues')?.split(',') ?? [];
  return {
    name: (row[0] ?? '').slice(prefix.length),
    queues,
    state: text('state') ?? '',
    kind: isOurs || text('version') === 'nestjs-rq' ? 'node' : 'python',
    host: text('hostname'),
    pid: whole('pid'),
    version: text('nrq_version') ?? text('version'),
    startedAt: dateOf(text('birth')),
    silentMs,
    isAlive: silentMs !== undefined && silentMs <= 3 * everyMs,
    slots: isOurs ? whole('nrq_slots') : 1,
    queueSlots: slotsOf(queues, text('nrq_queue_slots')),
    busy: whole('nrq_busy') ?? (text('state') === 'busy' ? 1 : 0),
    rss: whole('nrq_rss'),
    lagMs: whole('nrq_lag'),
    finished: whole('successful_job_count') ?? 0,
    failed: whole('failed_job_count') ?? 0,
    workedMs: Math.round((Number(text('total_working_time')) || 0) * 1000),
    running: current
      ? [{ id: current, queue: '', name: '', since: NaN }]
      : runsIn(text('nrq_running')),
  };
}

/** Numbers in the order of the queues. */
function slotsOf(
  queues: readonly string[],
  text: string | undefined,
): Readonly<Record<string, number>> | undefined {
  const counts = text?.split(',').map((count) => wholeNumber(count)) ?? [];
  const slots = queues.flatMap((queue, index) => {
    const count = counts[index];
    return count === undefined || count < 0 ? [] : [[queue, count] as const];
  });
  return slots.length > 0 && slots.length === queues.length ? Object.fromEntries(slots) : undefined;
}

function runsIn(json: string | undefined): RunningNow[] {
  try {
    const list: unknown = JSON.parse(json ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.slice(0, MOST_RUNS).flatMap((run: unknown) => {
      const [id, queue, name, since] = Array.isArray(run) ? (run as unknown[]) : [];
      const isRun = typeof id === 'string' && typeof queue === 'string' && typeof name === 'string';
      return isRun ? [{ id, queue, name, since: Number(since) }] : [];
    });
  } catch {
    return [];
  }
}

const OUR_BEAT_MS = 10_000;
/** RQ's workers show themselves before each job, and every 405 seconds while they wait for one. */
const PYTHONS_BEAT_MS = 405_000;
const MOST_RUNS = 20;
