import { useState } from 'preact/hooks';
import { now } from './state.js';
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
  readonly points: readonly Point[];
  readonly stepMs: number;
  readonly series: readonly Series<Point>[];
  readonly format: (value: number) => string;
  /** The newest point is not over: it is shown paler. */
  readonly note?: string;
}

const WIDTH = 600;
const HEIGHT = 128;

export function Chart<Point extends { readonly at: number }>(props: ChartProps<Point>) {
  const { title, kind, points, series, format, stepMs, note } = props;
  const [at, setAt] = useState<number | undefined>();
  const [isTable, setTable] = useState(false);
  const sums = points.map((point) => {
    const values = series.map((one) => one.value(point) ?? 0);
    return kind === 'bars' ? values.reduce((sum, one) => sum + one, 0) : Math.max(0, ...values);
  });
  const most = niceTop(Math.max(...sums, 0));
  const last = points.length - 1;
  const shown = at === undefined ? undefined : points[Math.min(at, last)];
  const isEmpty = points.length === 0 || sums.every((sum) => sum === 0);
  const time = (point: Point | undefined) =>
    point ? clock(point.at, points[last]?.at, stepMs < 60_000) : '';
  const move = (event: KeyboardEvent) => {
    const isRtl = document.documentElement.dir === 'rtl';
    const steps: Record<string, number> = {
      ArrowLeft: isRtl ? 1 : -1,
      ArrowRight: isRtl ? -1 : 1,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (event.key === 'Escape') setAt(undefined);
    if (step === undefined) return;
    event.preventDefault();
    setAt((before = last) => Math.min(last, Math.max(0, before + step)));
  };
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    setAt(Math.min(last, Math.max(0, Math.floor(share * points.length))));
  };
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
        </ul>
        <span class="chart-at">{shown ? time(shown) : note}</span>
        <button
          type="button"
          class="text-button"
          aria-pressed={isTable}
          onClick={() => setTable(!isTable)}
        >
          {t('table')}
        </button>
      </header>
      {isTable ? (
        <ChartTable {...props} time={time} />
      ) : (
        <div class="chart-body">
          <div
            class="plot"
            role="img"
            tabIndex={0}
            aria-label={summary(props, sums, time)}
            onKeyDown={move}
            onPointerMove={point}
            onPointerLeave={() => setAt(undefined)}
            onBlur={() => setAt(undefined)}
          >
            <svg
              viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
              preserveAspectRatio="none"
              aria-hidden="true"
              dir="ltr"
            >
              {[0.5, 1].map((share) => (
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
              {at !== undefined && (
                <line
                  class="cross"
                  x1={xOf(at, points.length)}
                  x2={xOf(at, points.length)}
                  y1="0"
                  y2={HEIGHT}
                />
              )}
            </svg>
            <span class="axis-top">{isEmpty ? '' : format(most)}</span>
            {isEmpty && <span class="plot-empty">{t('chart.empty')}</span>}
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

function Bars<Point extends { readonly at: number }>({
  points,
  stepMs,
  series,
  most,
}: ChartProps<Point> & { most: number }) {
  const slot = WIDTH / Math.max(1, points.length);
  const gap = Math.min(2, slot / 4);
  return (
    <>
      {series.map((one, level) => {
        const bars = points.map((point, index) => {
          const below = series
            .slice(0, level)
            .reduce((sum, other) => sum + (other.value(point) ?? 0), 0);
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
}: ChartProps<Point> & { most: number }) {
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
function linePath(values: readonly (number | null)[], most: number, height: number): string {
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
}: ChartProps<Point> & { time: (point: Point | undefined) => string }) {
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
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.at}>
              <th scope="row">{time(point)}</th>
              {series.map((one) => (
                <td key={one.key} class="num">
                  {valueText(one.value(point), format)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A small line without axes; the numbers stand beside it. */
export function Spark({
  values,
  label,
  tone = 'quiet',
}: {
  readonly values: readonly (number | null)[];
  readonly label: string;
  readonly tone?: string;
}) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const width = 600;
  const d = linePath(values, most, 24);
  const known = values.some((value) => value !== null && value > 0);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} 24`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      dir="ltr"
    >
      {known ? (
        <path class={`line tone-${tone}`} d={d} />
      ) : (
        <path class="line tone-none" d="M0 23H600" />
      )}
    </svg>
  );
}

/** Bars without axes, of counts. */
export function Trend({
  values,
  label,
  tone = 'bad',
}: {
  readonly values: readonly number[];
  readonly label: string;
  readonly tone?: string;
}) {
  const most = Math.max(1, ...values);
  return (
    <svg
      class="trend"
      viewBox={`0 0 ${values.length * 4} 24`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      dir="ltr"
    >
      {values.map((value, index) => (
        <rect
          key={index}
          class={value > 0 ? `bar tone-${tone}` : 'bar tone-none'}
          x={index * 4 + 0.5}
          width="3"
          y={value > 0 ? 24 - Math.max(3, (value / most) * 24) : 23}
          height={value > 0 ? Math.max(3, (value / most) * 24) : 1}
        />
      ))}
    </svg>
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
  { title, points, series, format }: ChartProps<Point>,
  sums: readonly number[],
  time: (point: Point | undefined) => string,
): string {
  const top = sums.indexOf(Math.max(...sums));
  const newest = points.at(-1);
  if (!newest || (sums[top] ?? 0) === 0) return `${title}: ${t('chart.empty')}`;
  const parts = series.map((one) => `${one.label} ${valueText(one.value(newest), format)}`);
  return t('chart.summary', {
    title,
    now: parts.join(', '),
    most: format(sums[top] ?? 0),
    at: time(points[top]),
  });
}
