import type { Bucket } from '../store/index.js';
import {
  BOUNDS,
  type CountedOutcome,
  type Figures,
  OUTCOME_CODES,
  RUN_SUM,
  RUN_TIMES,
  SAMPLE_CODES,
  TIERS,
  type Tier,
  WAIT_SUM,
  WAIT_TIMES,
} from '../wire/figures.js';

/**
 * What became of a queue's jobs over time, out of the buckets in which workers have counted: sums add up, and percentiles
 * come from counts of durations. A stretch in which no worker was alive shows as a gap.
 */
export interface QueueHistory {
  readonly queue: string;
  /** Milliseconds of one point: a minute up to 3 hours, a quarter of an hour up to 3 days, else six hours. */
  readonly stepMs: number;
  /** One per step, oldest first; the last one is not over yet. */
  readonly points: readonly HistoryPoint[];
  /** Of all points. */
  readonly total: JobFigures;
  /** Of all points, per job name, the most frequent first; `undefined` stands for all names that are not told apart. */
  readonly jobs: readonly (JobFigures & { readonly name: string | undefined })[];
}

export interface HistoryPoint extends JobFigures {
  /** When the step begins. */
  readonly at: Date;
  /** How the queue stood when the first worker came by; undefined: none did. */
  readonly sample: QueueSample | undefined;
  /** How many runs took up to each of {@link RUN_BOUNDS}, and in the end how many took longer; empty: none ended. */
  readonly runCounts: readonly number[];
}

/** Milliseconds by which runs are counted. */
export const RUN_BOUNDS: readonly number[] = BOUNDS;

/** How attempts ended, and how long they took. Jobs that Python's workers ran are not among them. */
export interface JobFigures extends Readonly<Record<CountedOutcome, number>> {
  /** All that ended by themselves: `finished`, `retrying`, `failed`, `stopped`, `canceled`. */
  readonly attempts: number;
  /** How long handlers ran. */
  readonly run: Durations;
  /** How long jobs had been ready when they started; those that were delayed when enqueued count from their retries on. */
  readonly wait: Durations;
}

/** Milliseconds; undefined where there are none. Percentiles are exact to the next of 1, 2, 5, 10, 20, 50, ... ms. */
export interface Durations {
  readonly count: number;
  readonly mean: number | undefined;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
}

export type QueueSample = Readonly<
  Record<
    'queued' | 'started' | 'scheduled' | 'failed' | 'retrying' | 'overdue' | 'oldestMs',
    number
  >
>;

/** The finest steps that reach back so many milliseconds. */
export function tierFor(milliseconds: number): Tier {
  return TIERS.find(({ kept }) => kept * 1000 >= milliseconds) ?? TIERS[2];
}

/**
 * @param job only what was counted of jobs of this name
 * @param from of the first point, and until: of the last one
 */
export function historyOf(
  queue: string,
  tier: Tier,
  buckets: readonly Bucket[],
  { from, until, job }: { from: Date; until: Date; job?: string | undefined },
): QueueHistory {
  const stepMs = tier.seconds * 1000;
  const found = new Map(buckets.map((bucket) => [bucket.at.getTime(), bucket]));
  const points: HistoryPoint[] = [];
  const total = new Map<number, number>();
  const byName = new Map<string, Map<number, number>>();
  for (let at = Math.floor(from.getTime() / stepMs) * stepMs; at <= until.getTime(); at += stepMs) {
    const bucket = found.get(at);
    const sums = new Map<number, number>();
    for (const [name, figures] of bucket?.jobs ?? []) {
      if (job !== undefined && name !== job) continue;
      const known = byName.get(name) ?? new Map<number, number>();
      byName.set(name, known);
      for (const into of [sums, total, known]) addFigures(into, figures);
    }
    const counts = countsOf(sums, RUN_TIMES);
    points.push({
      at: new Date(at),
      ...figuresOf(sums),
      sample: sampleOf(bucket?.sample),
      runCounts: counts.some((count) => count > 0) ? counts : [],
    });
  }
  const jobs = [...byName].map(([name, sums]) => ({
    name: name === '' ? undefined : name,
    ...figuresOf(sums),
  }));
  jobs.sort((one, other) => other.attempts - one.attempts);
  return { queue, stepMs, points, total: figuresOf(total), jobs };
}

function addFigures(sums: Map<number, number>, figures: Figures): void {
  for (const [code, count] of figures) sums.set(code, (sums.get(code) ?? 0) + count);
}

function figuresOf(sums: Figures): JobFigures {
  const of = (outcome: CountedOutcome) => sums.get(OUTCOME_CODES[outcome]) ?? 0;
  const outcomes = {
    finished: of('finished'),
    retrying: of('retrying'),
    failed: of('failed'),
    stopped: of('stopped'),
    canceled: of('canceled'),
    snoozed: of('snoozed'),
    released: of('released'),
    lost: of('lost'),
  };
  const { finished, retrying, failed, stopped, canceled } = outcomes;
  return {
    ...outcomes,
    attempts: finished + retrying + failed + stopped + canceled,
    run: durationsOf(sums, RUN_TIMES, RUN_SUM),
    wait: durationsOf(sums, WAIT_TIMES, WAIT_SUM),
  };
}

function sampleOf(sample: Figures | undefined): QueueSample | undefined {
  if (!sample) return undefined;
  const of = (name: keyof typeof SAMPLE_CODES) => sample.get(SAMPLE_CODES[name]) ?? 0;
  return {
    queued: of('queued'),
    started: of('started'),
    scheduled: of('scheduled'),
    failed: of('failed'),
    retrying: of('retrying'),
    overdue: of('overdue'),
    oldestMs: of('oldest'),
  };
}

function durationsOf(sums: Figures, first: number, sum: number): Durations {
  const counts = countsOf(sums, first);
  const count = counts.reduce((all, one) => all + one, 0);
  if (count === 0)
    return { count, mean: undefined, p50: undefined, p95: undefined, p99: undefined };
  return {
    count,
    mean: Math.round((sums.get(sum) ?? 0) / count),
    p50: percentile(counts, count * 0.5),
    p95: percentile(counts, count * 0.95),
    p99: percentile(counts, count * 0.99),
  };
}

function countsOf(sums: Figures, first: number): number[] {
  return Array.from({ length: BOUNDS.length + 1 }, (_, place) => sums.get(first + place) ?? 0);
}

/** The duration that so many do not exceed; between two bounds they are taken to be spread evenly. */
export function percentile(counts: readonly number[], rank: number): number {
  let passed = 0;
  for (const [place, count] of counts.entries()) {
    if (count > 0 && passed + count >= rank) {
      const from = place === 0 ? 0 : (BOUNDS[place - 1] as number);
      const to = BOUNDS[place] ?? from;
      return Math.round(from + ((to - from) * (rank - passed)) / count);
    }
    passed += count;
  }
  return 0;
}
