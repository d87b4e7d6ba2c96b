import type { CountedJobs } from '../store/index.js';

/** What a worker has done since it started, and does now. */
export interface WorkerFigures {
  /** Per queue and job name (see wire/figures); none with `history: false`. A name may be there twice. */
  readonly counted: readonly CountedJobs[];
  readonly slots: number;
  readonly busy: number;
  /** Jobs of dead workers that it has put right. */
  readonly recovered: number;
}

/** Signs of a worker's life, in milliseconds. */
export interface WorkerVitals {
  /** It takes no more jobs, for good. */
  readonly isStopping: boolean;
  /** Since it looked at itself, which it does each second. */
  readonly sinceLookMs: number;
  /** Since Redis had a sign of life of it. */
  readonly sinceShownMs: number;
  /** By which its event loop was late at most, within the last beats. */
  readonly lagMs: number;
  readonly leaseMs: number;
}

/** Why a worker has ended: see `Worker.done`. */
export type WorkerEnd = 'drained' | 'maxJobs' | 'idle' | 'stopped';
