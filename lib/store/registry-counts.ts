import type { Connections } from '../redis/connections.js';
import type { QueueKeys } from '../wire/keyspace.js';
import type { RegistryCounts } from './watcher-store.js';

/** How many jobs are in each registry of a queue, and in the queue itself, at one moment. */
export async function countRegistries(
  connections: Connections,
  queue: string,
  keys: QueueKeys,
): Promise<RegistryCounts> {
  const reply = await connections.run(`count queue "${queue}"`, (redis) => {
    const batch = redis.multi().llen(keys.list).llen(keys.high).llen(keys.low);
    for (const name of REGISTRIES) batch.zcard(keys[name]);
    return batch.exec();
  });
  const all = (reply ?? []).map(([, count]) => Number(count));
  const [list = 0, high = 0, low = 0, ...counts] = all;
  return {
    queued: list + high + low,
    ...(Object.fromEntries(REGISTRIES.map((name, index) => [name, counts[index] ?? 0])) as Omit<
      RegistryCounts,
      'queued'
    >),
  };
}

const REGISTRIES = ['started', 'scheduled', 'deferred', 'finished', 'failed', 'canceled'] as const;
