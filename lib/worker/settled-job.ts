import type { SettleRequest } from '../store/index.js';
import type { Decision } from './outcome-decision.js';
import type { ReturnReason } from './worker-observer.js';

/** An outcome on its way to Redis, with what the observer is told about it. */
export interface SettledJob extends SettleRequest {
  readonly decision: Decision;
  readonly name: string;
  readonly returned?: ReturnReason;
}
