import type { RedisAccess } from '../redis/access.js';
import type { Keyspace, QueueKeys } from '../wire/keyspace.js';

/**
 * A queue consists of lines: RQ's list, and a list for each level that is in use. To RQ a level is a queue of its own;
 * here it is a part of one.
 */

/** The lists of a queue, in the order in which they are served. */
export async function linesOf(
  connections: RedisAccess,
  { name, list, high, low }: QueueKeys,
): Promise<readonly string[]> {
  const levels = await connections.run(`read queue "${name}"`, (redis) => redis.exists(high, low));
  return levels > 0 ? [high, list, low] : [list];
}

/** The 0-based place of a job in its own line; undefined: it is in none. */
export async function positionOf(
  connections: RedisAccess,
  { list, high, low }: QueueKeys,
  id: string,
): Promise<number | undefined> {
  const found = await connections.run(`find job "${id}"`, (redis) =>
    redis.multi().lpos(list, id).lpos(high, id).lpos(low, id).exec(),
  );
  const place = found?.find(([, position]) => typeof position === 'number')?.[1];
  return place as number | undefined;
}

/** All queues that anybody has put a job into, each once. */
export async function queueNames(connections: RedisAccess, keyspace: Keyspace): Promise<string[]> {
  const keys = await connections.run('list the queues', (redis) => redis.smembers(keyspace.queues));
  const names = keys.map((key) => keyspace.queueName(key).replace(/!(high|low)$/, ''));
  return [...new Set(names)].toSorted();
}
