import { useState } from 'preact/hooks';
import type { ChartAnswer, QueueDetailAnswer } from '../server/answers.js';
import { useAnswer } from './api.js';
import { wearLaterStyle } from './later-style.js';
import { clock, duration, t } from './words.js';

wearLaterStyle();

/** How long runs took over time: a column per step, a row per length, the darker the more. One job's, or all of a queue. */
export function Heat({
  queue,
  last,
  jobs,
}: {
  readonly queue: string;
  readonly last: string;
  readonly jobs: QueueDetailAnswer['chart']['jobs'];
}) {
  const [job, setJob] = useState('');
  const { answer } = useAnswer<ChartAnswer>('history', { queue, last, job, heat: 1 }, 15_000);
  const names = jobs.flatMap(({ name }) => (name === null ? [] : [name]));
  return (
    <section class="card chart" aria-label={t('chart.heat')}>
      <header class="card-head">
        <h2>{t('chart.heat')}</h2>
        {names.length > 1 && (
          <select
            aria-label={t('job')}
            value={job}
            onChange={(event) => setJob(event.currentTarget.value)}
          >
            <option value="">{t('all')}</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </header>
      {answer?.heat && answer.heat.bounds.length > 0 ? (
        <Map answer={answer} heat={answer.heat} />
      ) : (
        <div class="plot">{answer && <span class="plot-empty">{t('chart.empty')}</span>}</div>
      )}
    </section>
  );
}

function Map({
  answer: { points },
  heat: { bounds, counts },
}: {
  readonly answer: ChartAnswer;
  readonly heat: NonNullable<ChartAnswer['heat']>;
}) {
  const [at, setAt] = useState<readonly [column: number, row: number] | undefined>();
  const most = Math.max(1, ...counts.flat());
  const [columns, rows] = [counts.length, bounds.length];
  const text = ([column, row]: readonly [number, number]) =>
    t('chart.heat.cell', {
      n: counts[column]?.[row] ?? 0,
      time: lengthOf(bounds, row),
      at: clock(points[column]?.at ?? 0, points.at(-1)?.at, false),
    });
  const within = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (event.key === 'Escape') setAt(undefined);
    if (!step) return;
    event.preventDefault();
    const [column, row] = at ?? [columns - 1 - step[0], 0];
    const side = document.documentElement.dir === 'rtl' ? -step[0] : step[0];
    setAt([within(column + side, columns), within(row + step[1], rows)]);
  };
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor((1 - (event.clientY - box.top) / box.height) * rows);
    setAt([within(column, columns), within(row, rows)]);
  };
  const sums = bounds.map((_, row) => counts.reduce((sum, column) => sum + (column[row] ?? 0), 0));
  const usual = sums.indexOf(Math.max(...sums));
  return (
    <div class="chart-body">
      <div class="heat">
        <ol class="heat-rows" aria-hidden="true">
          {bounds
            .map((_, row) => (
              <li key={row}>{row % Math.ceil(rows / 8) === 0 ? lengthOf(bounds, row) : ''}</li>
            ))
            .toReversed()}
        </ol>
        <div
          class="heat-plot"
          role="img"
          tabIndex={0}
          aria-label={
            at
              ? text(at)
              : t('chart.heat.summary', {
                  time: lengthOf(bounds, usual),
                  most: lengthOf(bounds, rows - 1),
                })
          }
          onKeyDown={move}
          onPointerMove={point}
          onPointerLeave={() => setAt(undefined)}
          onBlur={() => setAt(undefined)}
        >
          <svg
            viewBox={`0 0 ${columns} ${rows}`}
            preserveAspectRatio="none"
            aria-hidden="true"
            dir="ltr"
          >
            {counts.map((column, x) =>
              column.map((count, row) =>
                count > 0 ? (
                  <rect
                    key={`${x} ${row}`}
                    x={x}
                    y={rows - 1 - row}
                    width="1"
                    height="1"
                    // By the root: one slow run among a thousand quick ones must be seen.
                    opacity={0.12 + 0.88 * Math.sqrt(count / most)}
                  />
                ) : null,
              ),
            )}
            {at && <rect class="heat-at" x={at[0]} y={rows - 1 - at[1]} width="1" height="1" />}
          </svg>
        </div>
      </div>
      <div class="axis heat-axis" aria-hidden="true">
        {at ? (
          <span class="heat-text">{text(at)}</span>
        ) : (
          [points[0], points[Math.floor(columns / 2)], points.at(-1)].map((one, index) => (
            <span key={index}>{one ? clock(one.at, points.at(-1)?.at, false) : ''}</span>
          ))
        )}
      </div>
    </div>
  );
}

const STEPS: Readonly<Record<string, readonly [column: number, row: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** "≤ 2 s"; the last row has no end. */
function lengthOf(bounds: readonly (number | null)[], row: number): string {
  const bound = bounds[row] ?? null;
  return bound === null ? `> ${duration(bounds[row - 1] ?? 3_600_000)}` : `≤ ${duration(bound)}`;
}
