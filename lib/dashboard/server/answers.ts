/**
 * What the server tells the page, as JSON. Times are milliseconds since the epoch; `null` is what is not known. These
 * types stand alone, since the page is compiled for the browser.
 */

export type Place =
  'queued' | 'started' | 'scheduled' | 'deferred' | 'finished' | 'failed' | 'canceled';

export interface QueueAnswer extends Record<Place, number> {
  queue: string;
  retrying: number;
  overdue: number;
  overdueMs: number;
  oldestMs: number | null;
  paused: boolean;
  suspended: boolean;
  workers: number;
  slots: number;
  /** Of the last five minutes; null: nothing is known. */
  perMinute: number | null;
  /** Share of attempts that did not finish, 0 to 1. */
  failing: number | null;
  /** Milliseconds that 95 % of the runs did not exceed. */
  p95: number | null;
  /** Attempts per minute of the last hour, the oldest first; null: no worker was there. */
  spark: (number | null)[];
}

export interface TroubleAnswer {
  queue: string;
  code: string;
  /** In English, for whoever does not know the code. */
  sentence: string;
  /** Jobs that are concerned, and for how long. */
  count: number;
  ms: number;
}

export interface AlertAnswer {
  id: string;
  rule: string;
  queue: string;
  job: string | null;
  /** What was found last, and the limit: milliseconds, or a number of jobs or workers. */
  value: number;
  limit: number;
  severity: 'critical' | 'warning';
  since: number;
  /** Nobody is told of it until then. */
  mutedUntil: number | null;
  /** Of `critical`: the job that failed last, and why. */
  lastFailure: { jobId: string; reason: string } | null;
  /** In English, for whoever does not know the rule. */
  sentence: string;
}

export interface WorkerAnswer {
  name: string;
  queues: string[];
  state: string;
  kind: 'node' | 'python';
  host: string | null;
  pid: number | null;
  version: string | null;
  startedAt: number | null;
  silentMs: number | null;
  isAlive: boolean;
  slots: number | null;
  busy: number | null;
  rss: number | null;
  lagMs: number | null;
  finished: number;
  failed: number;
  running: { id: string; queue: string; name: string; since: number }[];
}

export interface OperationAnswer {
  id: string;
  action: string;
  queue: string;
  who: string;
  state: 'running' | 'done' | 'canceled' | 'failed';
  startedAt: number;
  done: number;
  looked: number;
  total: number | null;
  skipped: number;
  missing: number;
  rate: number | null;
  why: string | null;
  /** What it has deleted can be had back. */
  undoable: boolean;
}

/** A point of a chart. */
export interface PointAnswer {
  at: number;
  finished: number;
  retrying: number;
  failed: number;
  other: number;
  waitP50: number | null;
  waitP95: number | null;
  runP50: number | null;
  runP95: number | null;
  /** Waiting jobs and the age of the oldest, when the step began; null: no worker was there. */
  queued: number | null;
  oldestMs: number | null;
}

export interface ChartAnswer {
  stepMs: number;
  points: PointAnswer[];
  jobs: {
    queue: string;
    name: string | null;
    attempts: number;
    failed: number;
    retrying: number;
    runP50: number | null;
    runP95: number | null;
  }[];
  /** Asked for with `compare`: as many points of a day, a week or a month before, as if they were of now. */
  before?: { shiftMs: number; points: PointAnswer[] };
  /** Asked for with `heat`: runs by duration. */
  heat?: HeatAnswer;
}

/** How many runs of each step took how long. */
export interface HeatAnswer {
  /** Milliseconds: the longest of each row, the shortest first; null: there is no longest. */
  bounds: (number | null)[];
  /** Of each step of the chart one number per row. */
  counts: number[][];
}

/**
 * Live rows: `queue:NAME`, `worker:NAME`, `trouble:QUEUE:CODE`, `alert:ID`, `op:ID`, `watched` (whether a process looks for
 * alerts), and `chart` for the last hour of all queues.
 */
export interface LiveAnswer {
  /** By Redis's clock. */
  at: number;
  set: Record<string, unknown>;
  gone: string[];
  /** Since when Redis does not answer. */
  down: number | null;
}

/** What the page is told when it is fetched. */
export interface BootAnswer {
  version: string;
  environment: string | null;
  readOnly: boolean;
  who: string;
  may: string[];
  links: { trace: string | null; logs: string | null };
  live: LiveAnswer | null;
}

