import type { Connections } from '../redis/connections.js';
import { HANDED, decodeHanded } from '../wire/dependency-fields.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { DependentJob } from './job-store.js';

/** What is read of jobs that wait for each other. Nothing is changed here. */
export class DependencyReads {
  constructor(
    private readonly connections: Connections,
    private readonly keys: Keyspace,
  ) {}

  /** The queue of each job; undefined: no such job. */
  async queuesOf(ids: readonly string[]): Promise<(string | undefined)[]> {
    const replies = await this.connections.run('read the queues of jobs', (redis) => {
      const batch = redis.pipeline();
      for (const id of ids) batch.hmget(this.keys.job(id), 'origin');
      return batch.exec();
    });
    return ids.map((_id, index) => (replies?.[index]?.[1] as string[] | null)?.[0] || undefined);
  }

  /** Jobs that wait for this one, or were canceled because of it; those that are gone are left out. */
  async dependents(id: string): Promise<readonly DependentJob[]> {
    const ids = await this.connections.run(`read dependents of job "${id}"`, (redis) =>
      redis.smembers(this.keys.dependents(id)),
    );
    if (ids.length === 0) return [];
    const queues = await this.queuesOf(ids);
    return ids.flatMap((child, index) => {
      const queue = queues[index];
      return queue === undefined ? [] : [{ id: child, queue }];
    });
  }

  /** The results that were handed over to a job when its parents finished, as JSON. */
  async handedResults(id: string, parentIds: readonly string[]): Promise<(string | undefined)[]> {
    if (parentIds.length === 0) return [];
    const texts = await this.connections.run(`read what job "${id}" was handed`, (redis) =>
      redis.hmget(this.keys.job(id), ...parentIds.map((parent) => HANDED + parent)),
    );
    return texts.map((text) => (text === null ? undefined : decodeHanded(text)));
  }
}
