import { InvalidOptionError } from '../job/index.js';
import {
  type ScheduleDefinition,
  type ScheduleOptions,
  type When,
  assertScheduleId,
  firstDue,
  gridOf,
  readScheduleOptions,
  readWhen,
  withRevision,
} from '../schedule/index.js';
import type { JobStore } from '../store/index.js';
import type { NewJobs } from './new-jobs.js';
import type { RqJob } from './rq-job.js';
import { RqSchedule } from './rq-schedule.js';

/** The schedules of one queue: makes definitions out of what callers give, and stores those that are made at run time. */
export class QueueSchedules {
  constructor(
    private readonly queue: string,
    private readonly store: JobStore,
    private readonly newJobs: NewJobs,
    private readonly job: (id: string) => RqJob,
  ) {}

  /**
   * A checked definition.
   * @param where the call or the method, for errors
   * @throws InvalidOptionError, UnserializableDataError, PayloadTooLargeError
   */
  definition(given: GivenSchedule, where: string): ScheduleDefinition & WithImmediately {
    const { id, name, data, options, tz, carriesContext = false } = given;
    assertScheduleId(id, where);
    const when = readWhen(given.when, 'when', where, tz);
    const { missed, overlap, immediately, call, job } = readScheduleOptions(options, where);
    if (call !== undefined && data !== undefined) {
      const problem = 'stands beside data: give one of them';
      throw new InvalidOptionError({ option: 'call', problem, where });
    }
    const context = { job, carries: carriesContext, where };
    const { queue, ...made } = this.newJobs.ofSchedule(name, data, call, context);
    const { data: text, meta, options: resolved } = made;
    const definition = { id, queue, name, when, missed, overlap, data: text, meta };
    return { ...withRevision({ ...definition, options: resolved }), immediately };
  }

  /** Creates or replaces one. @throws what `definition` throws, InvalidOptionError when the id is taken, RqConnectionError */
  async put(given: GivenSchedule): Promise<RqSchedule> {
    const where = `schedule(${JSON.stringify(given.id)}) on queue "${this.queue}"`;
    const definition = this.definition({ ...given, carriesContext: true }, where);
    const { id, when, immediately } = definition;
    for (let attempt = 1; ; attempt += 1) {
      const { record, now } = await this.store.schedules.read(id);
      const isNew = record === undefined;
      const due =
        isNew && immediately
          ? now
          : firstDue(gridOf(when), when, record && { ...record, seen: now }, now);
      const change = { from: 'api' as const, expected: record?.rev, due: due ?? now };
      const answer = await this.store.schedules.define(definition, change);
      if (answer === 'live') return this.handle(id);
      if (answer !== 'changed' || attempt === ATTEMPTS)
        throw taken(id, answer, record?.queue, where);
    }
  }

  /** @throws InvalidOptionError when it is another queue's or stands in code, RqConnectionError */
  async remove(id: string): Promise<boolean> {
    const where = `unschedule(${JSON.stringify(id)}) on queue "${this.queue}"`;
    assertScheduleId(id, where);
    const answer = await this.store.schedules.remove(id, this.queue, UNSEEN_MS);
    if (answer === 'queue' || answer === 'code') throw taken(id, answer, undefined, where);
    return answer === 'removed';
  }

  async list(): Promise<RqSchedule[]> {
    const records = await this.store.schedules.all();
    return records
      .filter(({ queue }) => queue === this.queue)
      .map((record) => new RqSchedule(record, this.store, this.job))
      .toSorted(
        (one, other) => (one.next?.getTime() ?? Infinity) - (other.next?.getTime() ?? Infinity),
      );
  }

  async get(id: string): Promise<RqSchedule | undefined> {
    assertScheduleId(id, `getSchedule on queue "${this.queue}"`);
    const { record } = await this.store.schedules.read(id);
    return record?.queue === this.queue ? new RqSchedule(record, this.store, this.job) : undefined;
  }

  private async handle(id: string): Promise<RqSchedule> {
    const { record } = await this.store.schedules.read(id);
    if (record) return new RqSchedule(record, this.store, this.job);
    const problem = 'was removed by somebody else meanwhile: call it again';
    throw new InvalidOptionError({ option: 'id', problem, value: id });
  }
}

/** What somebody wants to be a schedule. */
export interface GivenSchedule {
  readonly id: string;
  readonly when: When;
  /** Beside a `when` that has none. */
  readonly tz?: unknown;
  readonly name: string;
  readonly data: unknown;
  readonly options: ScheduleOptions | undefined;
  /** The context of the caller travels with the jobs; default false. */
  readonly carriesContext?: boolean;
}

interface WithImmediately {
  /** Also once as soon as it is stored for the first time. */
  readonly immediately: boolean;
}

function taken(id: string, answer: string, queue: string | undefined, where: string): Error {
  const problem =
    answer === 'queue'
      ? `is a schedule of ${queue === undefined ? 'another queue' : `queue "${queue}"`}: ids are one for all queues`
      : answer === 'code'
        ? 'stands in code (@Schedule): change or remove it there, or give another id'
        : 'is changed by others all the time: call it again';
  return new InvalidOptionError({ option: 'id', problem, value: id, where });
}

/** How often a definition is tried to be written that others write, too. */
const ATTEMPTS = 5;
/** One in code may be removed when no process with it was there for so many milliseconds. */
const UNSEEN_MS = 90_000;
