import type {
  AuditEntry,
  JobAttempt,
  JobSummary,
  LimitInForce,
  OperationState,
  RqSchedule,
} from '../../observe/index.js';
import { cleanLine, cleanText } from '../../observe/index.js';
import type {
  AttemptAnswer,
  AuditAnswer,
  JobRowAnswer,
  LimitAnswer,
  OperationAnswer,
  ScheduleAnswer,
} from './answers.js';
import type { Redaction } from './redaction.js';

/**
 * What the dashboard's server answers about jobs and their attempts. Text that came with jobs is cleaned, and secrets are
 * blanked.
 */

/** @param seesData without it, of errors only their names are told */
export function jobRow(job: JobSummary, redaction: Redaction, seesData: boolean): JobRowAnswer {
  const told = (text: string | undefined) =>
    text === undefined || !seesData ? null : redaction.text(cleanLine(text));
  return {
    id: job.id,
    queue: job.queue,
    name: job.name === undefined ? null : cleanLine(job.name, 200),
    status: job.status,
    dueAt: time(job.dueAt),
    attempts: job.attempts,
    retriesLeft: job.retriesLeft ?? null,
    createdAt: time(job.createdAt),
    enqueuedAt: time(job.enqueuedAt),
    startedAt: time(job.startedAt),
    endedAt: time(job.endedAt),
    worker: job.worker === undefined ? null : cleanLine(job.worker, 200),
    description: told(job.description),
    failure: seesData ? told(job.failure) : nameOfError(job.failure),
    cause: job.cause ?? null,
    reason: told(job.reason),
  };
}

function nameOfError(failure: string | undefined): string | null {
  if (failure === undefined) return null;
  return /^([\w.$]{1,100})(: |$)/.exec(failure)?.[1] ?? 'Error';
}

export function attemptAnswer(
  attempt: JobAttempt,
  redaction: Redaction,
  seesData: boolean,
): AttemptAnswer {
  const { error, stack } = attempt;
  const told = error === undefined ? null : redaction.text(cleanLine(error));
  return {
    attempt: attempt.attempt ?? null,
    outcome: attempt.outcome,
    startedAt: time(attempt.startedAt),
    endedAt: time(attempt.endedAt),
    error: seesData ? told : nameOfError(error),
    stack:
      stack !== undefined && seesData
        ? redaction.text(cleanText(stack).slice(0, LONGEST_STACK))
        : null,
    delay: attempt.delay ?? null,
  };
}

export function operationAnswer(state: OperationState): OperationAnswer {
  return {
    id: state.id,
    action: state.action,
    queue: state.queue,
    who: cleanLine(state.who, 200),
    state: state.state,
    startedAt: state.startedAt.getTime(),
    done: state.done,
    looked: state.looked,
    total: state.total ?? null,
    skipped: state.skipped,
    missing: state.missing,
    rate: state.rate ?? null,
    why: state.why === undefined ? null : cleanLine(state.why),
    undoable: state.isUndoable && Date.now() - state.startedAt.getTime() < UNDOABLE_MS,
  };
}

export function limitAnswer(limit: LimitInForce): LimitAnswer {
  const { concurrency, rateLimit } = limit;
  const number = (value: number | false | undefined) =>
    typeof value === 'number' && Number.isFinite(value) ? value : null;
  return {
    handler: limit.handler ?? null,
    key: limit.key ?? null,
    from: limit.from,
    total: number(concurrency?.total),
    perKey: number(concurrency?.perKey),
    rateMax: number(rateLimit?.max),
    ratePer: number(rateLimit?.per),
    keyRateMax: number(rateLimit?.perKey?.max),
    keyRatePer: number(rateLimit?.perKey?.per),
    until: time(limit.until),
  };
}

export function scheduleAnswer(schedule: RqSchedule): ScheduleAnswer {
  const { when } = schedule;
  return {
    id: schedule.id,
    queue: schedule.queue,
    name: schedule.name === undefined ? null : cleanLine(schedule.name, 200),
    cron: when && 'cron' in when ? when.cron : null,
    every: when && 'every' in when ? when.every : null,
    tz: schedule.tz ?? null,
    next: time(schedule.next),
    last: time(schedule.last),
    lastJobId: schedule.lastJobId ?? null,
    missed: schedule.missed,
    skipped: schedule.skipped,
    paused: schedule.paused,
    from: schedule.from,
  };
}

export function auditAnswer(entry: AuditEntry, redaction: Redaction): AuditAnswer {
  const told = (text: string | undefined) =>
    text === undefined ? null : redaction.text(cleanLine(text));
  return {
    id: entry.id,
    at: entry.at.getTime(),
    who: cleanLine(entry.who, 200),
    action: cleanLine(entry.action, 100),
    queue: told(entry.queue),
    what: told(entry.what),
    count: entry.count ?? null,
    result: entry.result,
    why: told(entry.why),
    ip: told(entry.ip),
  };
}

export function time(date: Date | undefined): number | null {
  const at = date?.getTime();
  return at === undefined || Number.isNaN(at) ? null : at;
}

const UNDOABLE_MS = 3_600_000;
const LONGEST_STACK = 20_000;
