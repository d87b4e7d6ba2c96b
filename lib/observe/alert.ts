import { cleanLine, formatDuration } from '../job/index.js';
import type { AlertRule, AlertSeverity } from './alert-options.js';

/** Something that people are to be told: it begins, and some time later it is over. */
export interface RqAlert {
  /** Names it among all alerts of this Redis: `payments oldest`. */
  readonly id: string;
  readonly rule: AlertRule;
  readonly queue: string;
  /** Of `critical`: the name of the job. */
  readonly job: string | undefined;
  /** Of `critical`: the job that failed last, and why; undefined where an older version has written it down. */
  readonly lastFailure: AlertFailure | undefined;
  /** What was found last: milliseconds (`oldest`, `overdue`, `paused`), or a number of jobs or workers. */
  readonly value: number;
  /** The limit that it is beyond, of the same kind. */
  readonly limit: number;
  readonly severity: AlertSeverity;
  /** `muted`: it goes on, and nobody is told. */
  readonly state: 'firing' | 'resolved' | 'muted';
  /** Of `muted`: when it is told again. */
  readonly mutedUntil: Date | undefined;
  /** When it began. */
  readonly since: Date;
  /** When somebody looked last. */
  readonly at: Date;
  /** All of it in words: `payments is 4m behind (limit 1m)`. */
  readonly sentence: string;
}

/** A job that has failed for good. Its data are not in it. */
export interface AlertFailure {
  readonly jobId: string;
  /** Name and message of its error in one line, at most 300 characters. */
  readonly reason: string;
}

/** @param error what was thrown; its message may be of any length */
export function alertFailure(
  jobId: string,
  { name, message }: { readonly name: string; readonly message: string },
): AlertFailure {
  const reason = message === '' ? name : `${name}: ${message}`;
  return { jobId: cleanLine(jobId, LONGEST_ID), reason: shortened(cleanLine(reason)) };
}

/** What stands in Redis, where anybody may have written. */
export function readAlertFailure(value: unknown): AlertFailure | undefined {
  const { jobId, reason } = (value ?? {}) as Partial<Record<keyof AlertFailure, unknown>>;
  if (typeof jobId !== 'string' || typeof reason !== 'string') return undefined;
  return { jobId: cleanLine(jobId, LONGEST_ID), reason: shortened(cleanLine(reason)) };
}

function shortened(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON - 1)}…` : reason;
}

const LONGEST_ID = 200;
const LONGEST_REASON = 300;

/** What was found of one rule of one queue. */
export interface Measured {
  readonly rule: AlertRule;
  readonly queue: string;
  readonly job?: string;
  readonly lastFailure?: AlertFailure | undefined;
  readonly value: number;
  readonly limit: number;
  readonly severity: AlertSeverity;
  /** It is beyond its limit. */
  readonly isBeyond: boolean;
  /** It is well below it again: an alert that stands at its limit must not come and go. */
  readonly isCalm: boolean;
  /** For how long it has to be so, milliseconds; undefined: it is an alert at once. */
  readonly lastsMs: number | undefined;
}

export function alertId({ queue, rule, job }: Pick<Measured, 'queue' | 'rule' | 'job'>): string {
  return job === undefined ? `${queue} ${rule}` : `${queue} ${rule} ${job}`;
}

/** An alert in words. */
export function alertSentence(
  {
    rule,
    queue,
    job,
    lastFailure: last,
    value,
    limit,
  }: Pick<RqAlert, 'rule' | 'queue' | 'job' | 'lastFailure' | 'value' | 'limit'>,
  isOver: boolean,
): string {
  const told = (isOver ? OVER : SENTENCES)[rule](value, limit);
  const which = value > 1 ? 'the last: job' : 'job';
  const text = last && !isOver ? `${told} (${which} ${last.jobId}, ${last.reason})` : told;
  return job === undefined ? `${queue}: ${text}` : `${job} of ${queue}: ${text}`;
}

type Sentences = Readonly<Record<AlertRule, (value: number, limit: number) => string>>;

const SENTENCES: Sentences = {
  oldest: (value, limit) =>
    `the oldest job that could run has waited for ${time(value)} (limit ${time(limit)})`,
  backlog: (value, limit) => `${jobs(value)} (limit ${limit})`,
  retrying: (value, limit) => `${jobs(value)} for a retry (limit ${limit})`,
  exhausted: (value, limit) =>
    `${value === 1 ? '1 job has' : `${value} jobs have`} failed for good lately (limit ${limit})`,
  workers: (value, limit) =>
    value === 0 ? 'jobs could run, and no worker serves it' : `${value} of ${limit} workers live`,
  overdue: (value, limit) =>
    `scheduled jobs are overdue by ${time(value)}, and nobody moves them (limit ${time(limit)})`,
  paused: (value) => `it has been paused for ${time(value)}`,
  critical: (value) =>
    value === 1
      ? 'a critical job has failed for good'
      : `${value} critical jobs have failed for good`,
};

/** What is so at the end, whatever the reason: a job may have been run, or deleted. */
const OVER: Sentences = {
  oldest: () => 'no job has waited for too long any more',
  backlog: () => 'the queue is short again',
  retrying: () => 'retries pile up no more',
  exhausted: () => 'failures for good are within their limit again',
  workers: (value) => (value > 0 ? 'workers serve it again' : 'no job waits for a worker any more'),
  overdue: () => 'no scheduled job is overdue any more',
  paused: () => 'it is not paused any more',
  critical: () => 'no such job has failed for good lately',
};

function jobs(count: number): string {
  return count === 1 ? '1 job waits' : `${count} jobs wait`;
}

/** To the second: nobody is told of milliseconds. */
function time(milliseconds: number): string {
  return formatDuration(
    milliseconds < 2000 ? milliseconds : Math.round(milliseconds / 1000) * 1000,
  );
}