export interface JobRowAnswer {
  id: string;
  queue: string;
  name: string | null;
  status: string;
  dueAt: number | null;
  attempts: number;
  retriesLeft: number | null;
  createdAt: number | null;
  enqueuedAt: number | null;
  startedAt: number | null;
  endedAt: number | null;
  worker: string | null;
  description: string | null;
  failure: string | null;
  cause: string | null;
  reason: string | null;
}

export interface ListAnswer {
  jobs: JobRowAnswer[];
  total: number;
  may: string[];
}

export interface SearchAnswer {
  jobs: JobRowAnswer[];
  looked: number;
  total: number;
  complete: boolean;
  /** The selection, if the search is one that something can be done to as a whole. */
  selection: { queue: string; in: Place; name?: string; cause?: string; error?: string } | null;
  may: string[];
}

export interface AttemptAnswer {
  attempt: number | null;
  outcome: string;
  startedAt: number | null;
  endedAt: number | null;
  error: string | null;
  stack: string | null;
  delay: number | null;
}

export interface JobAnswer extends JobRowAnswer {
  repeatsLeft: number | null;
  /** Undefined where `view:data` is missing. */
  data?: unknown;
  args?: unknown[];
  kwargs?: Record<string, unknown>;
  meta?: unknown;
  result?: unknown;
  progress?: unknown;
  logs?: string[];
  /** Why there is no data: it cannot be read. */
  unreadable: string | null;
  hasResult: boolean;
  dataBytes: number | null;
  /** Something in it was blanked. */
  redacted: boolean;
  attemptList: AttemptAnswer[];
  position: number | null;
  /** What keeps a waiting job from starting now, the nearest first. */
  heldUpBy: { what: string; until: number | null }[];
  waitsFor: { id: string; queue: string | null; status: string | null; name: string | null }[];
  waitsForGroup: string | null;
  dependents: { id: string; queue: string | null; status: string | null; name: string | null }[];
  schedule: string | null;
  trace: string | null;
  logsLink: string | null;
  may: string[];
}

export interface FailureAnswer {
  cause: string;
  queue: string;
  name: string | null;
  error: string;
  message: string;
  count: number;
  first: number | null;
  last: number | null;
  python: boolean;
  sample: JobRowAnswer;
  /** Failures in each of the last 24 hours, the oldest first. */
  trend: number[];
}

export interface FailuresAnswer {
  groups: FailureAnswer[];
  looked: number;
  total: number;
  complete: boolean;
  may: string[];
}

export interface LimitAnswer {
  handler: string | null;
  key: string | null;
  from: 'declared' | 'set' | 'snoozed';
  total: number | null;
  perKey: number | null;
  rateMax: number | null;
  ratePer: number | null;
  keyRateMax: number | null;
  keyRatePer: number | null;
  until: number | null;
}

export interface LaneAnswer {
  handler: string;
  key: string;
  waiting: number;
  running: number;
  why: string | null;
  opensAt: number | null;
}

export interface QueueDetailAnswer {
  queue: QueueAnswer | null;
  limits: LimitAnswer[];
  lanes: LaneAnswer[];
  chart: ChartAnswer;
  may: string[];
}

export interface ScheduleAnswer {
  id: string;
  queue: string;
  name: string | null;
  cron: string | null;
  every: number | null;
  tz: string | null;
  next: number | null;
  last: number | null;
  lastJobId: string | null;
  missed: number;
  skipped: number;
  paused: boolean;
  from: 'code' | 'api';
}

export interface AuditAnswer {
  id: string;
  at: number;
  who: string;
  action: string;
  queue: string | null;
  what: string | null;
  count: number | null;
  result: string;
  why: string | null;
  ip: string | null;
}

export interface RedisAnswer {
  version: string | null;
  role: string | null;
  usedMemory: number | null;
  maxMemory: number | null;
  evictionPolicy: string | null;
  appendsToFile: boolean;
  suspended: boolean;
  findings: {
    code: string;
    sentence: string;
    fix: string;
    /** null: it is about the server, or all. */
    queue: string | null;
    level: 'problem' | 'warning';
  }[];
}

export interface ErrorAnswer {
  error: string;
  message: string;
}
