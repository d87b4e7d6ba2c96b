import { useState } from 'preact/hooks';
import { useCursor } from './cursor.js';
import { type Mark, now } from './state.js';
import { clock, t } from './words.js';

/** Charts of our own: bars that stand on each other, and lines. Each can be read with the arrow keys, or as a table. */

export interface Series<Point> {
  readonly key: string;
  readonly label: string;
  /** Of the looks: `calm`, `late`, `bad`, `accent`, `quiet`. */
  readonly tone: 'calm' | 'late' | 'bad' | 'accent' | 'quiet';
  readonly value: (point: Point) => number | null;
}

interface ChartProps<Point extends { readonly at: number }> {
  readonly title: string;
  readonly kind: 'bars' | 'lines';
  /** Undefined: they are on their way. */
  readonly points: readonly Point[] | undefined;
  readonly stepMs: number;
  readonly series: readonly Series<Point>[];
  readonly format: (value: number) => string;
  /** What to say when all is 0; default that nothing ran. */
  readonly empty?: string;
  readonly note?: string;
  /** Moments at which something happened. */
  readonly marks?: readonly Mark[];
  /** What to compare with: a point for each point. */
  readonly before?: { readonly label: string; readonly points: readonly Point[] };
}

type Drawn<Point extends { readonly at: number }> = ChartProps<Point> & {
  readonly points: readonly Point[];
};

const WIDTH = 600;
const HEIGHT = 128;

