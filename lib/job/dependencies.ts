/**
 * What a job waits for before it may run: other jobs, or a group of them. Public options are turned into this form before anything is stored.
 */

/**
 * What becomes of a job when one that it waits for fails for good, is stopped, canceled or deleted, or expires:
 * `cancel` it too; `run` it all the same; `wait` until the other is requeued and succeeds (a deleted one cancels it).
 */
export type IfFailed = 'cancel' | 'run' | 'wait';

/** What a job waits for, as it is stored. */
export interface WaitsFor {
  /** Ids of jobs, in the order in which they were given; none when it waits for a group. */
  readonly jobs: readonly string[];
  /** Name of the group all of whose jobs must be over; undefined: it waits for single jobs. */
  readonly group?: string | undefined;
  readonly ifFailed: IfFailed;
}
