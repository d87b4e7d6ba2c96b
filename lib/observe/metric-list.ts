/**
 * Every metric, in one list: what is exported, the board and the rules for Prometheus are made of it. Names ending in
 * `_total` are counters, and only those; what has a unit says it (`_seconds`).
 */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /**
   * `fleet`: it describes Redis, so that every process that exports it shows the same; `process`: what this process has
   * done; `compat`: as rq-exporter has it, only where that is asked for.
   */
  readonly scope: 'fleet' | 'process' | 'compat';
}

const define = (
  scope: MetricDefinition['scope'],
  type: MetricDefinition['type'],
  name: string,
  labels: readonly string[],
  help: string,
): MetricDefinition => ({ name, type, help, labels, scope });

const QUEUE = ['queue'] as const;

export const METRICS: readonly MetricDefinition[] = [
  define('fleet', 'gauge', 'rq_jobs', ['queue', 'status'], 'Jobs by where they stand.'),
  define(
    'fleet',
    'gauge',
    'rq_retrying_jobs',
    QUEUE,
    'Jobs that wait for a retry that is not due yet.',
  ),
  define(
    'fleet',
    'gauge',
    'rq_overdue_jobs',
    QUEUE,
    'Scheduled jobs whose time has come and that nobody has moved.',
  ),
  define(
    'fleet',
    'gauge',
    'rq_queue_oldest_job_age_seconds',
    QUEUE,
    'For how long the oldest job that may start has been ready.',
  ),
  define(
    'fleet',
    'gauge',
    'rq_scheduled_overdue_seconds',
    QUEUE,
    'For how long the first overdue job has been due.',
  ),
  define(
    'fleet',
    'gauge',
    'rq_queue_may_start',
    QUEUE,
    '1: a job may start now; no limit holds it up.',
  ),
  define('fleet', 'gauge', 'rq_queue_paused', QUEUE, '1: the queue is paused, or RQ suspended.'),
  define('fleet', 'gauge', 'rq_queue_workers', QUEUE, 'Living workers that serve the queue.'),
  define(
    'fleet',
    'gauge',
    'rq_queue_slots',
    QUEUE,
    'How many jobs of the queue those can run at once.',
  ),
  define(
    'fleet',
    'gauge',
    'rq_alert_firing',
    ['queue', 'rule', 'job', 'severity'],
    '1: the alert goes on; muted ones are left out.',
  ),
  define(
    'process',
    'counter',
    'rq_jobs_enqueued_total',
    QUEUE,
    'Jobs that this process has enqueued.',
  ),
  define(
    'process',
    'counter',
    'rq_job_attempts_total',
    ['queue', 'job', 'outcome'],
    'Attempts that ended here, by how.',
  ),
  define(
    'process',
    'histogram',
    'rq_job_duration_seconds',
    ['queue', 'job'],
    'How long handlers ran.',
  ),
  define(
    'process',
    'histogram',
    'rq_job_wait_seconds',
    QUEUE,
    'For how long jobs had been ready when they started.',
  ),
  define(
    'process',
    'gauge',
    'rq_worker_slots',
    [],
    'How many jobs the worker of this process can run at once.',
  ),
  define('process', 'gauge', 'rq_worker_busy_slots', [], 'How many it runs.'),
  define(
    'process',
    'counter',
    'rq_leases_lost_total',
    QUEUE,
    'Runs whose lease was lost: the job ran elsewhere, too.',
  ),
  define(
    'process',
    'counter',
    'rq_jobs_recovered_total',
    [],
    'Jobs of dead workers that this process has put right.',
  ),
  define(
    'process',
    'counter',
    'rq_redis_errors_total',
    [],
    'Connections to Redis that were lost, or could not be made.',
  ),
  define('process', 'gauge', 'rq_build_info', ['version'], '1; the version of nestjs-rq.'),
  define(
    'compat',
    'gauge',
    'rq_workers',
    ['name', 'state', 'queues'],
    'Workers that show themselves.',
  ),
  define(
    'compat',
    'counter',
    'rq_workers_success_total',
    ['name', 'queues'],
    'Jobs that succeeded in the worker.',
  ),
  define(
    'compat',
    'counter',
    'rq_workers_failed_total',
    ['name', 'queues'],
    'Jobs that failed in the worker.',
  ),
  define(
    'compat',
    'counter',
    'rq_workers_working_time_total',
    ['name', 'queues'],
    'Seconds for which the worker has worked.',
  ),
];

/** One number. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

/** The numbers of all metrics, by name. */
export type Samples = Map<string, Sample[]>;

export function addSample(
  samples: Samples,
  name: string,
  labels: Sample['labels'],
  value: number,
  suffix?: string,
): void {
  const sample = suffix === undefined ? { labels, value } : { labels, value, suffix };
  const known = samples.get(name);
  if (known) known.push(sample);
  else samples.set(name, [sample]);
}
