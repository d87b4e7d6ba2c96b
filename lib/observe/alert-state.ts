import {
  type AlertFailure,
  type Measured,
  type RqAlert,
  alertId,
  alertSentence,
  readAlertFailure,
} from './alert.js';
import { ALERT_RULES, type AlertRule, type AlertSeverity } from './alert-options.js';

/**
 * How an alert comes and goes. What is beyond its limit is *pending* until it has lasted, then *firing*; it is over after
 * two looks at which it was well below the limit, so that nothing that stands at a limit is told again and again.
 *
 * All of it is in Redis, so it goes on where it was when the process that looks is another one.
 */
export interface AlertRecord {
  readonly rule: AlertRule;
  readonly queue: string;
  readonly job?: string;
  readonly lastFailure?: AlertFailure | undefined;
  readonly state: 'pending' | 'firing' | 'resolved';
  readonly severity: AlertSeverity;
  readonly value: number;
  readonly limit: number;
  /** Milliseconds since the epoch by Redis's clock, like the others: when it was beyond its limit first. */
  readonly since: number;
  /** Of the last look. */
  readonly at: number;
  /** How many looks in a row have found it well below its limit. */
  readonly calm: number;
}

export interface Change {
  readonly records: ReadonlyMap<string, AlertRecord>;
  /** Ids of which nothing need be known any more. */
  readonly gone: readonly string[];
  /** Those that have begun or are over just now. */
  readonly told: readonly AlertRecord[];
}

/** What becomes of the alerts with one look. @param everyMs between two looks */
export function nextRecords(
  known: ReadonlyMap<string, AlertRecord>,
  measured: readonly Measured[],
  now: number,
  everyMs: number,
): Change {
  const records = new Map<string, AlertRecord>();
  const gone: string[] = [];
  const told: AlertRecord[] = [];
  const keep = (id: string, record: AlertRecord, isNews: boolean) => {
    records.set(id, record);
    if (isNews) told.push(record);
  };
  // What is over is still to be told by whoever has not looked yet.
  const keepWhileTellable = (id: string, record: AlertRecord) => {
    if (record.state === 'resolved' && now - record.at < TELLABLE_MS) keep(id, record, false);
    else gone.push(id);
  };
  const seen = new Set<string>();
  for (const one of measured) {
    const id = alertId(one);
    seen.add(id);
    const before = known.get(id);
    const next = nextRecord(before, one, now, everyMs);
    if (next) keep(id, next, next.state !== 'pending' && next.state !== before?.state);
    else if (before) keepWhileTellable(id, before);
  }
  for (const [id, record] of known) {
    if (seen.has(id)) continue;
    // Its queue is gone, or nobody asks for its rule any more.
    if (record.state === 'firing') {
      keep(id, { ...record, state: 'resolved', at: now }, true);
    } else keepWhileTellable(id, record);
  }
  return { records, gone, told };
}

function nextRecord(
  before: AlertRecord | undefined,
  measured: Measured,
  now: number,
  everyMs: number,
): AlertRecord | undefined {
  const { rule, queue, job, lastFailure, value, limit, severity, isBeyond, isCalm, lastsMs } =
    measured;
  const ofJob = { ...(job === undefined ? {} : { job }), ...(lastFailure && { lastFailure }) };
  const about = { rule, queue, ...ofJob, severity, limit, at: now };
  if (before?.state === 'firing') {
    const calm = isCalm ? before.calm + 1 : 0;
    if (calm >= CALM_LOOKS) return { ...before, ...about, value, state: 'resolved', calm };
    return { ...before, ...about, value: valueOf(measured, before.since, now), calm };
  }
  if (!isBeyond) return undefined;
  const since = before?.state === 'pending' ? before.since : now;
  // The first look cannot tell for how long it has been so; half a step is left to timers that are early.
  const lasts = lastsMs === undefined ? 0 : Math.max(lastsMs, everyMs / 2);
  const state = now - since >= lasts ? 'firing' : 'pending';
  return { ...about, value: valueOf(measured, since, now), state, since, calm: 0 };
}

