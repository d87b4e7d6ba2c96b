import type { RedisAccess } from '../../redis/access.js';
import { Script } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import { position } from './compiled.js';

/** `position.lua`. */
export const POSITION = new Script(position);

/** Where a job stands in its lane, 0-based; undefined: it is in none. */
export async function placeInLane(
  connections: RedisAccess,
  keyspace: Keyspace,
  queue: string,
  id: string,
): Promise<number | undefined> {
  const { prefix, channels } = keyspace;
  const { list } = keyspace.queue(queue);
  const values = POSITION.values({ prefix, channels, queue, id });
  const reply = await connections.run(`find job "${id}"`, (redis) =>
    POSITION.run(redis, [list], values),
  );
  return reply === null ? undefined : Number(reply);
}
