import type { RedisAccess } from '../redis/access.js';
import type { JobSummary } from '../wire/job-row.js';
import type { Keyspace } from '../wire/keyspace.js';
import { LIST, LISTED_AT_ONCE, decodeList, encodeList, encodeListOf } from './scripts/list.js';
import type { ListPage, ListRange, RegistryName } from './watcher-store.js';

/** A part of a list, as long as one call allows. */
export async function readPage(
  connections: RedisAccess,
  keys: Keyspace,
  queue: string,
  registry: RegistryName,
  { offset, limit }: ListRange,
): Promise<ListPage> {
  const { list } = keys.queue(queue);
  const values = encodeList(keys, queue, registry, offset, Math.min(LISTED_AT_ONCE, limit));
  const reply = await connections.run(`list queue "${queue}"`, (redis) =>
    LIST.run(redis, [list], values),
  );
  return decodeList(queue, registry, reply);
}

/** Rows of these jobs, of whatever queues; those that are gone are left out. */
export async function listJobs(
  connections: RedisAccess,
  keys: Keyspace,
  ids: readonly string[],
): Promise<JobSummary[]> {
  const jobs: JobSummary[] = [];
  for (let first = 0; first < ids.length;) {
    const values = encodeListOf(keys, ids.slice(first, first + LISTED_AT_ONCE));
    const reply = await connections.run('list jobs', (redis) =>
      LIST.run(redis, [keys.queues], values),
    );
    const slice = decodeList(undefined, 'queued', reply);
    jobs.push(...slice.jobs);
    first += slice.looked;
  }
  return jobs;
}
