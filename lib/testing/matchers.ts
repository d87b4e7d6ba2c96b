import type { JobSnapshot, Queue } from '../queue/index.js';
import { waitingJobs } from './enqueued-jobs.js';

/**
 * Assertions about queues, for Jest and Vitest: `expect.extend(rqMatchers)`, once, in a set-up file. They ask Redis,
 * so they are awaited. With Jest, importing `nestjs-rq/testing/jest` does that and brings the types.
 */
export interface RqMatchers {
  /**
   * A job of this name waits in the queue, in its schedule or for other jobs, with this data if any is given.
   *
   * @param data compared as `toEqual` does; asymmetric matchers such as `expect.objectContaining` may be in it
   *
   * @example
   * await expect(rq.queue('mail')).toHaveEnqueued('sendMail', expect.objectContaining({ to: 'a@b.c' }));
   * await expect(rq.queue('mail')).not.toHaveEnqueued('sendMail');
   */
  toHaveEnqueued(name: string, data?: unknown): Promise<void>;
}

/** What Jest and Vitest give to a matcher, as far as it is used here. */
export interface MatcherContext {
  equals(received: unknown, expected: unknown): boolean;
  readonly utils: { stringify(value: unknown): string };
}

export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

export const rqMatchers = {
  async toHaveEnqueued(
    this: MatcherContext,
    received: unknown,
    name: string,
    ...rest: readonly unknown[]
  ): Promise<MatcherResult> {
    if (!isQueue(received)) {
      throw new TypeError(
        "toHaveEnqueued is for a Queue: expect(rq.queue('mail')).toHaveEnqueued('sendMail')",
      );
    }
    const jobs = [
      ...(await waitingJobs(received, 'queued')),
      ...(await waitingJobs(received, 'scheduled')),
      ...(await waitingJobs(received, 'deferred')),
    ];
    const isWanted = (job: JobSnapshot) =>
      job.name === name && (rest.length === 0 || this.equals(job.data, rest[0]));
    const print = (value: unknown) => this.utils.stringify(value);
    const pass = jobs.some(isWanted);
    const expected = rest.length === 0 ? `"${name}"` : `"${name}" with data ${print(rest[0])}`;
    return {
      pass,
      message: () =>
        `Expected queue "${received.name}" ${pass ? 'not ' : ''}to have enqueued ${expected}.\n\n` +
        listOf(jobs, print),
    };
  },
};

// By its shape: the application may have another copy of this package.
function isQueue(received: unknown): received is Queue {
  const queue = received as Partial<Queue> | null | undefined;
  return typeof queue?.jobs === 'function' && typeof queue.enqueueMany === 'function';
}

function listOf(jobs: readonly JobSnapshot[], print: (value: unknown) => string): string {
  if (jobs.length === 0) return 'Nothing is enqueued there.';
  const lines = jobs.slice(0, SHOWN).map(({ name, data, status }) => {
    return `  ${name} ${print(data)}${status === 'queued' ? '' : ` (${status})`}`;
  });
  const rest = jobs.length > SHOWN ? [`  and ${jobs.length - SHOWN} more`] : [];
  return ['Enqueued there:', ...lines, ...rest].join('\n');
}

const SHOWN = 20;
