import { VERSION } from '../job/index.js';
import type { CountedJobs } from '../store/index.js';
import {
  BOUNDS,
  OUTCOME_CODES,
  RUN_SUM,
  RUN_TIMES,
  WAIT_SUM,
  WAIT_TIMES,
} from '../wire/figures.js';
import { type Samples, addSample } from './metric-list.js';

/** What one process has done since it started. */
export interface ProcessFigures {
  /** Jobs that it has enqueued, by queue. */
  readonly enqueued: ReadonlyMap<string, number>;
  /** What its worker has counted, all of it; none without a worker, or with `history: false`. */
  readonly counted: readonly CountedJobs[];
  readonly slots: number;
  readonly busy: number;
  readonly recovered: number;
  readonly redisErrors: number;
}

/** What a process has done, as numbers for Prometheus. @param jobLabel jobs are told apart by name */
export function processSamples(figures: ProcessFigures, jobLabel: boolean): Samples {
  const samples: Samples = new Map();
  const { enqueued, counted, slots, busy, recovered, redisErrors } = figures;
  for (const [queue, count] of enqueued) {
    addSample(samples, 'rq_jobs_enqueued_total', { queue }, count);
  }
  const waits = new Map<string, Float64Array>();
  for (const { queue, name, sums } of sumsOf(counted, jobLabel)) {
    const labels: Readonly<Record<string, string>> = jobLabel
      ? { queue, job: name === '' ? 'other' : name }
      : { queue };
    for (const [outcome, code] of Object.entries(OUTCOME_CODES)) {
      addSample(samples, 'rq_job_attempts_total', { ...labels, outcome }, sums[code] ?? 0);
    }
    addHistogram(samples, 'rq_job_duration_seconds', labels, sums, RUN_TIMES, RUN_SUM);
    const wait = waits.get(queue) ?? new Float64Array(sums.length);
    for (const [code, count] of sums.entries()) (wait[code] as number) += count;
    waits.set(queue, wait);
  }
  for (const [queue, sums] of waits) {
    addHistogram(samples, 'rq_job_wait_seconds', { queue }, sums, WAIT_TIMES, WAIT_SUM);
    addSample(samples, 'rq_leases_lost_total', { queue }, sums[OUTCOME_CODES.lost] ?? 0);
  }
  addSample(samples, 'rq_worker_slots', {}, slots);
  addSample(samples, 'rq_worker_busy_slots', {}, busy);
  addSample(samples, 'rq_jobs_recovered_total', {}, recovered);
  addSample(samples, 'rq_redis_errors_total', {}, redisErrors);
  addSample(samples, 'rq_build_info', { version: VERSION }, 1);
  return samples;
}

interface Sums {
  readonly queue: string;
  readonly name: string;
  readonly sums: Float64Array;
}

function sumsOf(counted: readonly CountedJobs[], byName: boolean): Iterable<Sums> {
  const all = new Map<string, Sums>();
  for (const { queue, name: counts, figures } of counted) {
    const name = byName ? counts : '';
    const key = `${queue}\n${name}`;
    const known = all.get(key) ?? { queue, name, sums: new Float64Array(CODES) };
    all.set(key, known);
    for (let at = 0; at + 1 < figures.length; at += 2) {
      (known.sums[figures[at] as number] as number) += figures[at + 1] as number;
    }
  }
  return all.values();
}

function addHistogram(
  samples: Samples,
  name: string,
  labels: Readonly<Record<string, string>>,
  sums: Float64Array,
  first: number,
  sum: number,
): void {
  let count = 0;
  for (let place = 0; place <= BOUNDS.length; place += 1) {
    count += sums[first + place] ?? 0;
    const bound = BOUNDS[place];
    const le = bound === undefined ? '+Inf' : bound / 1000;
    addSample(samples, name, { ...labels, le }, count, '_bucket');
  }
  addSample(samples, name, labels, (sums[sum] ?? 0) / 1000, '_sum');
  addSample(samples, name, labels, count, '_count');
}

const CODES = 100;
