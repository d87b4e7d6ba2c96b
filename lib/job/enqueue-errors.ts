import { formatDuration } from './duration.js';
import { RqError, messageOf } from './errors.js';

/** Why jobs were not enqueued although Redis could be reached, or not all of them. */

/**
 * A job is unique, and there is one already: of this id, in whatever state (`unique: true`), or one that is the same and
 * keeps others away (`unique: { else: 'error' }`, or a requeue). Or another job of the same call was to wait for one that
 * exists already. Nothing of the call was enqueued. `jobId` is the id of the one that is there.
 */
export class DuplicateJobError extends RqError {
  readonly code = 'RQ_DUPLICATE_JOB';
  readonly jobId: string;

  /**
   * @param details.neededBy the id of a job of the call that was to wait for it
   * @param details.isSame it has another id, and is the same by `unique.by`
   */
  constructor(details: { jobId: string; queue: string; neededBy?: string; isSame?: boolean }) {
    super(messageOfDuplicate(details));
    this.jobId = details.jobId;
  }
}

/**
 * There is no room in the queue: as many jobs wait there as its `maxLength` allows. Nothing of the call was enqueued. With
 * `whenFull: 'wait'` there was none for the whole of `commandTimeout`.
 */
export class QueueFullError extends RqError {
  readonly code = 'RQ_QUEUE_FULL';
  readonly queue: string;
  /** How many jobs may wait there: `maxLength.total`, or `maxLength.perKey`. */
  readonly maxLength: number;
  /** How many waited there when it was refused. */
  readonly length: number;
  /** The key whose jobs are too many; undefined: those of the queue are. */
  readonly key: string | undefined;

  /**
   * @param details.length how many wait there
   * @param details.waited milliseconds for which the call has waited for room
   */
  constructor(details: {
    queue: string;
    maxLength: number;
    length: number;
    key?: string | undefined;
    waited?: number;
  }) {
    const { queue, maxLength, length, key, waited } = details;
    const time = waited === undefined ? '' : ` for ${formatDuration(waited)}`;
    const [what, option, advice] =
      key === undefined
        ? ['', 'total', 'or have more workers serve the queue']
        : [' for this key', 'perKey', 'or let more jobs of a key run at once'];
    super(
      `Queue "${queue}" is full${what}${time}: ${length} jobs wait there, and maxLength.${option} is ${maxLength}. ` +
        `Nothing of the call was enqueued. Enqueue later or less, ${advice}.`,
    );
    this.queue = queue;
    this.maxLength = maxLength;
    this.length = length;
    this.key = key;
  }

  /** The same after a call has waited for so many milliseconds. */
  after(waited: number): QueueFullError {
    const { queue, maxLength, length, key } = this;
    return new QueueFullError({ queue, maxLength, length, key, waited });
  }
}

/**
 * A job would wait for itself: somebody waits for its `group`, and it waits for that somebody, or for a job further along.
 * None of them would ever run. Nothing of the call was enqueued.
 */
export class CircularDependencyError extends RqError {
  readonly code = 'RQ_CIRCULAR_DEPENDENCY';
  readonly jobId: string;
  /** The group of the job. */
  readonly group: string;

  /** @param details.otherGroup the group that it waits for; undefined: it waits for jobs */
  constructor(details: { jobId: string; queue: string; group: string; otherGroup?: string }) {
    const { jobId, queue, group, otherGroup } = details;
    const waitsFor = otherGroup === undefined ? 'what it waits for' : `group "${otherGroup}"`;
    super(
      `Job "${jobId}" for queue "${queue}" would wait for itself: it belongs to group "${group}", and ${waitsFor} ` +
        'waits for that group, if only by way of others. Nothing of the call was enqueued. ' +
        'Leave the group away, or have the job wait for something else.',
    );
    this.jobId = jobId;
    this.group = group;
  }
}

/** A long `enqueueMany` broke off between two slices: the first `stored` jobs of the list are enqueued, the rest are not. */
export class EnqueueManyError extends RqError {
  readonly code = 'RQ_ENQUEUE_MANY';
  /** How many jobs, counted from the head of the list, are enqueued. */
  readonly stored: number;
  /** The ids of all jobs of the list, in its order. */
  readonly jobIds: readonly string[];

  /** @param details.jobIds of all jobs of the list */
  constructor(details: {
    queue: string;
    stored: number;
    jobIds: readonly string[];
    cause: unknown;
  }) {
    super(
      `enqueueMany on queue "${details.queue}" stored the first ${details.stored} of ${details.jobIds.length} jobs: ` +
        `${messageOf(details.cause)} Enqueue the rest of the list, from index ${details.stored}, again, ` +
        'each job with its id of error.jobIds.',
      { cause: details.cause },
    );
    this.stored = details.stored;
    this.jobIds = details.jobIds;
  }
}

function messageOfDuplicate(details: ConstructorParameters<typeof DuplicateJobError>[0]): string {
  const { jobId, queue, neededBy, isSame = false } = details;
  if (neededBy !== undefined) {
    return (
      `Job "${jobId}" exists already on queue "${queue}", and job "${neededBy}" of the same call was to wait for ` +
      'it: nothing was enqueued. To wait for the one that exists, leave it out of the call and give its id as dependsOn.'
    );
  }
  return isSame
    ? `Job "${jobId}" of queue "${queue}" is unique and keeps this one away. Wait until it has ended (or has begun, ` +
        'or its time is over, as unique says), or cancel or delete it.'
    : `Job "${jobId}" exists already (enqueued as unique on queue "${queue}"). ` +
        'Its id is free again when that job is deleted or its resultTtl or failureTtl has passed.';
}
