import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { ScannedJobs } from './figure-store.js';

/**
 * Looks at jobs wherever they are, by SCAN, up to a number. Lists of jobs cannot tell which jobs stand in no list, and do
 * not read how large a payload is.
 */
export async function scanJobs(
  connections: RedisAccess,
  keys: Keyspace,
  most: number,
): Promise<ScannedJobs> {
  const { jobPrefix } = keys;
  const what = 'look at some jobs';
  const forgotten: ScannedJobs['forgotten'][number][] = [];
  let largest: Sized[] = [];
  let cursor = '0';
  let looked = 0;
  do {
    const [next, found] = await connections.run(what, (redis) =>
      redis.scan(cursor, 'MATCH', `${jobPrefix}*`, 'COUNT', 500),
    );
    cursor = next;
    looked += 500;
    // Not those of RQ's and our own sets beside a job.
    const ids = found.map((key) => key.slice(jobPrefix.length)).filter((id) => !id.includes(':'));
    const jobs = await connections.run(what, (redis) =>
      Promise.all(
        ids.map(async (id) => {
          const key = keys.job(id);
          const [ttl, fields, bytes] = await Promise.all([
            redis.pttl(key),
            redis.hmget(key, 'status', 'origin').catch(() => []),
            redis.hstrlen(key, 'data').catch(() => 0),
          ]);
          return { id, ttl, status: fields[0] ?? '', queue: fields[1] ?? '', bytes };
        }),
      ),
    );
    largest = largestOf([
      ...largest,
      ...jobs.map(({ id, queue, bytes }) => ({ id, queue, bytes })),
    ]);
    const candidates = jobs.filter(({ ttl, status }) => ttl === -1 && status in REGISTRIES);
    for (const { id, status, queue } of candidates) {
      const registry = keys.queue(queue)[REGISTRIES[status as keyof typeof REGISTRIES]];
      const score = await connections.run(what, (redis) => redis.zscore(registry, id));
      if (score === null) forgotten.push({ id, queue });
    }
  } while (cursor !== '0' && looked < most);
  return { forgotten, largest };
}

/** The largest of each queue. */
export function largestOf(jobs: readonly Sized[]): Sized[] {
  const counts = new Map<string, number>();
  return jobs
    .toSorted((one, other) => other.bytes - one.bytes)
    .filter(({ queue }) => {
      const count = (counts.get(queue) ?? 0) + 1;
      counts.set(queue, count);
      return count <= MOST_OF_A_QUEUE;
    });
}

type Sized = ScannedJobs['largest'][number];

const MOST_OF_A_QUEUE = 5;

/** Where jobs stand that have ended, by their status. */
const REGISTRIES = {
  finished: 'finished',
  failed: 'failed',
  stopped: 'failed',
  canceled: 'canceled',
} as const;
