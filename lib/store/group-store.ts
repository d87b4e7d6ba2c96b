import type { Durability } from '../job/index.js';
import type { JobSummary } from '../wire/job-row.js';

/** The contract for groups: jobs of any queues that have a name in common. */
export interface GroupStore {
  /**
   * How far the jobs of a group are. What Python has done to them is taken in, as far as it is found.
   * @param durability so many replicas must know it, too
   */
  look(name: string, durability?: Durability): Promise<GroupCounts>;
  /** Ids of the jobs of a group that are still there, in no order. */
  members(name: string): Promise<string[]>;
  /** Ids of those that have not ended. */
  pending(name: string): Promise<string[]>;
  /** What a person wants to see of these jobs, in this order; those that are gone are left out. */
  rows(ids: readonly string[]): Promise<JobSummary[]>;
  /** Of a group without jobs nothing is left after this; true: it had none. */
  forget(name: string): Promise<boolean>;
  /** Hears when all jobs of a group are over. Resolves when nothing can be missed any more. */
  onOver(name: string, listener: () => void): Promise<() => void>;
}

/** How many jobs of a group stand where. */
export interface GroupCounts {
  /** Those that wait, run, or are scheduled: they have not ended. */
  readonly pending: number;
  readonly finished: number;
  /** Failed for good, or stopped. */
  readonly failed: number;
  /** Canceled, and those that were deleted or have expired before they could finish. */
  readonly canceled: number;
}
