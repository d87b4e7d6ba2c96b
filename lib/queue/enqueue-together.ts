import {
  type DependsOn,
  DuplicateJobError,
  EnqueueManyError,
  InvalidOptionError,
  RqConnectionError,
  referencesIn,
} from '../job/index.js';
import {
  type JobStore,
  type NewJob,
  type Refusal,
  differentTags,
  storeFor,
} from '../store/index.js';
import { assertParentsHere, assertSameTag } from './parents-elsewhere.js';
import { type Preparation, PreparedJob } from './prepared-job.js';
import { RqJob } from './rq-job.js';
import { refusalError } from './refusal-error.js';
import { keyOfJob, sendWhenRoom } from './wait-for-room.js';

/**
 * Several jobs in one step: all of them are stored, or none is. They may be of several queues, and wait for each other.
 * Whoever waits must stand behind those that it waits for; so there is never a circle of jobs. One by way of a group is
 * seen, and refused, in the step that would close it.
 */

/** The most jobs of one step: more would keep Redis from its other work for too long. */
export const MOST_TOGETHER = 1000;

/** One of the jobs of a call. */
export interface JobOfCall {
  readonly job: NewJob;
  /** Those that it waits for and that were prepared. */
  readonly parents: readonly Preparation[];
  /** Undefined: it was given with its data, and not prepared before. */
  readonly preparation: Preparation | undefined;
}

/**
 * Enqueues prepared jobs, of any queues of one Redis, in one step.
 * @param where the call, for errors
 * @throws InvalidOptionError, DuplicateJobError, QueueFullError, CircularDependencyError, RqConnectionError; nothing is
 * stored then, except when it is `uncertain`
 */
export async function enqueuePrepared(
  store: JobStore,
  jobs: readonly PreparedJob[],
  where: string,
): Promise<RqJob[]> {
  if (!Array.isArray(jobs)) {
    const problem = 'must be a list of prepared jobs (queue.prepare)';
    throw new InvalidOptionError({ option: 'jobs', problem, value: jobs, where });
  }
  if (jobs.length > MOST_TOGETHER) {
    const problem =
      `are ${jobs.length}, and one step takes at most ${MOST_TOGETHER}: enqueue them in several calls, ` +
      'those that others wait for first';
    throw new InvalidOptionError({ option: 'jobs', problem, where });
  }
  const call = jobs.map((job: unknown, index) => {
    if (job instanceof PreparedJob) return jobOfCall(job);
    const problem = 'must be a prepared job: queue.prepare(name, data, options)';
    throw new InvalidOptionError({ option: `jobs[${index}]`, problem, value: job, where });
  });
  const [first] = call;
  if (!first) return [];
  // In a cluster only what has a hash tag in common is stored together.
  const own = storeFor(store, first.job.queue);
  const other = call.find(({ job }) => storeFor(store, job.queue) !== own);
  if (other) throw differentTags(first.job.queue, other.job.queue, where);
  if (own.hashTag !== undefined) await assertParentsHere(own, jobsOf(call), where);
  // Nothing may come between this and the call: a prepared job is enqueued once.
  assertTogether(own, call, where);
  const refusals = await storeTogether(own, call);
  return jobs.map((job, index) => job.handle().answered(refusals[index]));
}

export function jobsOf(call: readonly JobOfCall[]): readonly NewJob[] {
  return call.map(({ job }) => job);
}

export function jobOfCall(prepared: PreparedJob): JobOfCall {
  const preparation = PreparedJob.preparationOf(prepared);
  return { job: preparation.job, parents: preparation.parents, preparation };
}

/**
 * The prepared ones among the jobs that `dependsOn` names.
 * @throws InvalidOptionError when a job is of another Redis: it could never be waited for
 */
export function preparedParents(
  store: JobStore,
  dependsOn: DependsOn,
  where: string,
): readonly Preparation[] {
  const prepared: Preparation[] = [];
  for (const reference of referencesIn(dependsOn)) {
    if (typeof reference !== 'string' && store.hashTag !== undefined) {
      assertSameTag(store, reference, where);
    }
    let isOfStore = true;
    if (reference instanceof PreparedJob) {
      const preparation = PreparedJob.preparationOf(reference);
      isOfStore = preparation.store === store;
      prepared.push(preparation);
    } else if (reference instanceof RqJob) {
      isOfStore = reference.isOf(store);
    }
    if (isOfStore) continue;
    const { id } = reference as { readonly id: string };
    const problem = `names job "${id}" of another root: a job can wait only for jobs of its own Redis`;
    throw new InvalidOptionError({ option: 'dependsOn', problem, where });
  }
  return prepared;
}

/**
 * Checks that the jobs of a call can be stored together.
 * @throws InvalidOptionError naming the job by its place: one that was enqueued before or stands there twice, that is of
 * another Redis, or that waits for one which is not stored and does not stand before it
 */
export function assertTogether(store: JobStore, call: readonly JobOfCall[], where: string): void {
  const places = new Map<string, number>();
  for (const [index, { job, preparation }] of call.entries()) {
    const option = `jobs[${index}]`;
    const problem = preparation && whyNot(store, preparation, places.get(job.id));
    if (problem !== undefined) throw new InvalidOptionError({ option, problem, where });
    places.set(job.id, places.get(job.id) ?? index);
  }
  for (const [index, { job, parents }] of call.entries()) {
    for (const id of job.waitsFor?.jobs ?? []) {
      const place = places.get(id) ?? -1;
      if (place <= index) continue;
      const problem = `waits for jobs[${place}], which stands behind it: put it behind those that it waits for`;
      throw new InvalidOptionError({ option: `jobs[${index}]`, problem, where });
    }
    assertParents(parents, places, where, `jobs[${index}].`);
  }
}

