import type { Connections } from '../redis/connections.js';
import type { JobSummary } from '../wire/job-row.js';
import type { Keyspace } from '../wire/keyspace.js';
import { LIST, LISTED_AT_ONCE, decodeList, encodeList, encodeListOf } from './scripts/list.js';
import type { ListRange, RegistryName } from './watcher-store.js';

/** Rows of the jobs in a registry, in its order, some hundred per call. */
export async function listRegistry(
  connections: Connections,
  keys: Keyspace,
  queue: string,
  registry: RegistryName,
  { offset, limit }: ListRange,
): Promise<JobSummary[]> {
  const { list } = keys.queue(queue);
  const jobs: JobSummary[] = [];
  for (let looked = 0; looked < limit;) {
    const most = Math.min(LISTED_AT_ONCE, limit - looked);
    const values = encodeList(keys, queue, registry, offset + looked, most);
    const reply = await connections.run(`list queue "${queue}"`, (redis) =>
      LIST.run(redis, [list], values),
    );
    const slice = decodeList(queue, registry, reply);
    jobs.push(...slice.jobs);
    looked += slice.looked;
    if (!slice.more) break;
  }
  return jobs;
}

/** Rows of these jobs, of whatever queues; those that are gone are left out. */
export async function listJobs(
  connections: Connections,
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
