import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type {
  AppJobScheduler,
  JobCleanStatus,
  JobCounts,
  JobStatus,
  MetricsType,
  ObliterateOptions,
  QueueJobOptions,
  QueueMetrics,
  QueueRateLimit,
  QueueWorker,
  Status,
} from '@bull-board/api/dist/types.js';
import { Redaction } from '../dashboard/server/redaction.js';
import {
  InvalidOptionError,
  JobNotFoundError,
  type JobSummary,
  type Queue,
  type RqInspector,
} from '../observe/index.js';
import { type RqAdapterOptions, assertAdapterOptions } from './adapter-options.js';
import { BoardJob, type JobSettings, qualifiedName, readBoardJob } from './board-job.js';
import { Flows } from './flows.js';
import { assertNothingBlanked, newJobOptions } from './new-job-options.js';
import { NotOnBoardError, answered } from './refusals.js';
import { PLACES, type Place, isPlace } from './statuses.js';
import { setLimitsOf, totalOf, wholeLimit } from './whole-limits.js';

/**
 * A queue of nestjs-rq on a bull-board, beside BullMQ's, for teams that move queue by queue.
 *
 * ```ts
 * createBullBoard({ serverAdapter, queues: [new BullMQAdapter(mails), new RqAdapter(images, { inspector })] });
 * ```
 *
 * Of two queues with one name, one needs a `prefix`: bull-board tells its queues apart by their names. What it can ask for
 * and nestjs-rq does not have is refused with a sentence, which the board shows. RqDashboardModule shows more.
 */
export class RqAdapter extends BaseAdapter {
  readonly #queue: Queue;
  readonly #inspector: RqInspector | undefined;
  readonly #settings: JobSettings;
  readonly #flows: Flows;

  /** @throws InvalidOptionError naming the key */
  constructor(queue: Queue, options: RqAdapterOptions = {}) {
    assertAdapterOptions(queue, options);
    const { inspector, redact, retries, ...ofBoard } = options;
    // The board knows two kinds of queues. This one has more in common with BullMQ's.
    super('bullmq', ofBoard);
    this.#queue = queue;
    this.#inspector = inspector;
    this.#settings = { redaction: new Redaction(redact), retries };
    this.#flows = new Flows((id) => this.#read(id));
  }

  getName(): string {
    return `${this.prefix}${this.#queue.name}`;
  }

  getStatuses(): Status[] {
    return ['latest', ...this.getJobStatuses()];
  }

  getJobStatuses(): JobStatus[] {
    return Object.keys(PLACES) as Place[];
  }

  async getJobCounts(): Promise<JobCounts> {
    const counts = await this.#queue.counts();
    const places = Object.entries(PLACES).map(([status, place]) => [status, counts[place]]);
    return Object.fromEntries(places) as JobCounts;
  }

