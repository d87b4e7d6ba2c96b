import type { JobState, QueueJob, QueueJobJson } from '@bull-board/api/dist/types.js';
import { Redaction } from '../dashboard/server/redaction.js';
import {
  type JobAttempt,
  type JobSnapshot,
  type JobSummary,
  JobNotFoundError,
  MalformedJobError,
  type RqJob,
  cleanLine,
  cleanText,
} from '../observe/index.js';
import { FACTS } from './new-job-options.js';
import { NotOnBoardError, answered } from './refusals.js';
import { stateOf } from './statuses.js';

/** How jobs are shown, and what "Retry" means. */
export interface JobSettings {
  readonly redaction: Redaction;
  readonly retries: 'fresh' | undefined;
}

/**
 * A job as bull-board wants it: BullMQ's fields, and what its buttons do. Secrets are blanked before anything, bull-board's
 * own formatters included, sees it.
 */
export class BoardJob implements QueueJob {
  readonly id: string;
  readonly name: string;
  readonly progress: QueueJobJson['progress'];
  readonly opts: Record<string, unknown>;
  /** Its queue, in the words of bull-board's graph of flows. */
  readonly queueName: string;
  readonly queueQualifiedName: string;
  readonly repeatJobKey?: string;
  /** Ids of the jobs that it waits for. */
  readonly waitsFor: readonly string[];
  readonly #handle: RqJob;
  readonly #shown: QueueJobJson;
  readonly #settings: JobSettings;

  constructor(
    handle: RqJob,
    queue: string,
    shown: QueueJobJson,
    settings: JobSettings,
    waitsFor: readonly string[] = [],
  ) {
    this.id = handle.id;
    this.name = shown.name;
    this.progress = shown.progress;
    this.opts = shown.opts as Record<string, unknown>;
    this.queueName = queue;
    this.queueQualifiedName = qualifiedName(queue);
    this.waitsFor = waitsFor;
    if (shown.repeatJobKey !== undefined) this.repeatJobKey = shown.repeatJobKey;
    this.#handle = handle;
    this.#shown = shown;
    this.#settings = settings;
  }

  toJSON(): QueueJobJson {
    return this.#shown;
  }

