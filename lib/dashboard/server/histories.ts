import { type QueueHistory, RUN_BOUNDS } from '../../observe/index.js';
import type { ChartAnswer, HeatAnswer, PointAnswer } from './answers.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { chartOf, chartsTogether } from './figures.js';
import { visibleQueues } from './visible-queues.js';

/** What became of jobs, an hour to ninety days back: of one queue, or of all that may be seen. */
export async function history(call: Call, { inspector }: Context): Promise<ChartAnswer> {
  const { query } = call;
  const last = query.oneOf('last', LENGTHS) ?? '1h';
  const job = query.text('job');
  const queue = query.text('queue');
  const names = queue === undefined ? await visibleQueues(inspector, call.viewer) : [queue];
  const visible = names.slice(0, MOST_QUEUES);
  const of = (name: string, milliseconds: number) =>
    inspector.history(name, {
      last: milliseconds / 1000,
      ...(job === undefined ? {} : { job }),
    });
  const histories: QueueHistory[] = [];
  for (const name of visible) histories.push(await of(name, RANGES[last]));
  const chart = chartsTogether(histories.map(chartOf));
  const shiftMs = SHIFTS[last];
  if (query.flag('compare') && shiftMs !== undefined) {
    const older: ChartAnswer[] = [];
    for (const name of visible) older.push(chartOf(await of(name, RANGES[last] + shiftMs)));
    chart.before = { shiftMs, points: shifted(chart, chartsTogether(older), shiftMs) };
  }
  const [only] = histories;
  if (query.flag('heat') && only && histories.length === 1) chart.heat = heatOf(only);
  return chart;
}

/**
 * The points of some time before, one for each of a chart. What was kept in longer steps is spread evenly over the chart's
 * own.
 */
export function shifted(chart: ChartAnswer, older: ChartAnswer, shiftMs: number): PointAnswer[] {
  const share = chart.stepMs / older.stepMs;
  const known = new Map(older.points.map((point) => [point.at, point]));
  const part = (count: number) => Math.round(count * share * 10) / 10;
  return chart.points.map(({ at }) => {
    const found = known.get(Math.floor((at - shiftMs) / older.stepMs) * older.stepMs);
    if (!found) return { ...NOTHING, at };
    const { finished, retrying, failed, other } = found;
    return {
      ...found,
      at,
      finished: part(finished),
      retrying: part(retrying),
      failed: part(failed),
      other: part(other),
    };
  });
}

const NOTHING = {
  finished: 0,
  retrying: 0,
  failed: 0,
  other: 0,
  waitP50: null,
  waitP95: null,
  runP50: null,
  runP95: null,
  queued: null,
  oldestMs: null,
};

/** Runs by duration, without the durations that none took. */
export function heatOf({ points }: Pick<QueueHistory, 'points'>): HeatAnswer {
  const rows = [...RUN_BOUNDS, null];
  const isUsed = rows.map((_, row) => points.some(({ runCounts }) => (runCounts[row] ?? 0) > 0));
  const first = isUsed.indexOf(true);
  if (first === -1) return { bounds: [], counts: [] };
  const end = isUsed.lastIndexOf(true) + 1;
  return {
    bounds: rows.slice(first, end),
    counts: points.map(({ runCounts }) =>
      rows.slice(first, end).map((_, row) => runCounts[first + row] ?? 0),
    ),
  };
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RANGES = {
  '1h': HOUR,
  '3h': 3 * HOUR,
  '6h': 6 * HOUR,
  '24h': DAY,
  '3d': 3 * DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '90d': 90 * DAY,
} as const;
const LENGTHS = Object.keys(RANGES) as (keyof typeof RANGES)[];
/** What a range is compared with: the same hours of the day before, the week before, the 30 days before. */
const SHIFTS: Readonly<Partial<Record<keyof typeof RANGES, number>>> = {
  '1h': DAY,
  '3h': DAY,
  '6h': DAY,
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
};
const MOST_QUEUES = 100;
