import type { Outcome } from '../../job/index.js';
import type { CountedJobs } from '../../store/index.js';
import {
  CODES,
  OUTCOME_CODES,
  RUN_SUM,
  RUN_TIMES,
  WAIT_SUM,
  WAIT_TIMES,
  placeOfDuration,
} from '../../wire/figures.js';
import type { Settlement } from './settlement.js';

/**
 * Counts what becomes of jobs: how attempts end, how long they ran and how long their jobs had waited, per queue and job
 * name. It is a few additions per job, in memory; the heartbeat takes the sums along. A process that is killed loses
 * those of ten seconds at most, and nothing decides by them.
 */
export class JobCounts {
  private readonly queues = new Map<string, Map<string, Float64Array>>();
  /** Of all that has travelled. */
  private readonly travelled = new Map<string, Map<string, Float64Array>>();

  /** @param isHandled only such names are counted by themselves: anybody may enqueue under any name */
  constructor(private readonly isHandled: (queue: string, name: string) => boolean) {}

  /** An attempt has ended, and Redis has it. */
  settled({ job, name, outcome, reason, startedAt, endedAt }: Settlement): void {
    // It was given back before it could run.
    if (reason === 'prefetched' || outcome.type === 'sorted') return;
    const counts = this.of(job.queue, name);
    add(counts, CODE_OF[outcome.type], 1);
    if (reason === 'unknown job') return;
    const duration = Math.max(0, Math.round(endedAt - startedAt));
    add(counts, RUN_SUM, duration);
    add(counts, RUN_TIMES + placeOfDuration(duration), 1);
    const { readyAt } = job;
    if (readyAt === undefined) return;
    const wait = Math.max(0, Math.round(startedAt - readyAt));
    add(counts, WAIT_SUM, wait);
    add(counts, WAIT_TIMES + placeOfDuration(wait), 1);
  }

  /** An outcome was refused. */
  refused(queue: string, name: string, how: 'canceled' | 'lost'): void {
    add(this.of(queue, name), OUTCOME_CODES[how], 1);
  }

  /** Removes the sums of at most so many names: they travel now. */
  take(most: number): CountedJobs[] {
    const taken: CountedJobs[] = [];
    for (const [queue, names] of this.queues) {
      for (const [name, counts] of names) {
        if (taken.length >= most) return taken;
        const figures = figuresOf(counts);
        taken.push({ queue, name, figures });
        addAll(countsIn(this.travelled, queue, name), figures, 1);
        names.delete(name);
      }
      this.queues.delete(queue);
    }
    return taken;
  }

  /** They have not arrived. */
  putBack(jobs: readonly CountedJobs[]): void {
    for (const { queue, name, figures } of jobs) {
      addAll(this.of(queue, name), figures, 1);
      addAll(countsIn(this.travelled, queue, name), figures, -1);
    }
  }

  /** The sums of all that was counted since the worker was made. */
  all(): CountedJobs[] {
    const all: CountedJobs[] = [];
    for (const queues of [this.travelled, this.queues]) {
      for (const [queue, names] of queues) {
        for (const [name, counts] of names) all.push({ queue, name, figures: figuresOf(counts) });
      }
    }
    return all;
  }

  private of(queue: string, name: string): Float64Array {
    let names = this.queues.get(queue);
    if (!names) this.queues.set(queue, (names = new Map()));
    const known = names.get(name);
    if (known) return known;
    return countsIn(this.queues, queue, this.isHandled(queue, name) ? name : '');
  }
}

function countsIn(
  queues: Map<string, Map<string, Float64Array>>,
  queue: string,
  name: string,
): Float64Array {
  let names = queues.get(queue);
  if (!names) queues.set(queue, (names = new Map()));
  let counts = names.get(name);
  if (!counts) names.set(name, (counts = new Float64Array(CODES)));
  return counts;
}

/** Code, count, ... */
function figuresOf(counts: Float64Array): number[] {
  const figures: number[] = [];
  for (const [code, count] of counts.entries()) if (count > 0) figures.push(code, count);
  return figures;
}

function addAll(counts: Float64Array, figures: readonly number[], sign: 1 | -1): void {
  for (let at = 0; at + 1 < figures.length; at += 2) {
    add(counts, figures[at] as number, sign * (figures[at + 1] as number));
  }
}

const CODE_OF: Readonly<Record<Exclude<Outcome['type'], 'sorted'>, number>> = {
  ...OUTCOME_CODES,
  repeating: OUTCOME_CODES.finished,
};

function add(counts: Float64Array, code: number, count: number): void {
  (counts[code] as number) += count;
}
