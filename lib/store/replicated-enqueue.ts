import type { Durability } from '../job/index.js';
import type { Connections } from '../redis/connections.js';
import { ReplicatedWrites } from '../redis/replicated-writes.js';
import type { ScriptValue } from '../redis/script.js';
import type { QueueKeys } from '../wire/keyspace.js';
import type { NewJob } from './job-store.js';
import { ENQUEUE, decodeEnqueue } from './scripts/enqueue.js';

/**
 * Stores jobs that replicas must have, too. A call that is repeated finds its jobs there and writes nothing; what the
 * replicas have is then asked for by a key that is written in their place, since `WAIT` speaks of writes alone.
 */
export class ReplicatedEnqueue {
  private readonly writes: ReplicatedWrites;

  constructor(connections: Connections) {
    this.writes = new ReplicatedWrites(connections);
  }

  /**
   * Gives the reply of the script; undefined: no job asks for replicas, and nothing was done.
   * @throws NotReplicatedError, RqConnectionError, RedisReplyError
   */
  enqueue(
    action: string,
    jobs: readonly NewJob[],
    { list, replicated }: QueueKeys,
    values: readonly ScriptValue[],
  ): Promise<unknown> | undefined {
    const durability = durabilityOf(jobs);
    if (!durability) return undefined;
    return this.writes.run(action, durability, async (redis) => {
      const reply = await ENQUEUE.run(redis, [list], values);
      if (decodeEnqueue(reply).refused.length > 0) await redis.set(replicated, '1', 'PX', 1000);
      return reply;
    });
  }
}

/** What is asked for by the job of a call that asks for the most; undefined: none asks for replicas. */
function durabilityOf(jobs: readonly NewJob[]): Durability | undefined {
  let most: Durability | undefined;
  for (const { durability } of jobs) {
    if (durability && durability.replicas > (most?.replicas ?? 0)) most = durability;
  }
  return most;
}
