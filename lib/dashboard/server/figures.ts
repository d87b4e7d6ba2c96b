import type {
  HistoryPoint,
  QueueHistory,
  QueueOverview,
  RqInspector,
} from '../../observe/index.js';
import type { ChartAnswer, PointAnswer, QueueAnswer } from './answers.js';

/**
 * What became of jobs lately, per queue: the last hour is read once, then only the newest minutes, so that a hundred
 * queues cost little. It is kept while somebody looks.
 */
export class Figures {
  readonly #queues = new Map<string, Lately>();

  constructor(private readonly inspector: RqInspector) {}

  /** Reads what is new of these queues, if it is time to. */
  async refresh(queues: readonly string[], now: number): Promise<void> {
    for (const known of this.#queues.keys()) {
      if (!queues.includes(known)) this.#queues.delete(known);
    }
    const due = queues.filter((queue) => {
      const at = this.#queues.get(queue)?.readAt ?? -Infinity;
      return now - at >= READ_EVERY_MS || now < at;
    });
    for (let first = 0; first < due.length; first += AT_ONCE) {
      await Promise.all(due.slice(first, first + AT_ONCE).map((queue) => this.read(queue, now)));
    }
  }

  /** A queue as it stands, with its rates. */
  row(state: QueueOverview): QueueAnswer {
    const lately = this.#queues.get(state.queue);
    const { oldestMs, ...rest } = state;
    const attempts = lately?.last.total.attempts ?? 0;
    const finished = lately?.last.total.finished ?? 0;
    return {
      ...rest,
      oldestMs: oldestMs ?? null,
      perMinute: lately ? attempts / LAST_MINUTES : null,
      failing: attempts > 0 ? (attempts - finished) / attempts : null,
      p95: lately?.last.total.run.p95 ?? null,
      // The minute that is not over would look like a fall.
      spark: lately?.points.slice(0, -1).map(countOf) ?? [],
    };
  }

  /** The last hour of some queues together; waiting times are those of the queue that waits longest. */
  chart(queues: readonly string[]): ChartAnswer {
    const sums = new Map<number, PointAnswer>();
    for (const queue of queues) {
      for (const point of this.#queues.get(queue)?.points ?? []) {
        const answer = pointOf(point);
        const known = sums.get(answer.at);
        sums.set(answer.at, known ? together(known, answer) : answer);
      }
    }
    const points = [...sums.values()].toSorted((one, other) => one.at - other.at);
    return { stepMs: 60_000, points, jobs: [] };
  }

  private async read(queue: string, now: number): Promise<void> {
    const known = this.#queues.get(queue);
    const isNew = !known || now - known.readAt > HOUR_MS;
    const [last, hour] = await Promise.all([
      this.inspector.history(queue, { last: `${LAST_MINUTES}m` }),
      isNew ? this.inspector.history(queue, { last: '1h' }) : undefined,
    ]);
    const points = new Map(
      (hour?.points ?? known?.points ?? []).map((one) => [one.at.getTime(), one]),
    );
    for (const point of last.points) points.set(point.at.getTime(), point);
    const newest = Math.max(...points.keys());
    const kept = [...points.entries()]
      .filter(([at]) => at > newest - HOUR_MS)
      .toSorted(([one], [other]) => one - other)
      .map(([, point]) => point);
    this.#queues.set(queue, { readAt: now, last, points: kept });
  }
}

interface Lately {
  readonly readAt: number;
  readonly last: QueueHistory;
  readonly points: readonly HistoryPoint[];
}

/** A chart of one queue. */
export function chartOf(history: QueueHistory): ChartAnswer {
  return {
    stepMs: history.stepMs,
    points: history.points.map(pointOf),
    jobs: history.jobs.slice(0, MOST_JOBS).map((job) => ({
      queue: history.queue,
      name: job.name ?? null,
      attempts: job.attempts,
      failed: job.failed + job.stopped,
      retrying: job.retrying,
      runP50: job.run.p50 ?? null,
      runP95: job.run.p95 ?? null,
    })),
  };
}

/** Charts of several queues with the same steps as one. */
export function chartsTogether(charts: readonly ChartAnswer[]): ChartAnswer {
  const [first] = charts;
  if (!first || charts.length === 1) return first ?? { stepMs: 60_000, points: [], jobs: [] };
  const points = first.points.map((point, index) =>
    charts
      .slice(1)
      .reduce(
        (sum, { points: others }) => (others[index] ? together(sum, others[index]) : sum),
        point,
      ),
  );
  const jobs = charts
    .flatMap((chart) => chart.jobs)
    .toSorted((one, other) => other.attempts - one.attempts)
    .slice(0, MOST_JOBS);
  return { stepMs: first.stepMs, points, jobs };
}

function pointOf(point: HistoryPoint): PointAnswer {
  const { finished, retrying, failed, stopped, canceled, sample, run, wait } = point;
  return {
    at: point.at.getTime(),
    finished,
    retrying,
    failed: failed + stopped,
    other: canceled,
    waitP50: wait.p50 ?? null,
    waitP95: wait.p95 ?? null,
    runP50: run.p50 ?? null,
    runP95: run.p95 ?? null,
    queued: sample?.queued ?? null,
    oldestMs: sample?.oldestMs ?? null,
  };
}

function together(one: PointAnswer, other: PointAnswer): PointAnswer {
  const most = (a: number | null, b: number | null) =>
    a === null ? b : b === null ? a : Math.max(a, b);
  const sum = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : a + b);
  return {
    at: one.at,
    finished: one.finished + other.finished,
    retrying: one.retrying + other.retrying,
    failed: one.failed + other.failed,
    other: one.other + other.other,
    waitP50: most(one.waitP50, other.waitP50),
    waitP95: most(one.waitP95, other.waitP95),
    runP50: most(one.runP50, other.runP50),
    runP95: most(one.runP95, other.runP95),
    queued: sum(one.queued, other.queued),
    oldestMs: most(one.oldestMs, other.oldestMs),
  };
}

function countOf({ attempts, sample }: HistoryPoint): number | null {
  return sample || attempts > 0 ? attempts : null;
}

const HOUR_MS = 3_600_000;
const LAST_MINUTES = 5;
const READ_EVERY_MS = 10_000;
const AT_ONCE = 20;
const MOST_JOBS = 50;
