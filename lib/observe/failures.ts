import { plainMessage } from '../job/index.js';
import type { JobSummary } from '../wire/index.js';
import type { FoundJobs, SearchOptions } from './search.js';

/** Failed jobs of one cause: the same job, error and place, and a message that differs in numbers and quoted texts only. */
export interface FailureGroup {
  /** Names the group: `inspector.requeue(queue, { in: 'failed', cause })`. */
  readonly cause: string;
  readonly queue: string;
  /** Of the job; undefined: only Python can read it. */
  readonly name: string | undefined;
  /** Name of the error's class. */
  readonly error: string;
  /** The message, without what differs between the jobs. */
  readonly message: string;
  /** How many of the jobs that were looked at. */
  readonly count: number;
  /** When the first and the last of them failed. */
  readonly first: Date | undefined;
  readonly last: Date | undefined;
  /** How many failed in each of the last 24 hours, the oldest first. */
  readonly lastDay: readonly number[];
  /** The one that failed last. */
  readonly sample: JobSummary;
}

export interface Failures {
  /** The most frequent first. */
  readonly groups: readonly FailureGroup[];
  /** How many failed jobs were looked at, the newest first, of how many. */
  readonly looked: number;
  readonly total: number;
  readonly isComplete: boolean;
}

/** Which failures are looked at. */
export interface FailuresOptions extends SearchOptions {
  /** Default: all. */
  readonly queue?: string;
  /** Only jobs of this name. */
  readonly name?: string;
  /** Those of jobs that wait for a retry; default: of jobs that have failed for good. */
  readonly retrying?: boolean;
}

/** Puts failed jobs together by their cause. */
export async function groupFailures(found: FoundJobs): Promise<Failures> {
  const groups = new Map<string, FailureGroup>();
  for await (const job of found) {
    // A delayed job waits among the retries, and has not failed.
    if (job.status === 'scheduled' && job.failure === undefined) continue;
    const key = `${job.queue}\n${job.cause}`;
    const known = groups.get(key);
    groups.set(key, known ? withJob(known, job) : groupOf(job));
  }
  const sorted = [...groups.values()].toSorted((one, other) => other.count - one.count);
  const { looked, total, isComplete } = found;
  return { groups: sorted, looked, total, isComplete };
}

function groupOf(job: JobSummary): FailureGroup {
  const { queue, name, failure = '', cause = '' } = job;
  const endedAt = failedAt(job);
  const [, error = 'Error', message = failure] = /^([\w.$]{1,100}): (.*)$/s.exec(failure) ?? [];
  const times = { first: endedAt, last: endedAt };
  return {
    cause,
    queue,
    name,
    error,
    message: plainMessage(message),
    count: 1,
    ...times,
    lastDay: counted(
      Array.from({ length: HOURS }, () => 0),
      endedAt,
    ),
    sample: job,
  };
}

function withJob(group: FailureGroup, job: JobSummary): FailureGroup {
  const endedAt = failedAt(job);
  const isEarlier = endedAt && (!group.first || endedAt < group.first);
  const isLater = endedAt && (!group.last || endedAt > group.last);
  return {
    ...group,
    count: group.count + 1,
    first: isEarlier ? endedAt : group.first,
    last: isLater ? endedAt : group.last,
    lastDay: counted(group.lastDay, endedAt),
    sample: isLater ? job : group.sample,
  };
}

/** A job that runs again has not ended: it failed soon after its start. */
function failedAt({ endedAt, startedAt }: JobSummary): Date | undefined {
  return endedAt ?? startedAt;
}

/** With one more failure in its hour. */
function counted(lastDay: readonly number[], endedAt: Date | undefined): readonly number[] {
  const hours = endedAt ? Math.floor((Date.now() - endedAt.getTime()) / HOUR_MS) : HOURS;
  const place = HOURS - 1 - Math.max(0, hours);
  return place < 0 ? lastDay : lastDay.map((count, at) => (at === place ? count + 1 : count));
}

const HOURS = 24;
const HOUR_MS = 3_600_000;