  async getState(): Promise<JobState> {
    try {
      return stateOf(await this.#handle.status());
    } catch (error) {
      if (error instanceof JobNotFoundError) return 'unknown';
      throw error;
    }
  }

  /** One that has finished is run again, too. */
  retry(): Promise<void> {
    const { retries } = this.#settings;
    const options = { finished: true, ...(retries && { retries }) };
    return answered(() => this.#handle.requeue(options));
  }

  promote(): Promise<void> {
    return answered(() => this.#handle.promote());
  }

  /** One that runs stays, as in BullMQ: the board says then that it is active. */
  remove(): Promise<void> {
    return answered(async () => {
      if ((await this.getState()) === 'active') {
        throw new NotOnBoardError(
          this.queueName,
          'Its running jobs are not removed: stop it first.',
        );
      }
      await this.#handle.delete();
    });
  }

  updateData(): Promise<void> {
    const advice = 'The data of a stored job stay as they are: duplicate it with other ones.';
    return answered(() => Promise.reject(new NotOnBoardError(this.queueName, advice)));
  }
}

/** No prefix of BullMQ's, so that no graph of flows takes one for the other. */
export function qualifiedName(queue: string): string {
  return `nestjs-rq:${queue}`;
}

/**
 * A job with all that the board shows of one.
 * @param summary what is known of it already
 * @returns undefined: it is gone meanwhile
 */
export async function readBoardJob(
  handle: RqJob,
  summary: JobSummary,
  settings: JobSettings,
): Promise<BoardJob | undefined> {
  try {
    const hasAttempts = summary.status === 'finished' || summary.failure !== undefined;
    const [snapshot, attempts] = await Promise.all([
      snapshotOf(handle),
      hasAttempts ? handle.results() : [],
    ]);
    const shown = shownAs(summary, snapshot, attempts, settings.redaction);
    const waitsFor = (typeof snapshot === 'string' ? summary : snapshot).waitsFor;
    return new BoardJob(handle, summary.queue, shown, settings, waitsFor?.jobs);
  } catch (error) {
    if (error instanceof JobNotFoundError) return undefined;
    throw error;
  }
}

async function snapshotOf(job: RqJob): Promise<JobSnapshot | string> {
  try {
    return await job.refresh();
  } catch (error) {
    if (error instanceof MalformedJobError) return error.message;
    throw error;
  }
}

function shownAs(
  job: JobSummary,
  snapshot: JobSnapshot | string,
  attempts: readonly JobAttempt[],
  redaction: Redaction,
): QueueJobJson {
  const whole = typeof snapshot === 'string' ? undefined : snapshot;
  const of = (value: unknown, root: string) => redaction.value(value, job.queue, root).value;
  const told = (text: string) => redaction.text(cleanLine(text));
  const failure = job.status === 'finished' ? undefined : job.failure;
  const last = attempts.at(-1);
  const timestamp = (job.createdAt ?? job.enqueuedAt ?? job.startedAt)?.getTime() ?? 0;
  const delay = job.dueAt && Math.max(0, job.dueAt.getTime() - timestamp);
  const { retriesLeft, repeatsLeft } = job;
  const waitsFor = whole?.waitsFor ?? job.waitsFor;
  const facts = {
    ...(retriesLeft !== undefined && { retriesLeft }),
    ...(repeatsLeft !== undefined && { repeatsLeft }),
    ...(waitsFor && { waitsFor }),
    ...(job.reason !== undefined && { reason: told(job.reason) }),
    ...(whole?.tick && { schedule: whole.tick.schedule, tick: whole.tick.at }),
    ...(whole && Object.keys(whole.meta).length > 0 && { meta: of(whole.meta, 'meta') }),
  };
  return {
    id: job.id,
    name: cleanLine(job.name ?? job.description ?? 'unreadable', 200),
    progress: progressOf(of(whole?.progress, 'progress')),
    // BullMQ counts those that have ended.
    attemptsMade: job.status === 'started' ? Math.max(0, job.attempts - 1) : job.attempts,
    timestamp,
    processedOn: job.startedAt?.getTime() ?? null,
    processedBy: job.worker === undefined ? null : cleanLine(job.worker, 200),
    finishedOn: job.endedAt?.getTime() ?? null,
    ...(delay !== undefined && { delay }),
    failedReason: failure === undefined ? '' : told(failure),
    stacktrace: failure === undefined ? [] : stacksOf(attempts, redaction),
    data: whole ? of(dataOf(whole), 'data') : { unreadable: snapshot },
    returnvalue: last?.outcome === 'finished' ? of(last.value, 'result') : null,
    opts: {
      ...(retriesLeft !== undefined && { attempts: job.attempts + retriesLeft }),
      ...(delay !== undefined && { delay }),
      ...(Object.keys(facts).length > 0 && { [FACTS]: facts }),
    },
    ...(whole?.tick && { repeatJobKey: whole.tick.schedule }),
  };
}

/** What was given to `enqueue`; of a call with several arguments, as Python makes them, all of these. */
function dataOf({ args, kwargs, data }: JobSnapshot): unknown {
  return args.length === 1 && Object.keys(kwargs).length === 0 ? data : { args, kwargs };
}

/** The board knows texts, numbers and objects. */
function progressOf(value: unknown): QueueJobJson['progress'] {
  if (value === undefined || value === null) return 0;
  return (Array.isArray(value) ? Object.assign({}, value) : value) as QueueJobJson['progress'];
}

/** Oldest first, as BullMQ keeps them. */
function stacksOf(attempts: readonly JobAttempt[], redaction: Redaction): string[] {
  return attempts
    .map(({ stack, error }) => stack ?? error)
    .filter((text) => text !== undefined)
    .map((text) => redaction.text(cleanText(text).slice(0, LONGEST_STACK)));
}

const LONGEST_STACK = 20_000;
