/**
 * What a job waits for before it may run: other jobs. Public options are turned into this form before anything is stored.
 */

/**
 * What becomes of a job when one that it waits for fails for good, is stopped, canceled or deleted, or expires:
 * `cancel` it too; `run` it all the same; `wait` until the other is requeued and succeeds (a deleted one cancels it).
 */
export type IfFailed = 'cancel' | 'run' | 'wait';

/** What a job waits for, as it is stored. */
export interface WaitsFor {
  /** Ids of jobs, in the order in which they were given. */
  readonly jobs: readonly string[];
  readonly ifFailed: IfFailed;
}
