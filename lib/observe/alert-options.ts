import {
  type Duration,
  InvalidOptionError,
  assertQueueName,
  duration,
  durationAboveZero,
  isObject,
  optionTable,
  optional,
  otherwise,
  readOptions,
  wholeNumber,
} from '../job/index.js';

/**
 * When people are to be told. A queue's own row counts first, then that of `'*'`, then what holds without any
 * configuration: jobs that could run and nobody serves, jobs that wait for 10 minutes, retries that pile up, overdue jobs,
 * a pause that was forgotten.
 */
export interface AlertOptions {
  /** How often one process of all looks; default 15 s. An alert begins, and ends, within two looks. */
  every?: Duration;
  /** For how long something has to be so before it is an alert; default: two looks. */
  for?: Duration;
  /** Limits by queue; `'*'`: of all that have no row of their own for the rule. */
  queues?: Readonly<Record<string, QueueAlertOptions>>;
}

/** Limits of one queue; `false` turns a rule off. */
export interface QueueAlertOptions {
  /** For how long the oldest job that may start has been ready; default 10 minutes. */
  oldest?: Duration | false;
  /** Jobs that wait; default: any number. */
  backlog?: number | false;
  /** Jobs that wait for a retry; default 10,000. */
  retrying?: number | false;
  /** Jobs that failed for good: more than `max` in a time of `per`, at most 3 hours; default: any number. */
  exhausted?: { max: number; per: Duration } | false;
  /** Workers that live and serve it, at least; default: one, as soon as a job could run. */
  workers?: number | false;
  /** For how long a scheduled job has been due without anybody moving it; default a minute. */
  overdue?: Duration | false;
  /** For how long it has been paused, or RQ suspended; default a day. */
  paused?: Duration | false;
  /** What its alerts are; default: `critical` for `workers`, else `warning`. */
  severity?: AlertSeverity;
}

export type AlertSeverity = 'warning' | 'critical';

/** What an alert is about; `critical`: a job failed for good whose handler is `critical: true`. */
export type AlertRule = (typeof ALERT_RULES)[number];

/** All that there may be an alert about. */
export const ALERT_RULES = [
  'oldest',
  'backlog',
  'retrying',
  'exhausted',
  'workers',
  'overdue',
  'paused',
  'critical',
] as const;

/** Limits as they are used: durations in milliseconds. */
export interface AlertLimits {
  readonly oldest: number | false;
  readonly backlog: number | false;
  readonly retrying: number | false;
  readonly exhausted: { readonly max: number; readonly per: number } | false;
  /** `needed`: one, as soon as a job could run. */
  readonly workers: number | 'needed' | false;
  readonly overdue: number | false;
  readonly paused: number | false;
  readonly severity: AlertSeverity | undefined;
}

/** What holds for alerts in the end. */
export interface ResolvedAlerts {
  /** Milliseconds, like `forMs`. */
  readonly everyMs: number;
  readonly forMs: number;
  /** They were given, and are not only what holds anyway. */
  readonly areGiven: boolean;
  limitsOf(queue: string): AlertLimits;
}

/**
 * @param where the call, for errors
 * @throws InvalidOptionError naming the key
 */
export function resolveAlerts(
  options: AlertOptions | undefined,
  where: string,
  path = 'alerts',
): ResolvedAlerts {
  const { every, for: lasts, queues } = readOptions(options ?? {}, OPTIONS, where, path);
  const rows = new Map<string, Partial<AlertLimits>>();
  for (const [queue, row] of Object.entries(queues)) {
    const key = `${path}.queues.${queue}`;
    if (queue !== ALL) assertQueueName(queue, `${path}.queues of ${where}`);
    rows.set(queue, withoutUndefined(readOptions(row, QUEUE_OPTIONS, where, key)));
  }
  const standard: AlertLimits = { ...STANDARD, ...rows.get(ALL) };
  return {
    everyMs: every,
    forMs: lasts,
    areGiven: options !== undefined,
    limitsOf: (queue) => ({ ...standard, ...rows.get(queue) }),
  };
}

const ALL = '*';

const STANDARD: AlertLimits = {
  oldest: 600_000,
  backlog: false,
  retrying: 10_000,
  exhausted: false,
  workers: 'needed',
  overdue: 60_000,
  paused: 86_400_000,
  severity: undefined,
};

const OPTIONS = optionTable<AlertOptions>()({
  every: otherwise('15s', atLeastTenth),
  for: otherwise(0, duration),
  queues: otherwise({}, rowsOfQueues),
});

const QUEUE_OPTIONS = optionTable<QueueAlertOptions>()({
  oldest: optional(orOff(durationAboveZero)),
  backlog: optional(orOff(wholeNumber(0))),
  retrying: optional(orOff(wholeNumber(0))),
  exhausted: optional(orOff(exhaustedLimit)),
  workers: optional(orOff(wholeNumber(1))),
  overdue: optional(orOff(durationAboveZero)),
  paused: optional(orOff(durationAboveZero)),
  severity: optional(severity),
});

const EXHAUSTED = optionTable<{ max: number; per: Duration }>()({
  max: wholeNumber(0),
  per: durationAboveZero,
});

type Rule<Read> = (value: unknown, option: string, where: string | undefined) => Read;

function orOff<Read>(rule: Rule<Read>): Rule<Read | false> {
  return (value, option, where) => (value === false ? false : rule(value, option, where));
}

function atLeastTenth(value: unknown, option: string, where: string | undefined): number {
  const milliseconds = durationAboveZero(value, option, where);
  if (milliseconds >= 100) return milliseconds;
  throw new InvalidOptionError({ option, problem: 'must be at least 100ms', value, where });
}

function rowsOfQueues(
  value: unknown,
  option: string,
  where: string | undefined,
): Readonly<Record<string, QueueAlertOptions>> {
  if (isObject(value)) return value as Readonly<Record<string, QueueAlertOptions>>;
  const problem = "must be an object: { payments: { oldest: '1m' }, '*': { ... } }";
  throw new InvalidOptionError({ option, problem, value, where });
}

function exhaustedLimit(value: unknown, option: string, where: string | undefined) {
  const { max, per } = readOptions(value, EXHAUSTED, where, option);
  if (per <= LONGEST_PER) return { max, per };
  throw new InvalidOptionError({ option: `${option}.per`, problem: 'must be up to 3h', where });
}

/** For so long minutes are kept. */
const LONGEST_PER = 3 * 3_600_000;

function severity(value: unknown, option: string, where: string | undefined): AlertSeverity {
  if (value === 'warning' || value === 'critical') return value;
  const problem = "must be 'warning' or 'critical'";
  throw new InvalidOptionError({ option, problem, value, where });
}

function withoutUndefined(row: object): Partial<AlertLimits> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}