export function Chart<Point extends { readonly at: number }>(given: ChartProps<Point>) {
  const props = { ...given, points: given.points ?? [] };
  const { title, kind, points, series, format, stepMs, note, before } = props;
  const [isTable, setTable] = useState(false);
  const tops = points.map((point) =>
    kind === 'bars'
      ? sumOf(series, point)
      : Math.max(0, ...series.map((one) => one.value(point) ?? 0)),
  );
  const compared = before?.points.map((point) => wholeOf(kind, series, point));
  const most = niceTop(Math.max(...tops, ...(compared ?? []).map((value) => value ?? 0), 0));
  const last = points.length - 1;
  const { at, listeners } = useCursor(points.length);
  const index = at?.column;
  const shown = index === undefined ? undefined : points[index];
  const marks = marksIn(props);
  const marked = shown && marks.find((mark) => mark.index === index);
  const isEmpty = tops.every((top) => top === 0);
  const time = (point: Point | undefined) =>
    point ? clock(point.at, points[last]?.at, stepMs < 60_000) : '';
  return (
    <section class="card chart" aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        <ul class="legend">
          {series.map((one) => (
            <li key={one.key} class={`tone-${one.tone}`}>
              <span class="swatch" aria-hidden="true" />
              {one.label}
              {shown && <b>{valueText(one.value(shown), format)}</b>}
            </li>
          ))}
          {before && (
            <li class="tone-quiet">
              <span class="swatch is-before" aria-hidden="true" />
              {before.label}
              {index !== undefined && <b>{valueText(compared?.[index] ?? null, format)}</b>}
            </li>
          )}
          {marks.length > 0 && (
            <li>
              <span class="swatch is-mark" aria-hidden="true" />
              {t('chart.marks')}
            </li>
          )}
        </ul>
        <span class="chart-at">
          {marked ? `${time(shown)} · ${marked.text}` : shown ? time(shown) : note}
        </span>
        <button
          type="button"
          class="text-button"
          aria-pressed={isTable}
          // The values beside it go when the chart loses the focus, and it would move away from under the pointer.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => setTable(!isTable)}
        >
          {t('table')}
        </button>
      </header>
      {isTable ? (
        <ChartTable {...props} time={time} compared={compared} />
      ) : (
        <div class="chart-body">
          <div
            class="plot"
            role="img"
            tabIndex={0}
            aria-label={summary(props, tops, time)}
            {...listeners}
          >
            <svg
              viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
              preserveAspectRatio="none"
              aria-hidden="true"
              dir="ltr"
            >
              {(isEmpty ? [1] : [0.5, 1]).map((share) => (
                <line
                  key={share}
                  class="grid"
                  x1="0"
                  x2={WIDTH}
                  y1={HEIGHT * (1 - share) + 0.5}
                  y2={HEIGHT * (1 - share) + 0.5}
                />
              ))}
              {kind === 'bars' ? <Bars {...props} most={most} /> : <Lines {...props} most={most} />}
              {compared && <path class="line is-before" d={linePath(compared, most, HEIGHT)} />}
              {marks.map((mark) => (
                <Upright key={mark.at} css="mark" at={mark.index} count={points.length} />
              ))}
              {index !== undefined && <Upright css="cross" at={index} count={points.length} />}
            </svg>
            <span class="axis-top">{isEmpty ? '' : format(most)}</span>
            {isEmpty && given.points && (
              <span class="plot-empty">{props.empty ?? t('chart.empty')}</span>
            )}
          </div>
          <div class="axis" aria-hidden="true">
            {[points[0], points[Math.floor(last / 2)], points[last]].map((one, index) => (
              <span key={index}>{one ? clock(one.at, points[last]?.at, false) : ''}</span>
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

/** What a point comes to when it is one line: the sum of bars, the first of several lines. */
function wholeOf<Point>(
  kind: 'bars' | 'lines',
  series: readonly Series<Point>[],
  point: Point,
): number | null {
  return kind === 'lines' ? (series[0]?.value(point) ?? null) : sumOf(series, point);
}

/** How high the bars of these stand on each other. */
function sumOf<Point>(series: readonly Series<Point>[], point: Point): number {
  return series.reduce((sum, one) => sum + (one.value(point) ?? 0), 0);
}

/** The marks of the time that is shown, each with its point. */
function marksIn<Point extends { readonly at: number }>({
  points,
  stepMs,
  marks = [],
}: Drawn<Point>): (Mark & { index: number })[] {
  const first = points[0]?.at ?? Infinity;
  return marks
    .map((mark) => ({ ...mark, index: Math.floor((mark.at - first) / stepMs) }))
    .filter(({ index }) => index >= 0 && index < points.length);
}

function Upright({ css, at, count }: { css: string; at: number; readonly count: number }) {
  const x = xOf(at, count);
  return <line class={css} x1={x} x2={x} y1="0" y2={HEIGHT} />;
}

function Bars<Point extends { readonly at: number }>({
  points,
  stepMs,
  series,
  most,
}: Drawn<Point> & { most: number }) {
  const slot = WIDTH / Math.max(1, points.length);
  const gap = Math.min(2, slot / 4);
  return (
    <>
      {series.map((one, level) => {
        const bars = points.map((point, index) => {
          const below = sumOf(series.slice(0, level), point);
          const value = one.value(point) ?? 0;
          if (value <= 0) return '';
          const height = Math.max(1, (value / most) * HEIGHT);
          const bottom = HEIGHT - (below / most) * HEIGHT;
          return `M${fixed(index * slot + gap / 2)} ${fixed(bottom)}v${fixed(-height)}h${fixed(slot - gap)}v${fixed(height)}z`;
        });
        const open = isOver(points, stepMs) ? '' : bars.pop();
        return (
          <g key={one.key} class={`tone-${one.tone}`}>
            <path class="bar" d={bars.join('')} />
            <path class="bar is-open" d={open} />
          </g>
        );
      })}
    </>
  );
}

function Lines<Point extends { readonly at: number }>({
  points,
  stepMs,
  series,
  most,
}: Drawn<Point> & { most: number }) {
  const known = isOver(points, stepMs) ? points.length : points.length - 1;
  return (
    <>
      {series.map((one) => (
        <path
          key={one.key}
          class={`line tone-${one.tone}`}
          d={linePath(
            points.map((point, index) => (index < known ? one.value(point) : null)),
            most,
            HEIGHT,
          )}
        />
      ))}
    </>
  );
}

/** The newest point is mostly not over: what it says is too little. */
function isOver(points: readonly { readonly at: number }[], stepMs: number): boolean {
  return (points.at(-1)?.at ?? 0) + stepMs <= now.value;
}

/** A gap where nothing is known. */
export function linePath(values: readonly (number | null)[], most: number, height: number): string {
  let path = '';
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = fixed(xOf(index, values.length));
    const y = fixed(height - 1 - (value / most) * (height - 2));
    const isAlone = !isDrawing && (values[index + 1] ?? null) === null;
    path += isDrawing ? `L${x} ${y}` : `M${x} ${y}${isAlone ? 'h2' : ''}`;
    isDrawing = true;
  }
  return path;
}

function ChartTable<Point extends { readonly at: number }>({
  title,
  points,
  series,
  format,
  time,
  before,
  compared,
  ...props
}: Drawn<Point> & {
  time: (point: Point | undefined) => string;
  readonly compared: readonly (number | null)[] | undefined;
}) {
  const marks = marksIn({ title, points, series, format, ...props });
  const rows = points.map((point, index) => [point, index] as const).toReversed();
  return (
    <div class="scroll chart-table" tabIndex={0} role="region" aria-label={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('time')}</th>
            {series.map((one) => (
              <th key={one.key} scope="col" class="num">
                {one.label}
              </th>
            ))}
            {before && (
              <th scope="col" class="num">
                {before.label}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(([point, index]) => (
            <tr key={point.at}>
              <th scope="row">
                {time(point)}
                {marks.map((mark) =>
                  mark.index === index ? <span class="mark-text"> · {mark.text}</span> : null,
                )}
              </th>
              {series.map((one) => (
                <td key={one.key} class="num">
                  {valueText(one.value(point), format)}
                </td>
              ))}
              {before && <td class="num">{valueText(compared?.[index] ?? null, format)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function xOf(index: number, count: number): number {
  return ((index + 0.5) * WIDTH) / Math.max(1, count);
}

function fixed(value: number): number {
  return Math.round(value * 10) / 10;
}

function valueText(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}

/** 1, 2 or 5 with zeros: a top that can be read. */
function niceTop(most: number): number {
  if (most <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(most));
  return (
    [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((one) => one * size).find((top) => top >= most) ??
    most
  );
}

/** What a chart says, in a sentence. */
function summary<Point extends { readonly at: number }>(
  { title, points, series, format }: Drawn<Point>,
  tops: readonly number[],
  time: (point: Point | undefined) => string,
): string {
  const top = tops.indexOf(Math.max(...tops));
  const newest = points.at(-1);
  if (!newest || (tops[top] ?? 0) === 0) return `${title}: ${t('chart.empty')}`;
  const parts = series.map((one) => `${one.label} ${valueText(one.value(newest), format)}`);
  return t('chart.summary', {
    title,
    now: parts.join(', '),
    most: format(tops[top] ?? 0),
    at: time(points[top]),
  });
}
