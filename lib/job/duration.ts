/**
 * Lengths of time as a user writes them. A number is SECONDS, as everywhere in RQ (`30`, `0.5`); a text carries its
 * unit (`'500ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`, `'1w'`, `'1.5h'`). Inside the library times are milliseconds; what
 * RQ stores is whole seconds.
 */
import { InvalidOptionError } from './errors.js';

/** Seconds as a number, fractions allowed, or text with a unit: `ms`, `s`, `m`, `h`, `d` or `w`. Never negative. */
export type Duration = number | string;

/**
 * The duration in whole milliseconds; a length above zero never becomes zero.
 * @param option the key to name in the error
 * @param where the call or module to name in the error
 * @throws InvalidOptionError if it is no duration, negative, or longer than a hundred years
 */
export function toMilliseconds(value: Duration, option: string, where?: string): number {
  const milliseconds = read(value);
  const problem = problemWith(milliseconds);
  if (problem !== undefined) {
    throw new InvalidOptionError({ option, problem, value, where });
  }
  return Math.max(Math.round(milliseconds), milliseconds > 0 ? 1 : 0);
}

/** The duration in whole seconds, rounded UP: RQ stores integers, and nothing may end too early. Errors as in {@link toMilliseconds}. */
export function toWholeSeconds(value: Duration, option: string, where?: string): number {
  return Math.ceil(toMilliseconds(value, option, where) / 1000);
}

/** Milliseconds for a log line, in at most two units: `250ms`, `1.5s`, `1m 30s`, `2d 3h`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds));
  if (whole < UNITS.s) {
    return `${whole}ms`;
  }
  if (whole < UNITS.m) {
    return `${whole / UNITS.s}s`;
  }
  const units = Object.entries(LONG_UNITS);
  const largest = units.findIndex(([, length]) => whole >= length);
  const [[large, largeLength], [small, smallLength]] = units.slice(largest) as [Unit, Unit];
  const count = Math.floor(whole / largeLength);
  const rest = Math.floor((whole % largeLength) / smallLength);
  return rest > 0 ? `${count}${large} ${rest}${small}` : `${count}${large}`;
}

/** The longest duration accepted, in milliseconds: a hundred years. Beyond it Redis' and Python's dates overflow. */
export const LONGEST_DURATION = 36_500 * 86_400_000;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

// As a log line shows them: weeks are told in days.
const LONG_UNITS = { d: UNITS.d, h: UNITS.h, m: UNITS.m, s: UNITS.s };

type Unit = [name: string, length: number];

const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

function read(value: unknown): number {
  if (typeof value === 'number') {
    return value * 1000;
  }
  const [, count, unit] = (typeof value === 'string' && TEXT.exec(value)) || [];
  return count === undefined ? NaN : Number(count) * UNITS[unit as keyof typeof UNITS];
}

function problemWith(milliseconds: number): string | undefined {
  if (milliseconds < 0) {
    return 'must not be negative';
  }
  if (milliseconds > LONGEST_DURATION) {
    return 'must be at most a hundred years';
  }
  return Number.isNaN(milliseconds)
    ? "must be a duration: seconds as a number, or text such as '500ms', '30s', '5m', '2h', '1d' or '1w'"
    : undefined;
}
