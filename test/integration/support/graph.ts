// Jobs that wait for others, stored and settled step by step: what a worker would do, without one, so that a test says
// what ends when.
import {
  type IfFailed,
  type JobOptions,
  type Outcome,
  resolveDefaults,
  resolveJobOptions,
} from '../../../lib/job/index.js';
import type { NewJob, RedisJobStore } from '../../../lib/store/index.js';
import type { ClaimedJob } from '../../../lib/wire/index.js';
import type { Engine } from './engine.js';

export class Graph {
  private readonly claimed = new Map<string, ClaimedJob>();
  private nextExecution = 0;
  private nextCall = 0;

  constructor(private readonly engine: Engine) {}

  private get store(): RedisJobStore {
    return this.engine.store;
  }

  /** Stores jobs in one call. */
  add(...jobs: readonly GraphJob[]): Promise<unknown> {
    return this.store.enqueue(jobs.map(newJob), 'all');
  }

  /** Claims all that is in a queue. */
  async claim(queue = 'jobs', want = 100): Promise<string[]> {
    const request = {
      leaseMs: 60_000,
      worker: 'w',
      token: TOKEN,
      nextExecution: this.nextExecution,
      want,
      suspects: { from: 2, takes: true, delay: 10 },
      woken: [],
      outcomes: [],
      call: undefined,
      events: [],
    };
    this.nextExecution += want;
    const { claimed } = await this.store.exchange(queue, request);
    for (const job of claimed) this.claimed.set(job.id, job);
    return claimed.map(({ id }) => id);
  }

  /** The worker that had claimed a job is dead. */
  lose(id: string): void {
    this.claimed.delete(id);
  }

  /** Jobs end, in one call; they are claimed first. */
  async settle(ids: string | readonly string[], outcome: Outcome, queue = 'jobs'): Promise<void> {
    const list = typeof ids === 'string' ? [ids] : ids;
    if (list.some((id) => !this.claimed.has(id))) await this.claim(queue, 10_000);
    const outcomes = list.map((id) => {
      const job = this.claimed.get(id);
      if (!job) throw new Error(`Job ${id} was not in queue ${queue}.`);
      this.claimed.delete(id);
      return { job, outcome, startedAt: 0, endedAt: 1 };
    });
    const call = {
      slot: 0,
      number: (this.nextCall += 1),
      isRepeated: false,
      renewsNotes: false,
    };
    const { refused } = await this.store.exchange(queue, {
      leaseMs: 60_000,
      worker: 'w',
      token: TOKEN,
      nextExecution: this.nextExecution,
      want: 0,
      suspects: { from: 2, takes: true, delay: 10 },
      woken: [],
      outcomes,
      call,
      events: [],
    });
    if (refused.length > 0) throw new Error(`Refused: ${JSON.stringify(refused)}`);
  }

  finish(ids: string | readonly string[], queue?: string, result = '1'): Promise<void> {
    return this.settle(ids, { type: 'finished', result }, queue);
  }

  fail(ids: string | readonly string[], queue?: string): Promise<void> {
    return this.settle(ids, { type: 'failed', failure: FAILURE }, queue);
  }

  /** Where a job stands; `missing`: there is no such job. */
  async status(id: string): Promise<string> {
    return (await this.store.read(id))?.status ?? 'missing';
  }

  statuses(...ids: readonly string[]): Promise<string[]> {
    return Promise.all(ids.map((id) => this.status(id)));
  }

  /** Sets of RQ's that still name a job, and what is left over: nothing of it may stay behind when all is at rest. */
  async traces(): Promise<string[]> {
    const keys = await this.engine.client.keys('*');
    return keys
      .filter((key) => /:dependen(ts|cies)$|^rq:(nrq:(end|group-dependents)|deferred:)/.test(key))
      .toSorted();
  }
}

export interface GraphJob {
  readonly id: string;
  /** Default `jobs`. */
  readonly queue?: string;
  readonly after?: readonly string[];
  readonly afterGroup?: string;
  /** Default `cancel`. */
  readonly ifFailed?: IfFailed;
  readonly options?: JobOptions;
  readonly check?: NewJob['check'];
}

export function newJob({
  id,
  queue = 'jobs',
  after,
  afterGroup: group,
  ifFailed = 'cancel',
  options,
  check,
}: GraphJob): NewJob {
  return {
    queue,
    id,
    check: check ?? 'new',
    data: '["job",null,[1],{}]',
    options: resolveJobOptions(options, resolveDefaults(undefined)),
    meta: undefined,
    ...(after && { waitsFor: { jobs: after, ifFailed } }),
    ...(group !== undefined && { waitsFor: { jobs: [], group, ifFailed } }),
  };
}

const TOKEN = 'a'.repeat(16);
export const FAILURE = { name: 'Error', message: 'no', stack: 'Error: no' };
