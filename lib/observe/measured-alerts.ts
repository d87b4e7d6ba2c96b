import type { CriticalFailures } from '../store/index.js';
import { type AlertFailure, type Measured, readAlertFailure } from './alert.js';
import type { AlertLimits, AlertRule, ResolvedAlerts } from './alert-options.js';
import type { QueueOverview } from './overview.js';

/** What is asked beside how the queues stand. */
export interface Findable {
  /** How many jobs of a queue failed for good in so many milliseconds. */
  exhausted(queue: string, perMs: number): Promise<number>;
  readonly critical: readonly CriticalFailures[];
  /** Redis's clock. */
  readonly now: number;
}

/** Holds each queue, as it stands, against the limits of every rule. */
export async function measure(
  queues: readonly QueueOverview[],
  options: ResolvedAlerts,
  found: Findable,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const state of queues) {
    const limits = options.limitsOf(state.queue);
    measured.push(...ofState(state, limits, options.forMs));
    if (limits.exhausted === false) continue;
    const { max, per } = limits.exhausted;
    const value = await found.exhausted(state.queue, per);
    const { queue } = state;
    const severity = limits.severity ?? 'warning';
    measured.push(above({ rule: 'exhausted', queue, severity, lastsMs: undefined }, value, max));
  }
  for (const { queue, job, count, last, lastFailure } of found.critical) {
    const isRecent = found.now - last < CRITICAL_FOR_MS;
    const value = isRecent ? count : 0;
    const about = {
      rule: 'critical',
      queue,
      job,
      lastFailure: readFailure(lastFailure),
      severity: 'critical',
      lastsMs: undefined,
    } as const;
    measured.push(above(about, value, 0));
  }
  return measured;
}

function readFailure(text: string | undefined): AlertFailure | undefined {
  try {
    return readAlertFailure(JSON.parse(text ?? 'null'));
  } catch {
    return undefined;
  }
}

/** Milliseconds without another failure after which a critical job counts as well again. */
export const CRITICAL_FOR_MS = 300_000;

type About = Pick<Measured, 'rule' | 'queue' | 'job' | 'lastFailure' | 'severity' | 'lastsMs'>;

function ofState(state: QueueOverview, limits: AlertLimits, lastsMs: number): Measured[] {
  const { queue, oldestMs = 0, queued, retrying, overdue, overdueMs } = state;
  const isHeldUp = state.paused || state.suspended;
  const measured: Measured[] = [];
  const about = (rule: AlertRule, standard: Measured['severity'] = 'warning'): About => ({
    rule,
    queue,
    severity: limits.severity ?? standard,
    lastsMs,
  });
  const add = (rule: AlertRule, limit: number | false, value: number) => {
    if (limit !== false) measured.push(above(about(rule), value, limit));
  };
  // What waits in a paused queue is old since somebody wants it so.
  add('oldest', limits.oldest, isHeldUp || !state.mayStart ? 0 : oldestMs);
  add('backlog', limits.backlog, queued);
  add('retrying', limits.retrying, retrying);
  add('overdue', limits.overdue, overdue > 0 ? overdueMs : 0);
  if (limits.workers !== false) {
    measured.push(ofWorkers(state, limits.workers, about('workers', 'critical')));
  }
  if (limits.paused !== false) {
    const lasts = { ...about('paused'), lastsMs: limits.paused };
    // For how long is known by when it began.
    measured.push({
      ...lasts,
      value: 0,
      limit: limits.paused,
      isBeyond: isHeldUp,
      isCalm: !isHeldUp,
    });
  }
  return measured;
}

function ofWorkers(state: QueueOverview, wanted: number | 'needed', about: About): Measured {
  const { workers, mayStart, started, queued } = state;
  const isHeldUp = state.paused || state.suspended;
  if (wanted !== 'needed') {
    const isBeyond = workers < wanted;
    return { ...about, value: workers, limit: wanted, isBeyond, isCalm: !isBeyond };
  }
  // Where jobs were running when all workers died, their slots stay taken until one comes.
  const couldRun = mayStart || (queued > 0 && started > 0);
  const isBeyond = workers === 0 && couldRun && !isHeldUp;
  return { ...about, value: workers, limit: 1, isBeyond, isCalm: !isBeyond };
}

function above(about: About, value: number, limit: number): Measured {
  return { ...about, value, limit, isBeyond: value > limit, isCalm: value <= limit * CALM };
}

/** An alert is over below four fifths of its limit. */
const CALM = 0.8;
