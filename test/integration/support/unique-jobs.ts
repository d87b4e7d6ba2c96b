// Jobs that are unique by what they are about, and a worker that holds them.
import type { UniqueOptions } from '../../../lib/job/index.js';
import type { RqJob } from '../../../lib/queue/index.js';
import type { WorkerOptions } from '../../../lib/worker/index.js';
import { deferred } from '../../support/wait.js';
import type { Engine } from './engine.js';

export const BY = 'user-17';

export function uniqueJobs(engine: Engine) {
  /** Enqueues `f` as a unique job. */
  const unique = (data?: unknown, options: UniqueOptions = {}, more = {}) =>
    engine.queue().enqueue('f', data, { unique: { by: BY, ...options }, ...more });

  const dataOf = async (job: RqJob) => (await job.refresh()).data;
  const keys = () => engine.client.hgetall('rq:nrq:unique:jobs');
  const stored = async () => {
    const counts = await engine.queue().counts();
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  };

  /** A worker whose jobs run until they are let go. */
  const blockedWorker = async (options: WorkerOptions = {}) => {
    const gate = deferred<string>();
    const ran: unknown[] = [];
    const run = (data: unknown) => {
      ran.push(data);
      return gate.promise;
    };
    const { events } = await engine.work({ f: run }, options);
    return { events, gate, ran };
  };

  return { unique, dataOf, keys, stored, blockedWorker };
}
