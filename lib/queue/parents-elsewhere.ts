import { InvalidOptionError } from '../job/index.js';
import { type JobStore, type NewJob, storeFor } from '../store/index.js';

/**
 * Looks, where the store has a hash tag, whether a job waits for one that may be on another node. A handle tells its queue; an
 * id given as text does not, and a job that is not found counts as finished long ago: its child would run too early.
 * @param jobs of one call
 * @throws InvalidOptionError naming the job that is at another hash tag; RqConnectionError
 */
export async function assertParentsHere(
  store: JobStore,
  jobs: readonly NewJob[],
  where: string,
): Promise<void> {
  const parents = new Set(jobs.flatMap(({ waitsFor }) => waitsFor?.jobs ?? []));
  for (const { id } of jobs) parents.delete(id);
  if (parents.size === 0) return;
  const ids = [...parents];
  const here = await store.queuesOf(ids);
  const missing = ids.filter((_id, index) => here[index] === undefined);
  if (missing.length === 0) return;
  const queues = (await store.queuesEverywhere?.(missing)) ?? [];
  for (const [index, queue] of queues.entries()) {
    if (queue !== undefined) assertSameTag(store, { id: missing[index] ?? '', queue }, where);
  }
}

/** @throws InvalidOptionError when a job is of this Redis, but of a queue that may be on another node of the cluster */
export function assertSameTag(
  store: JobStore,
  { id, queue }: { readonly id: string; readonly queue: string },
  where: string,
): void {
  const { hashTag } = storeFor(store, queue);
  if (hashTag === store.hashTag) return;
  const problem =
    `names job "${id}" of queue "${queue}", whose hash tag is "${hashTag}" and not "${store.hashTag}": they may be ` +
    'on different nodes of a cluster. Give both queues the same hashTag in registerQueue';
  throw new InvalidOptionError({ option: 'dependsOn', problem, where });
}
