import { InvalidOptionError, ShortForm, wholeNumber } from '../job/index.js';
import { type ScheduleWhen, gridOf } from '../schedule/index.js';
import type { JobStore, TickJob } from '../store/index.js';
import { type ScheduleRecord, laneOf } from '../wire/index.js';
import { newJobId } from './job-id.js';
import type { RqJob } from './rq-job.js';

/**
 * A schedule as it stood when it was asked for, and what can be done to it. `queue.schedules()` lists those of a queue.
 */
export class RqSchedule extends ShortForm {
  /** One for all queues of a Redis. */
  readonly id: string;
  readonly queue: string;
  /** Name of its jobs; undefined: another version has written what this one cannot read. */
  readonly name: string | undefined;
  /** The cron expression, or `every` in seconds; undefined as `name`. */
  readonly when: { readonly cron: string } | { readonly every: number } | undefined;
  /** Time zone of the cron expression. */
  readonly tz: string | undefined;
  /** The next tick; undefined: it is paused. */
  readonly next: Date | undefined;
  /** The last tick that has made a job. */
  readonly last: Date | undefined;
  readonly lastJobId: string | undefined;
  /** Ticks that made no job since nobody was there. */
  readonly missed: number;
  /** Ticks that made no job since the last one's had not ended (`overlap: false`). */
  readonly skipped: number;
  readonly paused: boolean;
  /** `code`: of `@Schedule`; `api`: made at run time. */
  readonly from: 'code' | 'api';

  readonly #record: ScheduleRecord;
  readonly #store: JobStore;
  readonly #job: (id: string) => RqJob;

  /** @param job gives the handle of a job of its queue */
  constructor(record: ScheduleRecord, store: JobStore, job: (id: string) => RqJob) {
    super();
    const { definition, due, last } = record;
    this.#record = record;
    this.#store = store;
    this.#job = job;
    this.id = record.id;
    this.queue = record.queue;
    this.name = definition?.name;
    this.when = definition && shownWhen(definition.when);
    this.tz = definition && 'cron' in definition.when ? definition.when.tz : undefined;
    this.next = due === undefined ? undefined : new Date(due);
    this.last = last > 0 ? new Date(last) : undefined;
    this.lastJobId = record.lastJobId;
    this.missed = record.missed;
    this.skipped = record.skipped;
    this.paused = record.paused;
    this.from = record.from;
  }

  /** No tick makes a job until it is resumed, whatever is deployed meanwhile. @throws RqConnectionError */
  async pause(): Promise<void> {
    if (!(await this.#store.schedules.pause(this.id))) throw this.gone('pause');
  }

  /** It goes on with the next tick of its grid: none is made up for. @throws RqConnectionError */
  async resume(): Promise<void> {
    const { record, now } = await this.#store.schedules.read(this.id);
    const due = record?.definition && gridOf(record.definition.when).next(now);
    if (due === undefined || !(await this.#store.schedules.resume(this.id, due))) {
      throw this.gone('resume');
    }
  }

  /** Makes a job now, beside the ticks; its `tick.at` is the present. @throws RqConnectionError */
  async runNow(): Promise<RqJob> {
    const { record, now } = await this.#store.schedules.read(this.id);
    if (!record?.definition) throw this.gone('runNow');
    const { queue, name, data, meta, options, rev } = record.definition;
    const lane = laneOf(name, options);
    const times = { due: now, at: now, next: now + 1 };
    const tick = {
      schedule: this.id,
      rev,
      mode: 'now',
      ...times,
      missed: 0,
      overlap: true,
    } as const;
    const job: TickJob = { queue, id: newJobId(), check: 'once', data, meta, options, lane, tick };
    const [refusal] = await this.#store.enqueue([job], 'each');
    if (refusal) throw this.gone('runNow');
    return this.#job(job.id);
  }

  /** The jobs that it has made, the newest first; default the last 100, of at most 1000 that are known. */
  async jobs({ offset = 0, limit = 100 }: { offset?: number; limit?: number } = {}): Promise<
    RqJob[]
  > {
    const where = `jobs of schedule "${this.id}"`;
    wholeNumber(0)(offset, 'offset', where);
    wholeNumber(0)(limit, 'limit', where);
    const ids = await this.#store.schedules.history(this.id, { offset, limit });
    return ids.map((id) => this.#job(id));
  }

  /** What JSON and logs show of it. */
  toJSON() {
    const { id, queue, name, when, tz, next, last, lastJobId, missed, skipped, paused, from } =
      this;
    return { id, queue, name, when, tz, next, last, lastJobId, missed, skipped, paused, from };
  }

  private gone(action: string): Error {
    const problem = this.#record.definition
      ? 'is no schedule any more: it was removed'
      : 'cannot be read: another version of this library has written it';
    return new InvalidOptionError({ option: 'id', problem, value: this.id, where: `${action}()` });
  }
}

function shownWhen(when: ScheduleWhen): { cron: string } | { every: number } {
  return 'cron' in when ? { cron: when.cron } : { every: when.every / 1000 };
}
