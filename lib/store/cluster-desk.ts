import type { ClusterJobStore } from './cluster-job-store.js';
import { RedisDesk } from './redis-desk.js';

/**
 * What operators share, of all hash tags: kept in one slot. What workers are to hear is said in each tag, since a worker looks
 * at those of its queues.
 */
export class ClusterDesk extends RedisDesk {
  constructor(private readonly whole: ClusterJobStore) {
    const keys = whole.keys.ofTag(OF_NO_QUEUE);
    super(whole.accessTo(keys.audit), keys);
  }

  override async suspend(): Promise<void> {
    await this.eachTag((desk) => desk.suspend());
  }

  override async unsuspend(): Promise<void> {
    await this.eachTag((desk) => desk.unsuspend());
  }

  override async shutDown(worker: string): Promise<void> {
    await this.eachTag((desk) => desk.shutDown(worker));
  }

  private async eachTag(call: (desk: RedisDesk) => Promise<void>): Promise<void> {
    await Promise.all((await this.whole.all()).map(({ figures }) => call(figures.desk)));
  }
}

/** The hash tag of what belongs to no queue. */
export const OF_NO_QUEUE = 'nrq:all';
