import { rqCronOf } from '../schedule/index.js';
import { decodeCall } from './call.js';
import type { ScheduleRecord } from './schedule-record.js';

/**
 * Schedules as RQ's tools list them: what `CronScheduler.all()` reads. Those that RQ could not read are left out, since
 * one of them would keep it from reading any.
 *
 * @returns JSON of RQ's `cron_jobs`
 */
export function encodeCronJobs(records: readonly ScheduleRecord[]): string {
  const jobs = records.flatMap((record) => cronJob(record) ?? []).slice(0, MOST_LISTED);
  return JSON.stringify(jobs);
}

function cronJob(record: ScheduleRecord): Record<string, unknown> | undefined {
  const { id, definition, due, lastAt } = record;
  const cron = definition && rqCronOf(definition.when);
  if (!cron) return undefined;
  const { queue, data, options } = definition;
  const { name, args, kwargs } = decodeCall(id, Buffer.from(data), data.length * 3);
  return {
    func_name: name,
    name: id,
    queue_name: queue,
    args: args.length > 0 ? JSON.stringify(args) : null,
    kwargs: Object.keys(kwargs).length > 0 ? JSON.stringify(kwargs) : null,
    ...cron,
    latest_enqueue_time: dateText(lastAt),
    next_enqueue_time: dateText(due),
    job_timeout: options.timeout < 0 ? -1 : Math.ceil(options.timeout / 1000),
    ...(options.resultTtl === undefined ? {} : { result_ttl: options.resultTtl }),
  };
}

function dateText(milliseconds: number | undefined): string | null {
  // Python's dates end with the year 9999.
  if (milliseconds === undefined || milliseconds >= LATEST_DATE) return null;
  return new Date(milliseconds).toISOString();
}

const MOST_LISTED = 1000;
const LATEST_DATE = Date.UTC(9999, 0, 1);
