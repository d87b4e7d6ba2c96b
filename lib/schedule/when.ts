import {
  type Duration,
  InvalidOptionError,
  isObject,
  optionTable,
  optional,
  readOptions,
  toMilliseconds,
  unchecked,
} from '../job/index.js';
import { type Grid, cronGrid, everyGrid } from './grid.js';

/** When a schedule is due, as a user writes it, in a decorator and in a call alike. */
export type When =
  | string
  | {
      /** 5 fields (`'0 9 * * 1-5'`), 6 with seconds first, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
      readonly cron: string;
      /** The time zone in which it is read, such as `'Europe/Berlin'`; default `'UTC'`, whatever the machine's is. */
      readonly tz?: string;
    }
  | {
      /** A grid from the epoch on: `'5m'` is due at :00, :05, ... in every process. A number is seconds; at least 1. */
      readonly every: Duration;
    };

/** The same, checked. `every` is milliseconds. */
export type ScheduleWhen =
  { readonly cron: string; readonly tz: string } | { readonly every: number };

/**
 * Checks when a schedule is due.
 * @param option the key to name in errors
 * @param where the call or the method, for errors
 * @param tz of options beside it
 * @throws InvalidOptionError when it is no expression, its zone is unknown, or it is never due
 */
export function readWhen(
  value: unknown,
  option: string,
  where: string | undefined,
  tz?: unknown,
): ScheduleWhen {
  if (typeof value === 'string') return readCron(value, tz, option, 'tz', where);
  if (!isObject(value) || 'cron' in value === 'every' in value) {
    const problem = "must be a cron expression, { cron, tz } or { every: '5m' }";
    throw new InvalidOptionError({ option, problem, value, where });
  }
  if ('cron' in value) {
    const read = readOptions(value, CRON_OPTIONS, where, option);
    if (read.tz !== undefined && tz !== undefined) {
      const problem = `stands in ${option} and in the options: give it once`;
      throw new InvalidOptionError({ option: 'tz', problem, where });
    }
    return readCron(read.cron, read.tz ?? tz, `${option}.cron`, `${option}.tz`, where);
  }
  if (tz !== undefined) {
    const problem = 'is for cron expressions: every is a grid in real time';
    throw new InvalidOptionError({ option: 'tz', problem, where });
  }
  return readOptions(value, EVERY_OPTIONS, where, option);
}

/** The grid of what `readWhen` has checked; made once for each. */
export function gridOf(when: ScheduleWhen): Grid {
  return 'cron' in when ? cronGrid(when.cron, when.tz) : everyGrid(when.every);
}

/** Text by which two are compared, and as which one is stored. */
export function encodeWhen(when: ScheduleWhen): string {
  return JSON.stringify('cron' in when ? { cron: when.cron, tz: when.tz } : { every: when.every });
}

/** Reads the text; undefined when it is none that this version understands. */
export function decodeWhen(text: string | undefined): ScheduleWhen | undefined {
  try {
    const { cron, tz, every } = Object(JSON.parse(text ?? '')) as Record<string, unknown>;
    return every === undefined
      ? readWhen({ cron, tz }, 'when', undefined)
      : readWhen({ every: Number(every) / 1000 }, 'when', undefined);
  } catch {
    return undefined;
  }
}

const CRON_OPTIONS = optionTable<{ cron: string; tz?: string }>()({
  cron: unchecked<unknown>(),
  tz: optional(unchecked<unknown>()),
});

const EVERY_OPTIONS = optionTable<{ every: Duration }>()({ every: readEvery });

function readEvery(value: unknown, option: string, where: string | undefined): number {
  const milliseconds = toMilliseconds(value as Duration, option, where);
  if (milliseconds >= SHORTEST_MS) return milliseconds;
  throw new InvalidOptionError({ option, problem: 'must be at least a second', value, where });
}

function readCron(
  value: unknown,
  zone: unknown,
  option: string,
  tzOption: string,
  where: string | undefined,
): ScheduleWhen {
  const tz = readZone(zone, tzOption, where);
  const cron = typeof value === 'string' ? value.trim().replace(/\s+/g, ' ') : '';
  if (!CRON_SHAPE.test(cron) || cron.length > LONGEST_CRON) {
    const problem =
      "must be a cron expression: 5 fields ('0 9 * * 1-5'), 6 with seconds first, or one such as '@daily'";
    throw new InvalidOptionError({ option, problem, value, where });
  }
  let next: number | undefined;
  try {
    // From a fixed moment: whether there is a tick does not depend on when it is asked.
    next = cronGrid(cron, tz).next(EPOCH_OF_CHECK);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : '';
    const problem = `is not a cron expression that can be read (${reason.replace(/\.$/, '')})`;
    throw new InvalidOptionError({ option, problem, value, where });
  }
  if (next === undefined) {
    const problem = 'never comes: no date is like that';
    throw new InvalidOptionError({ option, problem, value, where });
  }
  return { cron, tz };
}

function readZone(value: unknown, option: string, where: string | undefined): string {
  if (value === undefined) return 'UTC';
  const isName = typeof value === 'string' && /^[A-Za-z][\w+/-]*$/.test(value);
  if (isName && isZone(value)) return value;
  const problem = "must be a time zone by its IANA name, such as 'Europe/Berlin' or 'UTC'";
  throw new InvalidOptionError({ option, problem, value, where });
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

const SHORTEST_MS = 1000;
const LONGEST_CRON = 500;
/** Neither a date nor `@reboot`, which the library would take. */
const CRON_SHAPE =
  /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[\w*,/#?-]+( [\w*,/#?-]+){4,5})$/i;
const EPOCH_OF_CHECK = Date.UTC(2024, 0, 1);
