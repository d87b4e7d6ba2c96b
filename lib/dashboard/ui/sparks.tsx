import { linePath } from './charts.js';

/** Charts of a line's height, without axes: the numbers stand beside them. */

/** A small line. */
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

/** Bars, of counts. */
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
