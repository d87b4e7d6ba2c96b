/**
 * The option `dependsOn`: which jobs, or which group of jobs, a job waits for. It is checked when the job is enqueued or prepared, before anything
 * is sent. Only ids are kept, so a job of another queue, or of a Python process, will do.
 */
import type { IfFailed, WaitsFor } from './dependencies.js';
import { InvalidOptionError } from './errors.js';
import { assertGroupName, assertJobId } from './names.js';
import { isObject } from './option-checks.js';
import { oneOf, optionTable, otherwise, readOptions, unchecked } from './option-table.js';

/** A job by its handle, as it was prepared, or by its id. */
export type JobReference = string | { readonly id: string; readonly queue: string };

/**
 * What a job waits for: one job or a list of them (at most 1000); with `ifFailed`, in an object. Or all jobs of a group.
 *
 * ```ts
 * await mail.enqueue('report', {}, { dependsOn: job });
 * await mail.enqueue('report', {}, { dependsOn: { jobs: [job, 'some-id'], ifFailed: 'run' } });
 * await mail.enqueue('report', {}, { dependsOn: { group: 'import-42' } });
 * ```
 */
export type DependsOn =
  | JobReference
  | readonly JobReference[]
  | {
      readonly jobs: JobReference | readonly JobReference[];
      readonly group?: never;
      /**
       * What becomes of this job when one of them fails for good, is stopped, canceled, deleted, or expires: `'cancel'`
       * (default) cancels it too; `'run'` runs it whatever became of them; `'wait'` has it wait until somebody requeues them.
       */
      readonly ifFailed?: IfFailed;
    }
  | {
      /** The group (option `group`) all of whose jobs must be over. One without jobs is. */
      readonly group: string;
      readonly jobs?: never;
      /** The same, when all jobs of the group are over and not all of them have finished. */
      readonly ifFailed?: IfFailed;
    };

/**
 * Reads `dependsOn`. Nothing to wait for, such as an empty list, is undefined.
 * @param own the id of the job itself, if it is given
 * @param ownGroup the group that it belongs to
 * @throws InvalidOptionError naming the key
 */
export function readDependsOn(
  value: unknown,
  own: string | undefined,
  where: string | undefined,
  ownGroup?: string,
): WaitsFor | undefined {
  if (value === undefined) return undefined;
  if (isObject(value) && !isReference(value)) {
    if (value['group'] !== undefined) return ofGroup(value, ownGroup, where);
    const { jobs, ifFailed } = readOptions(value, JOBS_OPTIONS, where, 'dependsOn');
    return ofJobs(jobs, 'dependsOn.jobs', own, ifFailed, where);
  }
  return ofJobs(value, 'dependsOn', own, 'cancel', where);
}

/** The jobs that a checked `dependsOn` names, as they were given; none of a group. */
export function referencesIn(value: DependsOn): readonly JobReference[] {
  if (typeof value === 'string' || isReference(value)) return [value];
  if (Array.isArray(value)) return value as readonly JobReference[];
  const { jobs } = value as { readonly jobs?: JobReference | readonly JobReference[] };
  return jobs === undefined ? [] : referencesIn(jobs);
}

function ofGroup(value: object, own: string | undefined, where: string | undefined): WaitsFor {
  const { group, ifFailed } = readOptions(value, GROUP_OPTIONS, where, 'dependsOn');
  assertGroupName(group, 'dependsOn.group', where);
  if (group === own) {
    const problem = 'is the group of the job itself: it would wait for ever';
    throw new InvalidOptionError({ option: 'dependsOn.group', problem, where });
  }
  return { jobs: [], group, ifFailed };
}

function ofJobs(
  value: unknown,
  option: string,
  own: string | undefined,
  ifFailed: IfFailed,
  where: string | undefined,
): WaitsFor | undefined {
  const isList = Array.isArray(value);
  const list = isList ? (value as unknown[]) : [value];
  if (list.length > MOST_PARENTS) {
    const problem =
      `names ${list.length} jobs, and a job can wait for at most ${MOST_PARENTS}: have jobs between wait for ` +
      'a part of them each';
    throw new InvalidOptionError({ option, problem, where });
  }
  const places = new Map<string, number>();
  const jobs = list.map((reference, index) => {
    const place = isList ? `${option}[${index}]` : option;
    const id = idOf(reference, place, where);
    const earlier = places.get(id);
    if (earlier !== undefined) {
      const problem = `is the same job as ${option}[${earlier}]: name each job once`;
      throw new InvalidOptionError({ option: place, problem, where });
    }
    if (id === own) {
      const problem = 'is the job itself: it would wait for ever';
      throw new InvalidOptionError({ option: place, problem, where });
    }
    places.set(id, index);
    return id;
  });
  return jobs.length === 0 ? undefined : { jobs, ifFailed };
}

function idOf(reference: unknown, option: string, where: string | undefined): string {
  if (typeof reference !== 'string' && !isReference(reference)) {
    const problem = 'must be a job, a prepared job, or the id of a job';
    throw new InvalidOptionError({ option, problem, value: reference, where });
  }
  const id = typeof reference === 'string' ? reference : reference.id;
  assertJobId(id, where, option);
  return id;
}

function isReference(value: unknown): value is Exclude<JobReference, string> {
  return isObject(value) && 'id' in value && 'queue' in value;
}

/** More would make the script that stores the job too slow. */
const MOST_PARENTS = 1000;

const ifFailed = otherwise('cancel', oneOf('cancel', 'run', 'wait'));

const GROUP_OPTIONS = optionTable<{ group: unknown; ifFailed?: IfFailed }>()({
  group: unchecked<unknown>(),
  ifFailed,
});

const JOBS_OPTIONS = optionTable<{ jobs: unknown; ifFailed?: IfFailed }>()({
  jobs: unchecked<unknown>(),
  ifFailed,
});
