import { CircularDependencyError, InvalidOptionError } from '../job/index.js';
import type { NewJob, Refusal } from '../store/index.js';
import { lowInLane } from './new-jobs.js';
import { queueFull } from './wait-for-room.js';

/** What is wrong with a job that Redis did not take; undefined: another one is there, which is told by the handle. */
export function refusalError(job: NewJob, refusal: Refusal): Error | undefined {
  const { reason, holder = '' } = refusal;
  const where = `enqueue on queue "${job.queue}"`;
  if (reason === 'full') return queueFull(job, refusal);
  if (reason === 'low') return lowInLane(where);
  if (reason === 'circle') return circleAt(job);
  if (reason !== 'rekeyed') return undefined;
  const problem =
    `is another one than that of job "${holder}", whose data this call would replace: a job keeps its key. Let it be ` +
    'part of unique.by, so that the two are not the same';
  return new InvalidOptionError({ option: 'key', problem, where });
}

function circleAt({ id, queue, options, waitsFor }: NewJob): CircularDependencyError {
  const group = options.group ?? '';
  return new CircularDependencyError({ jobId: id, queue, group, otherGroup: waitsFor?.group });
}
