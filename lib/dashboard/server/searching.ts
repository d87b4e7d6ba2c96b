import type { JobSearch, JobSummary, RqInspector } from '../../observe/index.js';
import { type SearchAnswerParts, type SearchLimits, Looked } from './search-budget.js';
import { Refused } from './problems.js';
import type { Redaction } from './redaction.js';
import { type SearchWords, compares } from './search-words.js';
import type { Viewer } from './viewer.js';
import { visibleQueues } from './visible-queues.js';

/** Looks for jobs as somebody typed it, within a budget of entries and time. */
export async function search(
  words: SearchWords,
  limits: SearchLimits,
  { inspector, viewer, redaction }: SearchContext,
): Promise<SearchAnswerParts> {
  const queues = await queuesFor(words, inspector, viewer);
  if (words.data.length > 0) await assertSearchable(words, queues, viewer, redaction);
  const byId = await jobById(words, inspector, queues);
  const looked = new Looked(limits);
  const jobs: JobSummary[] = [];
  if (byId) return { jobs: [byId], looked: 1, total: 1, complete: true };
  for (const place of words.places) {
    if (looked.isOver(jobs.length)) break;
    const found = inspector.search(selectionOf(words, place, queues), {
      budget: looked.left,
      signal: looked.signal,
    });
    for await (const job of found) {
      if (fits(job, words) && (await dataFits(job, words, inspector, looked))) jobs.push(job);
      if (jobs.length >= limits.most) break;
    }
    looked.add(found);
  }
  return { jobs, ...looked.sums(jobs.length) };
}

export interface SearchContext {
  readonly inspector: RqInspector;
  readonly viewer: Viewer;
  readonly redaction: Redaction;
}

async function queuesFor(
  { queue }: SearchWords,
  inspector: RqInspector,
  viewer: Viewer,
): Promise<string[]> {
  if (queue === undefined) return visibleQueues(inspector, viewer);
  await viewer.demand('view', queue);
  return [queue];
}

/** Whoever may not see data may not find out by searching either; nor what is blanked. */
async function assertSearchable(
  { data }: SearchWords,
  queues: readonly string[],
  viewer: Viewer,
  redaction: Redaction,
): Promise<void> {
  for (const queue of queues) {
    await viewer.demand('view:data', queue);
    if (data.some(({ path }) => redaction.hides(path, queue))) {
      throw new Refused('search', 'this field is redacted: nothing is searched by it', 400);
    }
  }
}

/** An id goes straight to the job. */
async function jobById(
  { id, free, data }: SearchWords,
  inspector: RqInspector,
  queues: readonly string[],
): Promise<JobSummary | undefined> {
  const only = id ?? (free.length === 1 && data.length === 0 ? free[0] : undefined);
  if (only === undefined || !/^[\w-]{8,100}$/.test(only)) return undefined;
  const job = await inspector.job(only);
  return job && queues.includes(job.queue) ? job.summary() : undefined;
}

function selectionOf(
  { name, cause, error }: SearchWords,
  place: SearchWords['places'][number],
  queues: readonly string[],
): JobSearch {
  return {
    in: place,
    queue: queues,
    ...(name !== undefined && isWhole(name) ? { name: name.slice(1) } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(error === undefined ? {} : { error }),
  };
}

/** `name:=charge` is the whole name; without the sign a part of it is enough. */
function isWhole(name: string): boolean {
  return name.startsWith('=');
}

function fits(job: JobSummary, words: SearchWords): boolean {
  const { name, worker, id, attempts, age, free } = words;
  const has = (text: string | undefined, part: string) =>
    text?.toLowerCase().includes(part.toLowerCase()) === true;
  if (name !== undefined && !isWhole(name) && !has(job.name ?? job.description, name)) return false;
  if (worker !== undefined && !has(job.worker, worker)) return false;
  if (id !== undefined && !has(job.id, id)) return false;
  if (attempts && !compares(job.attempts, attempts)) return false;
  if (age) {
    const since = job.endedAt ?? job.startedAt ?? job.enqueuedAt ?? job.createdAt;
    if (!since || !compares(Date.now() - since.getTime(), age)) return false;
  }
  return free.every((word) => has(job.id, word) || has(job.name, word) || has(job.failure, word));
}

async function dataFits(
  job: JobSummary,
  { data }: SearchWords,
  inspector: RqInspector,
  looked: Looked,
): Promise<boolean> {
  if (data.length === 0) return true;
  if (!looked.mayOpen()) return false;
  try {
    const snapshot = await inspector.queue(job.queue).job(job.id).refresh();
    return data.every(({ path, value }) => textAt(snapshot.data, path.slice(1)) === value);
  } catch {
    return false;
  }
}

function textAt(value: unknown, path: readonly string[]): string | undefined {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean'
    ? String(at)
    : undefined;
}
