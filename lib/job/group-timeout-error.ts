import { RqError } from './errors.js';

/** Thrown by `group.wait()`: not all jobs of the group were over in time. They go on. */
export class GroupTimeoutError extends RqError {
  readonly code = 'RQ_GROUP_TIMEOUT';
  /** Name of the group. */
  readonly group: string;
  /** How many of its jobs had not ended. */
  readonly pending: number;

  /** @param details.timeout in milliseconds */
  constructor(details: { group: string; pending: number; timeout: number }) {
    const { group, pending, timeout } = details;
    super(
      `${pending} job(s) of group "${group}" had not ended after ${timeout / 1000} seconds. They go on: wait again, or ` +
        'check that workers serve their queues (group.jobs() lists them).',
    );
    this.group = group;
    this.pending = pending;
  }
}
