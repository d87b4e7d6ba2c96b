import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { Undeleted } from './job-store.js';
import { UNDELETE, decodeUndelete, encodeUndelete } from './scripts/undelete.js';

/** Gives back what an operation has deleted within the last hour, a slice at a time. */
export async function undelete(
  connections: RedisAccess,
  keys: Keyspace,
  queue: string,
  operation: string,
): Promise<Undeleted> {
  const { list } = keys.queue(queue);
  const values = encodeUndelete(keys, queue, operation);
  const sum = { restored: 0, refused: 0 };
  for (;;) {
    const reply = await connections.run(`give back jobs of queue "${queue}"`, (redis) =>
      UNDELETE.run(redis, [list], values),
    );
    const { restored, refused, left } = decodeUndelete(reply);
    sum.restored += restored;
    sum.refused += refused;
    if (left === 0) return sum;
  }
}
