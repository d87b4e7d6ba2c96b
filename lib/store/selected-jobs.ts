import type { JobSummary } from '../wire/job-row.js';
import type { SelectedPlace } from './job-store.js';
import type { ListRange, RegistryName, WatcherStore } from './watcher-store.js';

/**
 * Which rows of a list a selection means. It says the same as the script does that changes jobs, of rows that have been
 * read: those who only look (search, dry run) ask here, and so does an action when it depends on how a job failed, which
 * only the text of a row tells.
 */
export function isSelected(
  job: JobSummary,
  { in: place, name, cause, error, before, after }: SelectedPlace,
): boolean {
  if (name !== undefined && job.name !== name) return false;
  if (cause !== undefined && job.cause !== cause) return false;
  if (error !== undefined && !hasError(job, error)) return false;
  if (before === undefined && after === undefined) return true;
  const time = momentOf(job, place)?.getTime();
  if (time === undefined) return false;
  return (before === undefined || time < before) && (after === undefined || time >= after);
}

/** Whether a script cannot tell. */
export function asksForFailure({ cause, error }: SelectedPlace): boolean {
  return cause !== undefined || error !== undefined;
}

/** The rows of a part of a list, a page after the other. */
export async function rowsOf(
  store: Pick<WatcherStore, 'page'>,
  queue: string,
  registry: RegistryName,
  { offset, limit }: ListRange,
): Promise<JobSummary[]> {
  const jobs: JobSummary[] = [];
  for (let looked = 0; looked < limit;) {
    const range = { offset: offset + looked, limit: limit - looked };
    const page = await store.page(queue, registry, range);
    jobs.push(...page.jobs);
    looked += page.looked;
    if (!page.more) break;
  }
  return jobs;
}

/** The ids of all jobs of a selection that are there now, in the order of their place. */
export async function idsOf(
  store: Pick<WatcherStore, 'page'>,
  queue: string,
  selection: SelectedPlace,
): Promise<string[]> {
  const { in: place, limit = Infinity } = selection;
  const ids: string[] = [];
  for (let offset = 0; ;) {
    const page = await store.page(queue, place, { offset, limit: PAGE });
    for (const job of page.jobs) {
      if (ids.length >= limit) return ids;
      if (isSelected(job, selection)) ids.push(job.id);
    }
    offset += page.looked;
    if (!page.more || page.looked === 0) return ids;
  }
}

const PAGE = 200;

function hasError({ failure = '' }: JobSummary, error: string | RegExp): boolean {
  if (typeof error === 'string') return failure.includes(error);
  // One that remembers where it stopped would miss every other job.
  error.lastIndex = 0;
  return error.test(failure);
}

/** When a job came to where it is. */
function momentOf(job: JobSummary, place: RegistryName): Date | undefined {
  switch (place) {
    case 'queued':
      return job.enqueuedAt;
    case 'started':
      return job.startedAt;
    case 'deferred':
      return job.createdAt;
    case 'scheduled':
      return job.dueAt;
    default:
      return job.endedAt;
  }
}
