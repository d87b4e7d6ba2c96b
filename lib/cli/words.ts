/** Numbers and times as the command line shows them: short, in a column. */

/** `5.2k`, `1.2M`. */
export function short(count: number): string {
  if (count < 10_000) return String(Math.round(count * 10) / 10);
  if (count < 1_000_000) return `${rounded(count / 1000)}k`;
  return `${rounded(count / 1_000_000)}M`;
}

/** `1.2 GB`. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : rounded(value)} ${units[unit] ?? ''}`;
}

/** `4m01s`, `850ms`; undefined is `–`. */
export function time(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '–';
  const ms = Math.round(milliseconds);
  if (ms < 1000) return `${ms}ms`;
  const seconds = Math.round(ms / 1000);
  if (ms < 10_000) return `${rounded(ms / 1000)}s`;
  if (seconds < 60) return `${seconds}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d${two(Math.floor(minutes / 60) % 24)}h`;
}

/** For how long the oldest waiting job has been ready, also of those that a limit holds up. */
export function oldestOf({ oldestMs, heldMs }: Ages): number | undefined {
  return oldestMs === undefined && heldMs === undefined
    ? undefined
    : Math.max(oldestMs ?? 0, heldMs ?? 0);
}

/** `3m10s ago`; undefined is `–`. */
export function ago(date: Date | undefined, now: Date): string {
  if (!date || Number.isNaN(date.getTime())) return '–';
  const passed = now.getTime() - date.getTime();
  return passed < 0 ? `in ${time(-passed)}` : `${time(passed)} ago`;
}

/** `6.1%`; of nothing it is `–`. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${rounded((100 * part) / whole)}%`;
}

/** `1 job`, `12 jobs`. */
export function jobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}

/** Bars of the values, each as high as it is beside the highest: `▁▃▇`. */
export function sparkline(values: readonly number[]): string {
  const highest = Math.max(1, ...values);
  return values
    .map(
      (value) => BARS[Math.min(BARS.length - 1, Math.round((value / highest) * (BARS.length - 1)))],
    )
    .join('');
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

function rounded(value: number): string {
  return String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
}

interface Ages {
  readonly oldestMs: number | undefined;
  readonly heldMs: number | undefined;
}
