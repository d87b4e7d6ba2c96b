import type { SettleRequest } from '../../store/index.js';
import type { Verdict } from '../../job/index.js';
import type { ReleaseReason, SnoozeReason } from './worker-observer.js';

/**
 * An outcome on its way to Redis, with what the observer is told about it. The end of a run (`RunEnd`) becomes one unless
 * the lease was lost; jobs that are given back before they ran have one, too.
 */
export interface Settlement extends SettleRequest {
  readonly verdict: Verdict;
  readonly name: string;
  /** Why it was put back, if it was and its handler did not ask for it. */
  readonly reason?: PutBackReason;
  /** How often Redis could not write it down; default: never. */
  readonly errors?: number;
}

export type PutBackReason = SnoozeReason | ReleaseReason;
