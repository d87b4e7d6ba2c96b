import { historyOf, percentile, tierFor } from '../../../lib/observe/history.js';
import {
  BOUNDS,
  OUTCOME_CODES,
  RUN_SUM,
  RUN_TIMES,
  placeOfDuration,
} from '../../../lib/wire/figures.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it.each([
  [HOUR, 60],
  [3 * HOUR, 60],
  [3 * HOUR + 1, 900],
  [72 * HOUR, 900],
  [90 * 24 * HOUR, 21_600],
])('a history of %i ms has steps of %i s', (milliseconds, seconds) =>
  expect(tierFor(milliseconds).seconds).toBe(seconds),
);

it('percentiles are off by less than one bound', () => {
  for (let round = 0; round < 200; round += 1) {
    const durations = Array.from({ length: 500 }, () => Math.exp(Math.random() * 14));
    durations.sort((one, other) => one - other);
    const counts = Array.from({ length: BOUNDS.length + 1 }, () => 0);
    for (const one of durations) (counts[placeOfDuration(one)] as number) += 1;
    for (const part of [0.5, 0.95, 0.99]) {
      const exact = durations[Math.ceil(durations.length * part) - 1] as number;
      const told = percentile(counts, durations.length * part);
      expect(Math.abs(placeOfDuration(told) - placeOfDuration(exact))).toBeLessThanOrEqual(1);
    }
  }
});

it('buckets add up, gaps show, and jobs are told apart', () => {
  const figures = (count: number, milliseconds: number) =>
    new Map([
      [OUTCOME_CODES.finished, count],
      [OUTCOME_CODES.failed, 1],
      [RUN_SUM, (count + 1) * milliseconds],
      [RUN_TIMES + placeOfDuration(milliseconds), count + 1],
    ]);
  const from = new Date(10 * MINUTE);
  const buckets = [
    {
      at: from,
      jobs: new Map([
        ['a', figures(9, 100)],
        ['', figures(1, 100)],
      ]),
      sample: undefined,
    },
    {
      at: new Date(12 * MINUTE),
      jobs: new Map([['a', figures(3, 100)]]),
      sample: new Map([[100, 7]]),
    },
  ];
  const tier = tierFor(HOUR);
  const until = new Date(12 * MINUTE + 5000);
  const history = historyOf('mail', tier, buckets, { from, until });
  expect(history.points.map(({ finished, failed }) => [finished, failed])).toEqual([
    [10, 2],
    [0, 0],
    [3, 1],
  ]);
  expect(history.points.map(({ sample }) => sample?.queued)).toEqual([undefined, undefined, 7]);
  expect(history.total).toMatchObject({ finished: 13, failed: 3, attempts: 16 });
  expect(history.total.run).toMatchObject({ count: 16, mean: 100 });
  expect(history.jobs.map(({ name, finished }) => [name, finished])).toEqual([
    ['a', 12],
    [undefined, 1],
  ]);
  expect(historyOf('mail', tier, buckets, { from, until, job: 'a' }).total.finished).toBe(12);
});