  /** Those that have ended: the newest first. All others in their order: the next one first. */
  async getJobs(statuses: JobStatus[], start = 0, end = start + LONGEST_PAGE): Promise<BoardJob[]> {
    const pages = await Promise.all(
      statuses.filter(isPlace).map((status) => this.#page(status, start, end)),
    );
    const jobs = await Promise.all(
      pages.flat().map((job) => readBoardJob(this.#queue.job(job.id), job, this.#settings)),
    );
    return jobs.filter((job) => job !== undefined);
  }

  async getJob(id: string): Promise<BoardJob | undefined> {
    const job = await this.#read(id);
    return job?.queueName === this.#queue.name ? job : undefined;
  }

  /** None of a job that is another queue's. */
  async getJobLogs(id: string): Promise<string[]> {
    if ((await this.#summary(id))?.queue !== this.#queue.name) return [];
    const lines = await this.#queue.job(id).logs();
    return lines.map((line) => this.#settings.redaction.text(line));
  }

  addJob(name: string, data: unknown, options: QueueJobOptions = {}): Promise<BoardJob> {
    return answered(async () => {
      const queue = this.#queue.name;
      assertNothingBlanked(queue, data);
      const job = await this.#queue.enqueue(name, data, newJobOptions(queue, { ...options }));
      return (await this.getJob(job.id)) ?? this.#gone(job.id, name, data);
    });
  }

  /** Deletes those that came there longer ago. */
  clean(status: JobCleanStatus | JobStatus, graceMs: number): Promise<void> {
    return answered(async () => {
      const place = status === 'wait' ? 'queued' : isPlace(status) ? PLACES[status] : undefined;
      if (place === undefined || place === 'started') {
        const what = `Jobs that are ${status} cannot be cleaned.`;
        throw new NotOnBoardError(this.#queue.name, what);
      }
      // What is scheduled stands there by when it is due.
      const before = place === 'scheduled' ? {} : { before: new Date(Date.now() - graceMs) };
      await this.#queue.delete({ in: place, ...before });
    });
  }

  async promoteAll(): Promise<void> {
    await answered(() => this.#queue.promote({ in: 'scheduled' }));
  }

  isPaused(): Promise<boolean> {
    return this.#queue.isPaused();
  }

  pause(): Promise<void> {
    return this.#queue.pause();
  }

  resume(): Promise<void> {
    return this.#queue.resume();
  }

  async empty(): Promise<void> {
    await this.#queue.empty();
  }

  /** Deletes all jobs, and the schedules that are not in code. */
  async obliterate({ force = false }: ObliterateOptions = {}): Promise<void> {
    const { started } = await this.#queue.counts();
    // The board knows this sentence of BullMQ's, and offers to force it.
    if (started > 0 && !force) throw new Error('Cannot obliterate queue with active jobs');
    for (const place of Object.values(PLACES)) await this.#queue.delete({ in: place });
    await this.#queue.delete({ in: 'canceled' });
    for (const { id, from } of await this.#queue.schedules()) {
      if (from === 'api') await this.#queue.unschedule(id);
    }
  }

  /** Per minute, the newest first. */
  async getMetrics(type: MetricsType): Promise<QueueMetrics> {
    if (!this.#inspector) {
      throw new NotOnBoardError(this.#queue.name, 'Give the adapter an inspector for its metrics.');
    }
    const outcome = type === 'completed' ? 'finished' : 'failed';
    const { points, total } = await this.#inspector.history(this.#queue.name, { last: '3h' });
    const count = total[outcome];
    return {
      meta: { count, prevTS: points.at(-1)?.at.getTime() ?? 0, prevCount: 0 },
      data: points.map((point) => point[outcome]).reverse(),
      count,
    };
  }

  /** null: without an inspector nobody knows. */
  override async getWorkers(): Promise<QueueWorker[] | null> {
    if (!this.#inspector) return null;
    const workers = await this.#inspector.workers();
    return workers
      .filter(({ queues, isAlive }) => isAlive && queues.includes(this.#queue.name))
      .map(({ name, host, pid, startedAt }) => ({
        id: name,
        name,
        addr: [host, pid].filter((part) => part !== undefined).join(':'),
        age: startedAt ? Math.max(0, Math.round((Date.now() - startedAt.getTime()) / 1000)) : 0,
      }));
  }

  /** The inspector knows less than that: the board says that it is not known. */
  getRedisInfo(): Promise<null> {
    return Promise.resolve(null);
  }

  async getJobSchedulers(): Promise<Omit<AppJobScheduler, 'queueName'>[]> {
    const schedules = await this.#queue.schedules();
    return schedules.map(({ id, name, when, tz, next, last, lastJobId }) => ({
      id,
      name: name ?? 'unreadable',
      ...(when && ('cron' in when ? { pattern: when.cron } : { every: when.every * 1000 })),
      ...(tz !== undefined && { tz }),
      ...(next && { next: next.getTime() }),
      ...(last && { lastRun: last.getTime() }),
      ...(lastJobId !== undefined && { lastRunJobId: lastJobId }),
    }));
  }

  async getJobSchedulersCount(): Promise<number> {
    return (await this.#queue.schedules()).length;
  }

  removeJobScheduler(id: string): Promise<boolean> {
    return answered(async () => {
      const schedule = await this.#queue.getSchedule(id);
      if (schedule?.from === 'code') {
        const what = `Its schedule "${id}" stands in code, where it can be removed.`;
        throw new NotOnBoardError(this.#queue.name, what);
      }
      return schedule !== undefined && this.#queue.unschedule(id);
    });
  }

  override get supportsJobSchedulerRun(): boolean {
    return true;
  }

  runJobSchedulerNow(id: string): Promise<BoardJob | 'not-found'> {
    return answered(async () => {
      const schedule = await this.#queue.getSchedule(id);
      if (!schedule) return 'not-found';
      const job = await schedule.runNow();
      return (await this.getJob(job.id)) ?? this.#gone(job.id, schedule.name ?? '', undefined);
    });
  }

  /** The board never asks it: `supportsJobSchedulerUpdate` is false, as a schedule is set together with its data. */
  updateJobScheduler(): Promise<never> {
    const what = 'Its schedules are changed where they are made: by @Schedule or queue.schedule().';
    return answered(() => Promise.reject(new NotOnBoardError(this.#queue.name, what)));
  }

  async getGlobalConcurrency(): Promise<number | null> {
    return totalOf(await this.#queue.limits());
  }

  /** @param concurrency 0: as declared */
  async setGlobalConcurrency(concurrency: number): Promise<void> {
    const total = concurrency > 0 ? { total: concurrency } : undefined;
    await answered(() => setLimitsOf(this.#queue, { concurrency: total }));
  }

  override get supportsGlobalRateLimit(): boolean {
    return true;
  }

  override async getConfiguredRateLimit(): Promise<QueueRateLimit | null> {
    const limits = await this.#queue.limits();
    const { max, per } = wholeLimit(limits)?.rateLimit ?? {};
    return max === undefined || per === undefined ? null : { max, duration: per * 1000 };
  }

  override async setConfiguredRateLimit({ max, duration }: QueueRateLimit): Promise<void> {
    const rateLimit = { max, per: duration / 1000 };
    await answered(() => setLimitsOf(this.#queue, { rateLimit }));
  }

  override async removeConfiguredRateLimit(): Promise<void> {
    await answered(() => setLimitsOf(this.#queue, { rateLimit: undefined }));
  }

  override async releaseActiveRateLimit(): Promise<void> {
    const what = 'A rate that is used up cannot be released: set another one.';
    await answered(() => Promise.reject(new NotOnBoardError(this.#queue.name, what)));
  }

  /** @internal bull-board asks those of the kind `bullmq` for it. */
  getQueueName(): string {
    return this.#queue.name;
  }

  /** @internal */
  getQueueQualifiedName(): string {
    return qualifiedName(this.#queue.name);
  }

  /** @internal */
  getFlowProducer(): Promise<Flows> {
    return Promise.resolve(this.#flows);
  }

  async #page(status: Place, start: number, end: number): Promise<JobSummary[]> {
    const place = PLACES[status];
    const limit = end < start ? LONGEST_PAGE : end - start + 1;
    if (status !== 'completed' && status !== 'failed') {
      return this.#queue.jobs(place, { offset: start, limit });
    }
    const all = (await this.#queue.counts())[place];
    const offset = Math.max(0, all - start - limit);
    const found = Math.max(0, all - start - offset);
    return (await this.#queue.jobs(place, { offset, limit: found })).reverse();
  }

  async #read(id: string): Promise<BoardJob | undefined> {
    const summary = await this.#summary(id);
    return summary && readBoardJob(this.#queue.job(id), summary, this.#settings);
  }

  /** undefined: there is no such job, or no job can have this id. */
  async #summary(id: string): Promise<JobSummary | undefined> {
    try {
      const summary = await this.#queue.job(id).summary();
      return summary.queue === '' ? { ...summary, queue: this.#queue.name } : summary;
    } catch (error) {
      if (error instanceof JobNotFoundError || error instanceof InvalidOptionError)
        return undefined;
      throw error;
    }
  }

  /** A job that was there, and has ended and gone already. */
  #gone(id: string, name: string, data: unknown): BoardJob {
    const { redaction } = this.#settings;
    const shown = {
      id,
      name,
      progress: 0,
      attemptsMade: 0,
      timestamp: Date.now(),
      failedReason: '',
      stacktrace: [],
      data: redaction.value(data, this.#queue.name, 'data').value,
      returnvalue: null,
      opts: {},
    };
    return new BoardJob(this.#queue.job(id), this.#queue.name, shown, this.#settings);
  }
}

/** bull-board asks for all only where it has counted before. */
const LONGEST_PAGE = 300;
