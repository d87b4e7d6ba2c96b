import type { JobState, JobStatus } from '@bull-board/api/dist/types.js';
import type { JobSnapshot, SelectableIn } from '../observe/index.js';

/**
 * bull-board's words for where a job stands, in RQ's. It has none for canceled jobs: they are on no list, and by their id
 * they are found as `unknown`.
 */
export const PLACES = {
  active: 'started',
  waiting: 'queued',
  'waiting-children': 'deferred',
  completed: 'finished',
  failed: 'failed',
  delayed: 'scheduled',
} as const satisfies Partial<Record<JobStatus, SelectableIn>>;

/** Those of its words that have a meaning here. */
export type Place = keyof typeof PLACES;

export function isPlace(status: string): status is Place {
  return Object.hasOwn(PLACES, status);
}

const STATES: Readonly<Record<JobSnapshot['status'], JobState>> = {
  created: 'unknown',
  queued: 'waiting',
  started: 'active',
  scheduled: 'delayed',
  deferred: 'waiting-children',
  finished: 'completed',
  failed: 'failed',
  stopped: 'failed',
  canceled: 'unknown',
};

export function stateOf(status: JobSnapshot['status']): JobState {
  return STATES[status];
}
