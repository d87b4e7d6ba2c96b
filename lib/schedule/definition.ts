import { createHash } from 'node:crypto';
import type { ResolvedJobOptions } from '../job/index.js';
import type { MissedRule } from './due-ticks.js';
import { type ScheduleWhen, encodeWhen } from './when.js';

/**
 * A schedule: when it is due, and the job that it makes each time. Two processes with the same code have the same
 * definition, and know that by its revision.
 */
export interface ScheduleDefinition {
  /** Letters, digits, `_` and `-`; one for all queues of a Redis. */
  readonly id: string;
  readonly queue: string;
  /** Name of its jobs. */
  readonly name: string;
  readonly when: ScheduleWhen;
  readonly missed: MissedRule;
  /** False: no job while the last one has not ended. */
  readonly overlap: boolean;
  /** Text of the call, as a job's `data`. */
  readonly data: string;
  /** Text of the meta, if any. */
  readonly meta: string | undefined;
  readonly options: ResolvedJobOptions;
  /** Digest of all of the above. */
  readonly rev: string;
}

/** The definition, with its revision. */
export function withRevision(definition: Omit<ScheduleDefinition, 'rev'>): ScheduleDefinition {
  const { id, queue, name, when, missed, overlap, data, meta, options } = definition;
  const text = JSON.stringify([
    [id, queue, name, encodeWhen(when), missed, overlap, data, meta ?? null],
    options,
  ]);
  return { ...definition, rev: createHash('sha256').update(text).digest('hex').slice(0, 16) };
}
