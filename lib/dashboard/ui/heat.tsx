import { useState } from 'preact/hooks';
import type { ChartAnswer, QueueDetailAnswer } from '../server/answers.js';
import { useAnswer } from './api.js';
import { AllOrOne } from './choices.js';
import { type Cursor, useCursor } from './cursor.js';
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
          <AllOrOne names={names} chosen={job} choose={setJob} label={t('job')} />
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
  const most = Math.max(1, ...counts.flat());
  const [columns, rows] = [counts.length, bounds.length];
  const { at, listeners } = useCursor(columns, rows);
  const text = ({ column, row }: NonNullable<Cursor['at']>) =>
    t('chart.heat.cell', {
      n: counts[column]?.[row] ?? 0,
      time: lengthOf(bounds, row),
      at: clock(points[column]?.at ?? 0, points.at(-1)?.at, false),
    });
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
          {...listeners}
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
            {at && (
              <rect class="heat-at" x={at.column} y={rows - 1 - at.row} width="1" height="1" />
            )}
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

/** "≤ 2 s"; the last row has no end. */
function lengthOf(bounds: readonly (number | null)[], row: number): string {
  const bound = bounds[row] ?? null;
  return bound === null ? `> ${duration(bounds[row - 1] ?? 3_600_000)}` : `≤ ${duration(bound)}`;
}
