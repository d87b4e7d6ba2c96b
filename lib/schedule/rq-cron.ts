import type { ScheduleWhen } from './when.js';

/**
 * How RQ's own list of cron jobs says when a schedule is due. Its readers take the whole list or nothing: one entry that
 * `croniter` cannot read makes `CronScheduler.all()` raise for everybody. So only what is known to be readable is said.
 *
 * @returns undefined: this schedule is left out of RQ's list
 */
export function rqCronOf(when: ScheduleWhen): RqCron | undefined {
  if (!('cron' in when)) {
    const interval = Math.round(when.every / 1000);
    return interval >= 1 && interval <= LONGEST_INTERVAL ? { interval, cron: null } : undefined;
  }
  const { cron } = when;
  if (cron.startsWith('@')) return { interval: null, cron: cron.toLowerCase() };
  const fields = cron.split(' ');
  // Ours has seconds first, croniter's last.
  const seconds = fields.length === 6 ? fields.shift() : undefined;
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const isReadable =
    (seconds === undefined || PLAIN.test(seconds)) &&
    PLAIN.test(minute) &&
    PLAIN.test(hour) &&
    (PLAIN.test(day) || day === '?' || day.toUpperCase() === 'L') &&
    (PLAIN.test(month) || MONTHS.test(month)) &&
    (PLAIN.test(weekday) || weekday === '?' || WEEKDAYS.test(weekday) || NTH.test(weekday));
  if (!isReadable) return undefined;
  const all = [minute, hour, day, month, weekday, ...(seconds === undefined ? [] : [seconds])];
  return { interval: null, cron: all.join(' ') };
}

/** Exactly one of the two. */
export type RqCron =
  | { readonly interval: number; readonly cron: null }
  | { readonly interval: null; readonly cron: string };

/** Seconds: RQ adds it to a date of Python. */
const LONGEST_INTERVAL = 3_153_600_000;
const PLAIN = /^(\*|\d{1,2}(-\d{1,2})?)(\/\d{1,2})?(,(\*|\d{1,2}(-\d{1,2})?)(\/\d{1,2})?)*$/;
const NAMED = (names: string) =>
  new RegExp(`^(${names})(-(${names}))?(,(${names})(-(${names}))?)*$`, 'i');
const MONTHS = NAMED('JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC');
const WEEKDAYS = NAMED('SUN|MON|TUE|WED|THU|FRI|SAT');
const NTH = /^[0-7]#[1-5]$/;
