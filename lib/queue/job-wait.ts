import { JobNotFoundError, RedisReplyError, formatDuration } from '../job/index.js';
import {
  type JobStore,
  type LaneWait,
  type LimitScope,
  type StoredStop,
  type StoredWait,
  storeFor,
} from '../store/index.js';

/** One thing that keeps a job from starting now. */
export interface JobWait {
  /**
   * `concurrency`, `rate`, `snoozed`, `batch`, `retry`: as of a lane; `paused`: the queue is paused, or nothing may start
   * by its limit; `suspended`: RQ is; `time`: its time has not come; `jobs`, `group`: others are not over; `worker`: no
   * living worker serves its queue.
   */
  readonly why: LaneWait | 'suspended' | 'time' | 'jobs' | 'group' | 'worker';
  /** What it waits for, in words, such as `limit total 1 of 1 (handler send)`. */
  readonly sentence: string;
  /** Of what the limit is, or what was put off; undefined: it is no matter of limits. */
  readonly scope: LimitScope | undefined;
  /** The handler whose limits count for it; undefined: none. */
  readonly handler: string | undefined;
  /** Its key; undefined: it waits in no lane. Empty: it is a job without a key. */
  readonly key: string | undefined;
  /** How much of the limit is used: running jobs, or starts; of a batch, how many jobs are there. */
  readonly used: number | undefined;
  /** How much may be; undefined: there is no such number. */
  readonly max: number | undefined;
  /** Seconds in which so many may start; undefined: it is not a rate. */
  readonly per: number | undefined;
  /** Until when, as far as that is known. */
  readonly until: Date | undefined;
  /** Ids of the first jobs, at most 20, that have to be over before it; empty: it waits for none. */
  readonly jobs: readonly string[];
}

/** What keeps a job from starting now, the nearest first. @throws JobNotFoundError */
export async function waitsOf(store: JobStore, queue: string, id: string): Promise<JobWait[]> {
  const wait = await store.limits.wait(queue, id);
  if (!wait) throw new JobNotFoundError({ jobId: id });
  switch (wait.status) {
    case 'queued':
      return [
        ...pausesOf(queue, wait),
        ...wait.stops.map((stop) => ofLimit(queue, stop, wait.lane)),
        ...(await missingWorker(store, queue)),
      ];
    case 'scheduled':
      return [ofTime(wait.due), ...(await missingWorker(store, queue))];
    case 'deferred':
      return waitsForOthers(storeFor(store, queue), id);
    default:
      return [];
  }
}

/** A limit in words: `limit total 1 of 1 (handler send)`. */
export function limitInWords(queue: string, { handler, key, ...stop }: LimitInWords): string {
  const { why, scope, used = 0, max = 0, per = 0, job } = stop;
  const what =
    scope === 'key' ? `key ${key || '(none)'} of handler ${handler}` : `handler ${handler}`;
  const of = scope === 'queue' ? `queue ${queue}` : what;
  const name = scope === 'key' ? 'perKey' : 'total';
  const rate = scope === 'key' ? 'rateLimit.perKey' : 'rateLimit';
  switch (why) {
    case 'concurrency':
      return `limit ${name} ${used} of ${max} (${of})`;
    case 'paused':
      return `limit ${name} 0, by which nothing starts (${of})`;
    case 'rate':
      return `${rate} ${used} of ${max} in ${formatDuration(per)} (${of})`;
    case 'snoozed':
      return `the end of what a handler has put off (${of})`;
    case 'batch':
      return `its batch, ${used} of ${max} (${of})`;
    case 'retry':
      return `the retry of job ${job ?? '?'}, since order is strict (${of})`;
  }
}

type LimitInWords = Pick<StoredStop, 'why' | 'scope' | 'used' | 'max' | 'per'> & {
  readonly handler: string | undefined;
  readonly key: string | undefined;
  readonly job?: string | undefined;
};

const NOTHING = {
  scope: undefined,
  handler: undefined,
  key: undefined,
  used: undefined,
  max: undefined,
  per: undefined,
  until: undefined,
  jobs: [],
} as const;

function pausesOf(queue: string, { paused, suspended }: StoredWait): JobWait[] {
  const waits: JobWait[] = [];
  if (suspended) {
    waits.push({ ...NOTHING, why: 'suspended', sentence: 'the end of the suspension of RQ' });
  }
  if (paused) {
    const sentence = `queue ${queue} to be resumed: it is paused`;
    waits.push({ ...NOTHING, why: 'paused', scope: 'queue', sentence });
  }
  return waits;
}

function ofLimit(queue: string, stop: StoredStop, lane: StoredWait['lane']): JobWait {
  const { why, scope, used, max, per, opensAt, job } = stop;
  const { handler, key } = lane ?? { handler: undefined, key: undefined };
  return {
    why,
    sentence: limitInWords(queue, { ...stop, handler, key }),
    scope,
    handler,
    key,
    used,
    max,
    per: per === undefined ? undefined : per / 1000,
    until: dateOf(opensAt),
    jobs: job === undefined ? [] : [job],
  };
}

function ofTime(due: number | undefined): JobWait {
  return { ...NOTHING, why: 'time', sentence: 'its time', until: dateOf(due) };
}

async function missingWorker(store: JobStore, queue: string): Promise<JobWait[]> {
  const workers = await store.figures.workers().catch((error: unknown) => {
    // Who may only enqueue need not be allowed to see them.
    if (error instanceof RedisReplyError) return undefined;
    throw error;
  });
  if (!workers || workers.some(({ isAlive, queues }) => isAlive && queues.includes(queue)))
    return [];
  return [{ ...NOTHING, why: 'worker', sentence: `a worker: none serves queue ${queue}` }];
}

/** @param store the one of the job's queue, which has all jobs that it may wait for */
async function waitsForOthers(store: JobStore, id: string): Promise<JobWait[]> {
  const { group, jobs = [], ifFailed } = (await store.read(id))?.waitsFor ?? {};
  if (group !== undefined) {
    const { pending } = await store.groups.look(group);
    const are = pending === 1 ? '1 job of it is' : `${pending} jobs of it are`;
    return [{ ...NOTHING, why: 'group', sentence: `group ${group}: ${are} not over` }];
  }
  const open: { readonly id: string; readonly status: string }[] = [];
  for (let first = 0; first < Math.min(jobs.length, MOST_READ); first += READ_AT_ONCE) {
    const rows = await store.groups.rows(jobs.slice(first, first + READ_AT_ONCE));
    open.push(...rows.filter(({ status }) => !(ifFailed === 'run' ? ENDED : FINISHED).has(status)));
    if (open.length > MOST_NAMED) break;
  }
  if (open.length === 0) return [];
  const named = open.slice(0, MOST_NAMED);
  const list = named.slice(0, MOST_IN_WORDS).map((job) => `${job.id} (${job.status})`);
  const more = open.length > MOST_IN_WORDS ? ' and others' : '';
  const sentence = `${open.length === 1 ? 'job' : 'jobs'} ${list.join(', ')}${more}`;
  return [{ ...NOTHING, why: 'jobs', sentence, jobs: named.map((job) => job.id) }];
}

function dateOf(moment: number | undefined): Date | undefined {
  return moment === undefined ? undefined : new Date(moment);
}

const FINISHED: ReadonlySet<string> = new Set(['finished']);
const ENDED: ReadonlySet<string> = new Set(['finished', 'failed', 'stopped', 'canceled']);
const READ_AT_ONCE = 200;
/** Of a job with more parents than that, the first. */
const MOST_READ = 2000;
const MOST_NAMED = 20;
const MOST_IN_WORDS = 3;
