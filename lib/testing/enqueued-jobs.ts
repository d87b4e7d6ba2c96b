import { JobNotFoundError } from '../job/index.js';
import type { JobSnapshot, JobSummary, Queue, RqJob } from '../queue/index.js';
import type { RegistryName } from '../store/index.js';
import type { ControlledStore } from './controlled-store.js';
import { nextTicks } from './next-ticks.js';

/**
 * A job that waits, as `RqTesting.enqueued` shows it: all that is known of it, and when it is due. For assertions:
 * `toMatchObject([{ name: 'remind', data: { id: 7 }, dueIn: expect.closeTo(86_400, -1) }])`.
 */
export interface EnqueuedJob extends JobSnapshot {
  /** `deferred`: it waits for other jobs, those of `waitsFor`. */
  readonly status: 'queued' | 'scheduled' | 'deferred';
  /** By the clock of the embedded Redis (see `RqTesting.now`); undefined: it may run at once, or is deferred. */
  readonly dueAt: Date | undefined;
  /** Seconds from now until it is due, to the nearest whole one; 0: it may run at once; undefined: it is deferred. */
  readonly dueIn: number | undefined;
}

/**
 * The jobs of a queue that wait, the next one first, then those that are scheduled, the earliest first, with the next job
 * of each schedule, then those that wait for other jobs.
 */
export async function enqueuedJobs(store: ControlledStore, queue: Queue): Promise<EnqueuedJob[]> {
  const queued = await waitingJobs(queue, 'queued');
  const scheduled = await waitingJobs(queue, 'scheduled');
  const deferred = await waitingJobs(queue, 'deferred');
  const now = await timeOf(store);
  const snapshots = scheduled.map((job) => {
    const dueAt = job.dueAt ?? new Date(now);
    const dueIn = Math.max(0, Math.round((dueAt.getTime() - now) / 1000));
    return { ...job, status: 'scheduled' as const, dueAt, dueIn };
  });
  const ticks = (await nextTicks(store, queue.name)).map((tick) => ({
    ...tick,
    dueIn: Math.max(0, Math.round((tick.dueAt.getTime() - now) / 1000)),
  }));
  return [
    ...queued.map((job) => ({ ...job, status: 'queued' as const, dueAt: undefined, dueIn: 0 })),
    ...[...snapshots, ...ticks].toSorted(
      (one, other) => one.dueAt.getTime() - other.dueAt.getTime(),
    ),
    ...deferred.map((job) => ({
      ...job,
      status: 'deferred' as const,
      dueAt: undefined,
      dueIn: undefined,
    })),
  ];
}

/** Snapshots of all jobs that wait in a queue, in its schedule or for other jobs, in order, and when they are due. */
export async function waitingJobs(
  queue: Pick<Queue, 'jobs' | 'job' | 'counts'>,
  registry: 'queued' | 'scheduled' | 'deferred',
): Promise<(JobSnapshot & Pick<JobSummary, 'dueAt'>)[]> {
  const limit = (await queue.counts())[registry];
  const found = (await queue.jobs(registry, { limit })).map(async ({ id, dueAt }) => {
    const snapshot = await snapshotOf(queue.job(id));
    return snapshot && { ...snapshot, dueAt };
  });
  return (await Promise.all(found)).filter((job) => job !== undefined);
}

/** Some jobs of a registry, for a message: `mail: sendMail (id)`. */
export async function describeJobs(
  store: ControlledStore,
  queue: string,
  registry: RegistryName,
): Promise<string[]> {
  const jobs = await store.list(queue, registry, { offset: 0, limit: SHOWN + 1 });
  const shown = jobs
    .slice(0, SHOWN)
    .map(({ id, name = '(unreadable)' }) => `${queue}: ${name} (${id})`);
  return [...shown, ...(jobs.length > SHOWN ? [`${queue}: and more`] : [])];
}

async function snapshotOf(job: RqJob): Promise<JobSnapshot | undefined> {
  try {
    return await job.refresh();
  } catch (error) {
    // Its `ttl` has passed, or it was deleted.
    if (error instanceof JobNotFoundError) return undefined;
    throw error;
  }
}

/** Redis's clock, milliseconds since the epoch. */
async function timeOf(store: ControlledStore): Promise<number> {
  const [seconds, microseconds] = await store.connections.run('read the time', (redis) =>
    redis.time(),
  );
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

const SHOWN = 10;
