import { RqConnectionError } from '../job/index.js';
import type { ClusterJobStore } from './cluster-job-store.js';
import type { WorkerActivity } from './figure-store.js';
import type { WorkDone, WorkerRecord, WorkerRegister } from './job-store.js';
import type { TagStore } from './tag-store.js';

/** Shows a worker in each hash tag of its queues, with what it has done there. */
export class ClusterWorkers implements WorkerRegister {
  constructor(private readonly whole: ClusterJobStore) {}

  async register(worker: WorkerRecord, activity?: WorkerActivity): Promise<void> {
    await this.whole.hashTags.claim(worker.queues);
    await this.each(worker, (store, own) => store.workers.register(own, activity));
  }

  async heartbeat(worker: WorkerRecord, done: WorkDone): Promise<boolean> {
    await this.whole.hashTags.claim(worker.queues);
    const { figures } = done;
    const views = await this.each(worker, (store, own) => {
      const ofTag = figures?.filter(({ queue }) => own.queues.includes(queue));
      return store.workers.heartbeat(own, { ...done, ...(ofTag && { figures: ofTag }) });
    });
    return views.includes(true);
  }

  async deregister(worker: WorkerRecord): Promise<void> {
    await this.each(worker, (store, own) => store.workers.deregister(own));
  }

  /** A node that is away keeps nothing from being told to the others. */
  private async each<Reply>(
    worker: WorkerRecord,
    call: (store: TagStore, own: WorkerRecord) => Promise<Reply>,
  ): Promise<Reply[]> {
    const byStore = [...this.whole.byStore(worker.queues)];
    const results = await Promise.allSettled(
      byStore.map(([store, queues]) => call(store, { ...worker, queues })),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (!failed) return results.map((result) => (result as PromiseFulfilledResult<Reply>).value);
    const isPartly = results.some(({ status }) => status === 'fulfilled');
    // What was counted has arrived in part, and must not be sent again.
    if (isPartly && failed.reason instanceof RqConnectionError) {
      const { message } = failed.reason;
      throw new RqConnectionError({
        action: `show worker "${worker.name}" to all nodes`,
        reason: new Error(message),
        uncertain: true,
      });
    }
    throw failed.reason;
  }
}
