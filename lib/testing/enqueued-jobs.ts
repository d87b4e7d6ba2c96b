import { JobNotFoundError } from '../job/index.js';
import type { JobSnapshot, Queue, RqJob } from '../queue/index.js';
import type { RegistryName } from '../store/index.js';
import type { ControlledStore } from './controlled-store.js';

/**
 * A job that waits, as `RqTesting.enqueued` shows it: all that is known of it, and when it is due. For assertions:
 * `toMatchObject([{ name: 'remind', data: { id: 7 }, dueIn: 86_400, retriesLeft: 3 }])`.
 */
export interface EnqueuedJob extends JobSnapshot {
  readonly status: 'queued' | 'scheduled';
  /** By the clock of the embedded Redis (see `RqTesting.now`); undefined: it may run at once. */
  readonly dueAt: Date | undefined;
  /** Seconds from now until it is due, to the nearest whole one; 0: it may run at once. */
  readonly dueIn: number;
}

/** The jobs of a queue that wait, the next one first, and then those that are scheduled, the earliest first. */
export async function enqueuedJobs(store: ControlledStore, queue: Queue): Promise<EnqueuedJob[]> {
  const queued = await waitingJobs(queue, 'queued');
  const scheduled = await waitingJobs(queue, 'scheduled');
  const { now, due } = await dueTimes(store, queue.name);
  const snapshots = scheduled.map((job) => {
    const dueAt = due.get(job.id) ?? now;
    const dueIn = Math.max(0, Math.round((dueAt - now) / 1000));
    return { ...job, status: 'scheduled' as const, dueAt: new Date(dueAt), dueIn };
  });
  return [
    ...queued.map((job) => ({ ...job, status: 'queued' as const, dueAt: undefined, dueIn: 0 })),
    ...snapshots,
  ];
}

/** Snapshots of all jobs that wait in a queue or its schedule, in order. */
export async function waitingJobs(
  queue: Pick<Queue, 'jobs'>,
  registry: 'queued' | 'scheduled',
): Promise<JobSnapshot[]> {
  const snapshots: JobSnapshot[] = [];
  for (let offset = 0; ; offset += AT_ONCE) {
    const jobs = await queue.jobs(registry, { offset, limit: AT_ONCE });
    const found = await Promise.all(jobs.map(snapshotOf));
    snapshots.push(...found.filter((job) => job !== undefined));
    if (jobs.length < AT_ONCE) return snapshots;
  }
}

/** Some jobs of a registry, for a message: `mail: sendMail (id)`. */
export async function describeJobs(
  store: ControlledStore,
  queue: string,
  registry: RegistryName,
): Promise<string[]> {
  const ids = await store.ids(queue, registry, 0, SHOWN + 1);
  const shown = ids.slice(0, SHOWN).map(async (id) => {
    const record = await store.read(id);
    const name = record?.call(store.maxPayloadBytes).name ?? '(unreadable)';
    return `${queue}: ${name} (${id})`;
  });
  return [...(await Promise.all(shown)), ...(ids.length > SHOWN ? [`${queue}: and more`] : [])];
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

async function dueTimes(
  store: ControlledStore,
  queue: string,
): Promise<{ now: number; due: Map<string, number> }> {
  const { scheduled } = store.keys.queue(queue);
  const replies = await store.connections.run(`list queue "${queue}"`, (redis) =>
    redis.multi().time().zrange(scheduled, '0', '-1', 'WITHSCORES').exec(),
  );
  const [time, members] = (replies ?? []).map(([, reply]) => reply as string[]);
  const due = new Map<string, number>();
  for (let at = 0; members && at + 1 < members.length; at += 2) {
    due.set(members[at] as string, Number(members[at + 1]) * 1000);
  }
  return { now: Number(time?.[0]) * 1000 + Number(time?.[1]) / 1000, due };
}

const AT_ONCE = 100;
const SHOWN = 10;
