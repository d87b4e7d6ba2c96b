import type { RedisAccess } from '../redis/access.js';
import { HANDED, decodeHanded } from '../wire/dependency-fields.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { DependentJob, HandedResult } from './job-store.js';
import { RELEASE, encodeRelease } from './scripts/release.js';

/**
 * What the store does beside the scripts for jobs that wait for others: reads who waits, goes on where a script has
 * stopped to let others in, and knows how to ask quickly whether anybody waits.
 *
 * A job that waits is in the deferred registry of its queue, whoever stored it. So one look at the registries of all
 * queues answers for many jobs that have ended, of which most have nobody waiting for them. The queues are those that the
 * last sweep has found. Of one that is newer, a mark tells, which `enqueue` sets for as long as any worker may not know of
 * it. Python sets no mark: as long as there are more queues than known ones, the script looks at the jobs themselves. And
 * since Python registers a queue a moment after it has stored a job there, new queues are looked at for some minutes.
 */
export class Dependencies {
  private registries: readonly string[] = [];
  private learntAt = -Infinity;
  /** Names, and when they became known. */
  private readonly newQueues = new Map<string, number>();
  /** By the queue whose jobs are over. */
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {}

  async queuesOf(ids: readonly string[]): Promise<(string | undefined)[]> {
    const replies = await this.connections.run('read the queues of jobs', (redis) => {
      const batch = redis.pipeline();
      for (const id of ids) batch.hmget(this.keys.job(id), 'origin');
      return batch.exec();
    });
    return ids.map((_id, index) => (replies?.[index]?.[1] as string[] | null)?.[0] || undefined);
  }

  async dependents(id: string): Promise<readonly DependentJob[]> {
    const ids = await this.connections.run(`read dependents of job "${id}"`, (redis) =>
      redis.smembers(this.keys.dependents(id)),
    );
    const queues = ids.length > 0 ? await this.queuesOf(ids) : [];
    return ids.flatMap((child, index) => {
      const queue = queues[index];
      return queue === undefined ? [] : [{ id: child, queue }];
    });
  }

  async handedResults(id: string, parentIds: readonly string[]): Promise<HandedResult[]> {
    if (parentIds.length === 0) return [];
    const texts = await this.connections.run(`read what job "${id}" was handed`, (redis) =>
      redis.hmget(this.keys.job(id), ...parentIds.map((parent) => HANDED + parent)),
    );
    return texts.map((text) => (text === null ? undefined : decodeHanded(text)));
  }

  /**
   * Has all children of jobs that are over told, slice by slice. It never rejects: should it not come to the end, any
   * worker of the queue goes on with it.
   */
  goOn(queue: string): Promise<void> {
    let running = this.running.get(queue);
    if (!running) {
      const forget = () => void this.running.delete(queue);
      running = this.tellAll(queue).then(forget, forget);
      this.running.set(queue, running);
    }
    return running;
  }

  /** @param queues full keys of all queues, as `rq:queues` holds them */
  learn(queues: readonly string[]): void {
    const known = new Set(this.registries);
    const isFirst = this.learntAt === -Infinity;
    this.learntAt = performance.now();
    this.registries = queues.map((key) => {
      const name = this.keys.queueName(key);
      const { deferred } = this.keys.queue(name);
      if (!isFirst && !known.has(deferred)) this.newQueues.set(name, this.learntAt);
      return deferred;
    });
  }

  /** One of the queues that have become known lately, in turn: jobs may wait there for others that are over. */
  newQueue(): string | undefined {
    for (const [name, learntAt] of this.newQueues) {
      this.newQueues.delete(name);
      if (performance.now() - learntAt > NEW_FOR) continue;
      this.newQueues.set(name, learntAt);
      return name;
    }
    return undefined;
  }

  /**
   * The keys to look at when so many jobs of a queue have ended; none: look at the jobs, which are fewer, or the list of
   * queues is old.
   */
  keysFor(queue: string, ended: number): readonly string[] {
    if (ended <= this.registries.length + 1) return NONE;
    if (performance.now() - this.learntAt > LIST_HOLDS) return NONE;
    return [this.keys.queue(queue).hung, ...this.registries];
  }

  private async tellAll(queue: string): Promise<void> {
    const { ended } = this.keys.queue(queue);
    const values = encodeRelease(this.keys, queue);
    const action = `tell the dependents of jobs of queue "${queue}"`;
    const slice = () =>
      this.connections.run(action, (redis) => RELEASE.run(redis, [ended], values));
    while (Number(await slice()) === 1);
  }
}

/** Milliseconds; the mark that `enqueue` sets lasts twice as long. */
const LIST_HOLDS = 60_000;

/** Milliseconds; the sweep leaves jobs of Python alone for the first minute. */
const NEW_FOR = 180_000;

const NONE: readonly string[] = [];
