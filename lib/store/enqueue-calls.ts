import type { Durability } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import type { ScriptValue } from '../redis/script.js';
import type { Keyspace, QueueKeys } from '../wire/keyspace.js';
import type { NewJob } from './job-store.js';
import { ENQUEUE, decodeEnqueue, encodeEnqueue } from './scripts/enqueue.js';

/**
 * Calls that store jobs. Where a job asks for it (`durability`), replicas must have it, too. A call that is repeated finds
 * its jobs there and writes nothing; what the replicas have is then asked for by a key that is written in their place,
 * since `WAIT` speaks of writes alone.
 */
export class EnqueueCalls {
  /** @param settings.waitsForReplicas false: no job asks for them */
  constructor(
    private readonly connections: RedisAccess,
    private readonly keyspace: Keyspace,
    private readonly settings: { readonly shared: boolean; readonly waitsForReplicas: boolean },
  ) {}

  /**
   * What the script answers to jobs of which the first is of this queue.
   * @throws NotReplicatedError, RqConnectionError, RedisReplyError
   */
  async send(
    queue: string,
    jobs: readonly NewJob[],
    mode: 'all' | 'each',
  ): Promise<ReturnType<typeof decodeEnqueue>> {
    const { connections, keyspace, settings } = this;
    const values = encodeEnqueue({ keyspace, shared: settings.shared }, jobs, mode);
    const action = `enqueue on queue "${queue}"`;
    const keys = keyspace.queue(queue);
    const durability = settings.waitsForReplicas ? durabilityOf(jobs) : undefined;
    const reply = durability
      ? this.sendReplicated(action, keys, values, durability)
      : connections.run(action, (redis) => ENQUEUE.run(redis, [keys.list], values));
    return decodeEnqueue(await reply);
  }

  private sendReplicated(
    action: string,
    { list, replicated }: QueueKeys,
    values: readonly ScriptValue[],
    durability: Durability,
  ): Promise<unknown> {
    return this.connections.runReplicated(action, durability, async (redis) => {
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
