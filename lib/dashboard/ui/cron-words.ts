import { dateOf, duration, listOf, t, timeOf, weekday } from './words.js';

/**
 * A cron expression in words, of the shapes that people write: every so many minutes or hours, daily, on days of the week or
 * the month, once a year. Of any other shape nothing is said: the expression itself says it best.
 */
export function cronWords(cron: string): string | undefined {
  const fields = (NICKNAMES[cron.toLowerCase()] ?? cron).trim().split(/\s+/);
  // With seconds first.
  if (fields.length === 6 && fields.shift() !== '0') return undefined;
  if (fields.length !== 5) return undefined;
  const [minute = '', hour = '', day = '', month = '', week = ''] = fields;
  const isDaily = isAny(day) && month === '*' && isAny(week);
  if (hour === '*' || hour.includes('/')) {
    return isDaily ? oftenWords(minute, hour) : undefined;
  }
  const minutes = numbers(minute, 59);
  const hours = numbers(hour, 23);
  if (minutes?.length !== 1 || !hours || hours.length > MOST_TIMES) return undefined;
  const at = listOf(hours.map((one) => timeOf(one, minutes[0] as number)));
  if (isDaily) return t('cron.day', { at });
  if (isAny(day) && month === '*') {
    const days = weekWords(week);
    return days === undefined ? undefined : t('cron.week', { days, at });
  }
  const days = numbers(day, 31);
  if (!days || !isAny(week)) return undefined;
  if (month === '*') return t('cron.month', { days: listOf(days.map(String)), at });
  const months = numbers(names(month, MONTHS), 12);
  if (months?.length !== 1 || days.length !== 1) return undefined;
  return t('cron.year', { date: dateOf(months[0] as number, days[0] as number), at });
}

/** More than once a day. */
function oftenWords(minute: string, hour: string): string | undefined {
  const step = (field: string) => Number(/^(?:\*|0)\/(\d+)$/.exec(field)?.[1] ?? NaN);
  if (hour === '*' && minute === '*') return every(1, 60_000);
  // "*/7" begins anew with each hour: only what goes into it is "every".
  if (hour === '*' && 60 % step(minute) === 0) return every(step(minute), 60_000);
  const at = numbers(minute, 59);
  if (at?.length !== 1) return undefined;
  const hours = hour === '*' ? 1 : step(hour);
  if (24 % hours !== 0) return undefined;
  const often = every(hours, 3_600_000);
  return at[0] === 0 ? often : t('cron.past', { every: often, minute: duration(at[0]! * 60_000) });
}

function every(count: number, ms: number): string {
  if (count === 1) return t(ms === 60_000 ? 'cron.minute' : 'cron.hour');
  return t('schedules.every', { time: duration(count * ms) });
}

function weekWords(week: string): string | undefined {
  const field = names(week, WEEKDAYS, 0);
  const range = /^([0-7])-([0-7])$/.exec(field);
  if (range) return `${weekday(Number(range[1]))} – ${weekday(Number(range[2]))}`;
  const days = numbers(field, 7);
  return days && listOf(days.map((day) => weekday(day)));
}

/** "5" or "1,15"; undefined: something else. */
function numbers(field: string, most: number): number[] | undefined {
  if (!/^\d{1,2}(,\d{1,2})*$/.test(field)) return undefined;
  const all = field.split(',').map(Number);
  return all.every((one) => one <= most) ? all : undefined;
}

/** Names as their numbers. */
function names(field: string, all: readonly string[], first = 1): string {
  return field.replace(/[a-z]{3}/gi, (name) => {
    const at = all.indexOf(name.toUpperCase());
    return at === -1 ? name : String(at + first);
  });
}

function isAny(field: string): boolean {
  return field === '*' || field === '?';
}

const WEEKDAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');
const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const NICKNAMES: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};
const MOST_TIMES = 4;
