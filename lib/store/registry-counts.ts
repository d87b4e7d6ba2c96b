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
    const batch = redis.multi().llen(keys.list);
    for (const name of REGISTRIES) batch.zcard(keys[name]);
    return batch.exec();
  });
  const counts = (reply ?? []).map(([, count]) => Number(count));
  return {
    queued: counts[0] ?? 0,
    ...(Object.fromEntries(REGISTRIES.map((name, index) => [name, counts[index + 1] ?? 0])) as Omit<
      RegistryCounts,
      'queued'
    >),
  };
}

const REGISTRIES = ['started', 'scheduled', 'deferred', 'finished', 'failed', 'canceled'] as const;
