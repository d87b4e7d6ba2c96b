import type { ProgressEvent, StartedEvent } from '../../job/index.js';
import type { ClaimedJob } from '../../wire/index.js';

/** The events of a job that runs. They are made only when somebody listens. */
export function startedEvent(claimed: ClaimedJob, name: string): StartedEvent {
  return { type: 'started', ...aboutJob(claimed, name), at: new Date() };
}

export function progressEvent(claimed: ClaimedJob, name: string, progress: unknown): ProgressEvent {
  return { type: 'progress', ...aboutJob(claimed, name), progress, at: new Date() };
}

/** What every event of a job tells. */
export function aboutJob({ queue, id, attempt }: ClaimedJob, name: string) {
  return { queue, jobId: id, name, attempt };
}
