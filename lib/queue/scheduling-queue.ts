import type { When } from '../schedule/index.js';
import type { JobStore } from '../store/index.js';
import type { JobName, ScheduleArguments } from './handler-types.js';
import { LimitedQueue } from './limited-queue.js';
import type { NewJobs } from './new-jobs.js';
import { type GivenSchedule, QueueSchedules } from './queue-schedules.js';
import type { RqJob } from './rq-job.js';
import type { RqSchedule } from './rq-schedule.js';

/** The side of a queue that has jobs enqueued by the clock. */
export abstract class SchedulingQueue<Handlers> extends LimitedQueue {
  readonly #schedules: QueueSchedules;

  constructor(name: string, store: JobStore, newJobs: NewJobs) {
    super(name, store);
    this.#schedules = new QueueSchedules(name, store, newJobs, (id) => this.job(id));
  }

  /** The handle of a job by its id. */
  abstract job(id: string): RqJob;

  /**
   * Has a job enqueued again and again, each tick once for all processes, until {@link unschedule}. An existing schedule of
   * this id is replaced; if only its data changes, the tick that it waits for stays.
   *
   * ```ts
   * await reports.schedule('tenant-7', { cron: '0 6 * * *', tz: 'Europe/Berlin' }, 'daily', { tenant: 7 });
   * ```
   *
   * @param id letters, digits, `_` and `-`; one for all queues
   * @throws InvalidOptionError when an option is impossible, the id is another queue's or stands in code
   * @throws UnserializableDataError, PayloadTooLargeError, RqConnectionError
   */
  schedule<Name extends JobName<Handlers>>(
    id: string,
    when: When,
    name: Name,
    ...[data, options]: ScheduleArguments<Handlers, Name>
  ): Promise<RqSchedule> {
    return this.#schedules.put({ id, when, name, data, options });
  }

  /** Ends a schedule; jobs that it has made stay. False: there is none. @throws InvalidOptionError, RqConnectionError */
  unschedule(id: string): Promise<boolean> {
    return this.#schedules.remove(id);
  }

  /** The schedules of this queue, the next one first, those in code too. @throws RqConnectionError */
  schedules(): Promise<RqSchedule[]> {
    return this.#schedules.list();
  }

  /** One schedule of this queue; undefined when there is none. @throws InvalidOptionError, RqConnectionError */
  getSchedule(id: string): Promise<RqSchedule | undefined> {
    return this.#schedules.get(id);
  }

  /** @internal What a schedule in code is. */
  scheduleInCode(given: GivenSchedule, where: string): ReturnType<QueueSchedules['definition']> {
    return this.#schedules.definition(given, where);
  }
}
