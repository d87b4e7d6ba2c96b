import type { Redis } from 'ioredis';
import type { Durability } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import { type JobRecord, decodeRecord } from '../wire/job-record.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { NotedCall, ReplicatedStore } from './replicated-store.js';

/**
 * What Redis says, once its replicas have all that it has said it from. A key is written over the same connection, behind
 * the read, and `WAIT` asks how many replicas have that. What they have then was read at this very server: one that has
 * taken its place in between would have to know it, too.
 */
export class ReplicatedReads implements ReplicatedStore {
  /** @param waits false: nothing is asked of replicas */
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
    private readonly waits: boolean,
  ) {}

  async job(queue: string, id: string, durability: Durability): Promise<JobRecord | undefined> {
    const reply = await this.read(`read job "${id}"`, queue, durability, (redis) =>
      redis.callBuffer('HGETALL', this.keys.job(id)),
    );
    return decodeRecord(id, reply);
  }

  /** By the notes that calls leave: see settle-once.lua. */
  async haveCalls(
    queue: string,
    token: string,
    calls: readonly NotedCall[],
    durability: Durability,
  ): Promise<readonly boolean[]> {
    const fields = calls.flatMap(({ slot }) => [`${slot} repeated`, String(slot)]);
    const notes = await this.read(`ask for outcomes of "${queue}"`, queue, durability, (redis) =>
      redis.hmget(this.keys.calls(queue, token), ...fields),
    );
    return calls.map(({ number }, index) =>
      notes.slice(2 * index, 2 * index + 2).some((note) => Number.parseInt(note ?? '') === number),
    );
  }

  /**
   * @param action what it does, as in "could not ..."
   * @param queue any name: says which key is written
   * @throws NotReplicatedError, RqConnectionError, RedisReplyError
   */
  read<Reply>(
    action: string,
    queue: string,
    durability: Durability,
    ask: (redis: Redis) => Promise<Reply>,
  ): Promise<Reply> {
    const { connections, keys, waits } = this;
    if (!waits) return connections.run(action, ask);
    const { replicated } = keys.queue(queue);
    return connections.runReplicated(action, durability, async (redis) => {
      const [reply] = await Promise.all([ask(redis), redis.set(replicated, '1', 'PX', 1000)]);
      return reply;
    });
  }
}