/**
 * Checks that the prepared jobs that a job waits for are stored, or will be.
 * @param places of the jobs that are enqueued with it, by their ids
 * @throws InvalidOptionError: a job that does not exist counts as finished, so its child would run too early
 */
export function assertParents(
  parents: readonly Preparation[],
  places: ReadonlyMap<string, number>,
  where: string,
  item = '',
): void {
  const missing = parents.find(
    ({ state, job }) => state !== 'stored' && state !== 'sent' && !places.has(job.id),
  );
  if (!missing) return;
  const problem =
    `names job "${missing.job.id}", which is prepared and not enqueued: enqueue both in one call, ` +
    'enqueueMany([parent, child]) of the RqService';
  throw new InvalidOptionError({ option: `${item}dependsOn`, problem, where });
}

/**
 * Stores the jobs of a call that was checked. Gives, by the place in the call, what was not stored since it was there.
 * @throws DuplicateJobError when an id is taken: a `unique` one, or one that another job of the call waits for
 * @throws QueueFullError, CircularDependencyError, RqConnectionError
 */
export async function storeTogether(
  store: JobStore,
  call: readonly JobOfCall[],
): Promise<(Refusal | undefined)[]> {
  if (!call.some(({ job }) => job.room?.waits)) return storeNow(store, call);
  return sendWhenRoom(
    store,
    () => storeNow(store, call),
    ({ queue, maxLength, key }) => {
      const jobs = call.filter(
        ({ job }) => job.queue === queue && (key === undefined || keyOfJob(job) === key),
      );
      return jobs.length <= maxLength && jobs.every(({ job }) => job.room?.waits);
    },
  );
}

async function storeNow(
  store: JobStore,
  call: readonly JobOfCall[],
): Promise<(Refusal | undefined)[]> {
  const jobs = call.map(({ job, preparation }) => preparation?.toStore ?? job);
  const before = call.map(({ preparation }) => preparation?.state);
  setStates(call, () => 'sent');
  const refusals: (Refusal | undefined)[] = [];
  try {
    for (const refusal of await store.enqueue(jobs, 'all')) {
      if (refusal.reason === 'duplicate') throw duplicateIn(jobs, refusal);
      const error = refusalError(jobs[refusal.index] as NewJob, refusal);
      if (error) throw error;
      refusals[refusal.index] = refusal;
    }
  } catch (error) {
    const isUncertain = error instanceof RqConnectionError && error.uncertain;
    setStates(call, (index) => (isUncertain ? 'uncertain' : (before[index] ?? 'prepared')));
    if (!(error instanceof RqConnectionError)) throw error;
    const isPrepared = call.every(({ preparation }) => preparation);
    throw error.of(
      jobs.map(({ id }) => id),
      isPrepared ? 'repeat it with the same prepared jobs' : undefined,
    );
  }
  setStates(call, () => 'stored');
  return refusals;
}

/**
 * The same for more jobs than one step takes: in slices, each all or nothing.
 * @param queue whose call it is, for errors
 * @throws EnqueueManyError when a slice failed after others were stored
 */
export async function storeInSlices(
  store: JobStore,
  queue: string,
  call: readonly JobOfCall[],
): Promise<(Refusal | undefined)[]> {
  const refusals: (Refusal | undefined)[] = [];
  for (let first = 0; first < call.length; first += MOST_TOGETHER) {
    try {
      const slice = await storeTogether(store, call.slice(first, first + MOST_TOGETHER));
      for (const [index, refusal] of slice.entries()) refusals[first + index] = refusal;
    } catch (cause) {
      const jobIds = call.map(({ job }) => job.id);
      if (first > 0) throw new EnqueueManyError({ queue, stored: first, jobIds, cause });
      throw cause instanceof RqConnectionError ? cause.of(jobIds) : cause;
    }
  }
  return refusals;
}

function setStates(
  call: readonly JobOfCall[],
  stateOf: (index: number) => Preparation['state'],
): void {
  for (const [index, { preparation }] of call.entries()) {
    if (preparation) preparation.state = stateOf(index);
  }
}

function whyNot(
  store: JobStore,
  preparation: Preparation,
  earlier: number | undefined,
): string | undefined {
  const { state } = preparation;
  if (preparation.store !== store) {
    return 'was prepared by a queue of another root: one call goes to one Redis';
  }
  if (state === 'stored' || state === 'sent') {
    return 'was enqueued before, and a prepared job is enqueued once: prepare another one';
  }
  return earlier === undefined
    ? undefined
    : `has the id of jobs[${earlier}]: each job may stand there once`;
}

function duplicateIn(jobs: readonly NewJob[], { index, holder }: Refusal): DuplicateJobError {
  const { id, queue, check } = jobs[index] as NewJob;
  const child =
    check === 'unique' ? undefined : jobs.find(({ waitsFor }) => waitsFor?.jobs.includes(id));
  const isSame = holder !== undefined;
  return new DuplicateJobError({ queue, jobId: holder ?? id, neededBy: child?.id, isSame });
}