function valueOf({ rule, value }: Measured, since: number, now: number): number {
  return rule === 'paused' ? now - since : value;
}

const CALM_LOOKS = 2;
/** Milliseconds for which a process may tell people late. */
export const TELLABLE_MS = 300_000;

/** An alert as people hear of it. @param mutedUntil milliseconds since the epoch */
export function alertOf(id: string, record: AlertRecord, mutedUntil?: number): RqAlert {
  const { rule, queue, job, lastFailure, value, limit, severity, since, at } = record;
  const isOver = record.state === 'resolved';
  const isMuted = !isOver && mutedUntil !== undefined;
  return {
    id,
    rule,
    queue,
    job,
    lastFailure,
    value,
    limit,
    severity,
    state: isOver ? 'resolved' : isMuted ? 'muted' : 'firing',
    mutedUntil: isMuted ? new Date(mutedUntil) : undefined,
    since: new Date(since),
    at: new Date(at),
    sentence: alertSentence({ rule, queue, job, lastFailure, value, limit }, isOver),
  };
}

/** The alerts that go on, the critical ones first, then those that have gone on for longest. */
export function firingAlerts(texts: Readonly<Record<string, string>>, now: number): RqAlert[] {
  const mutes = readMutes(texts);
  return [...readRecords(texts)]
    .filter(([, { state }]) => state === 'firing')
    .map(([id, record]) => {
      const until = mutes.get(id) ?? 0;
      return alertOf(id, record, until > now ? until : undefined);
    })
    .toSorted(
      (one, other) =>
        Number(other.severity === 'critical') - Number(one.severity === 'critical') ||
        one.since.getTime() - other.since.getTime(),
    );
}

/** Until when nobody is told of an alert, by its id (milliseconds since the epoch); beside the records, in the same hash. */
export function readMutes(texts: Readonly<Record<string, string>>): Map<string, number> {
  const fields = Object.entries(texts).filter(([field]) => field.startsWith(MUTE));
  return new Map(fields.map(([field, until]) => [field.slice(MUTE.length), Number(until) || 0]));
}

/** The field of a mute. */
export function muteField(id: string): string {
  return MUTE + id;
}

/** No queue's name has a line break. */
const MUTE = 'mute\n';

/** What is known of alerts, as it stands in Redis, where anybody may have written: what makes no sense is left out. */
export function readRecords(texts: Readonly<Record<string, string>>): Map<string, AlertRecord> {
  const records = new Map<string, AlertRecord>();
  for (const [id, text] of Object.entries(texts)) {
    const record = readRecord(text);
    if (record && alertId(record) === id) records.set(id, record);
  }
  return records;
}

function readRecord(text: string): AlertRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<AlertRecord>;
    const { rule, queue, job, state, severity, value, limit, since, at, calm } = record;
    if (typeof queue !== 'string' || !RULES.has(rule as AlertRule)) return undefined;
    if (!STATES.has(state as string) || !isNumber(value, limit, since, at, calm)) return undefined;
    const lastFailure = readAlertFailure(record.lastFailure);
    const numbers = { value, limit, since, at, calm } as Pick<AlertRecord, NumberKey>;
    return {
      rule: rule as AlertRule,
      queue,
      ...(typeof job === 'string' ? { job } : {}),
      ...(lastFailure && { lastFailure }),
      state: state as AlertRecord['state'],
      severity: severity === 'critical' ? 'critical' : 'warning',
      ...numbers,
    };
  } catch {
    return undefined;
  }
}

type NumberKey = 'value' | 'limit' | 'since' | 'at' | 'calm';

/** Finite, and what a date can be. */
function isNumber(...values: unknown[]): boolean {
  return values.every((value) => typeof value === 'number' && Math.abs(value) <= 8.64e15);
}

const STATES: ReadonlySet<string> = new Set(['pending', 'firing', 'resolved']);
const RULES: ReadonlySet<AlertRule> = new Set(ALERT_RULES);
