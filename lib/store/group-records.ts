import type { Redis } from 'ioredis';
import type { Durability } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import type { Subscriptions } from '../redis/subscriptions.js';
import type { JobSummary } from '../wire/job-row.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { GroupCounts, GroupStore } from './group-store.js';
import { listJobs } from './job-lists.js';
import type { ReplicatedReads } from './replicated-reads.js';
import { GROUP, decodeGroup, encodeGroup } from './scripts/group.js';

/** The groups in Redis: RQ's sets, and what group.lua keeps beside them. */
export class GroupRecords implements GroupStore {
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
    private readonly subscriptions: Subscriptions,
    private readonly replicated: ReplicatedReads,
  ) {}

  async look(name: string, durability?: Durability): Promise<GroupCounts> {
    return (await this.lookAll(name, 'look', durability)).counts;
  }

  async forget(name: string): Promise<boolean> {
    await this.lookAll(name, 'forget');
    const { connections, keys } = this;
    const left = await connections.run(`forget group "${name}"`, (redis) =>
      redis.exists(keys.group(name), keys.groupPending(name)),
    );
    return left === 0;
  }

  members(name: string): Promise<string[]> {
    return this.scan(name, this.keys.group(name));
  }

  pending(name: string): Promise<string[]> {
    return this.scan(name, this.keys.groupPending(name));
  }

  rows(ids: readonly string[]): Promise<JobSummary[]> {
    return listJobs(this.connections, this.keys, ids);
  }

  onOver(name: string, listener: () => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.groupOver(name), listener);
  }

  /** A slice per call, until all has been looked at. */
  private async lookAll(name: string, action: 'look' | 'forget', durability?: Durability) {
    const values = encodeGroup(this.keys, name, action);
    const what = `${action} group "${name}"`;
    const ask = (redis: Redis) => GROUP.run(redis, [this.keys.group(name)], values);
    for (;;) {
      const reply = await (durability
        ? this.replicated.read(what, name, durability, ask)
        : this.connections.run(what, ask));
      const decoded = decodeGroup(reply);
      if (!decoded.more) return decoded;
    }
  }

  private async scan(name: string, key: string): Promise<string[]> {
    const ids = new Set<string>();
    let cursor = '0';
    do {
      const from = cursor;
      const [next, page] = await this.connections.run(`read group "${name}"`, (redis) =>
        redis.sscan(key, from, 'COUNT', READ_AT_ONCE),
      );
      for (const id of page) ids.add(id);
      cursor = next;
    } while (cursor !== '0');
    return [...ids];
  }
}

const READ_AT_ONCE = 1000;
