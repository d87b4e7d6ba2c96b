import { ParentResultError } from '../../job/index.js';
import { settledOf } from '../../queue/index.js';
import type { JobStore, WorkerStore } from '../../store/index.js';
import type { ClaimedJob } from '../../wire/index.js';

/**
 * The results of the jobs that a running job waited for. Most were written into it when those jobs finished, so they are
 * there however long ago that was. The others, long ones and those of jobs that Python ran, are read from their jobs.
 *
 * @throws ParentResultError for the first that has none
 */
export async function resultsOfParents(
  { id, parentIds }: Pick<ClaimedJob, 'id' | 'parentIds'>,
  store: ParentStore,
): Promise<unknown[]> {
  if (parentIds.length === 0) return [];
  const handed = await store.handedResults(id, parentIds);
  return Promise.all(
    parentIds.map((parent, index) => {
      const result = handed[index];
      return typeof result === 'string'
        ? (JSON.parse(result) as unknown)
        : resultOf(parent, result, store);
    }),
  );
}

/** @param size bytes of a result that was too long to be handed over */
async function resultOf(
  id: string,
  size: number | undefined,
  store: ParentStore,
): Promise<unknown> {
  const record = await store.read(id);
  const status = record?.status ?? 'missing';
  if (!record || status !== 'finished') throw new ParentResultError({ jobId: id, status, size });
  return (await settledOf(store, id, record)).value ?? null;
}

type ParentStore = Pick<JobStore, 'read' | 'results'> & Pick<WorkerStore, 'handedResults'>;
