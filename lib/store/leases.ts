import type { RedisAccess } from '../redis/access.js';
import { type QueueKeys, splitMember } from '../wire/keyspace.js';
import type { Lease } from './job-store.js';

/** The leases of a queue that hold this token: claimed by us, although the answer may have been lost. */
export async function leasesIn(
  access: RedisAccess,
  { name, started }: QueueKeys,
  token: string,
): Promise<Lease[]> {
  const members = await access.run(`read queue "${name}"`, (redis) =>
    redis.zrange(started, '0', '-1'),
  );
  return members.flatMap((member) => {
    const [id, execution] = splitMember(member);
    return execution.startsWith(token) ? [{ id, execution }] : [];
  });
}
