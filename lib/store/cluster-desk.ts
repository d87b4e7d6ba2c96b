import type { ClusterJobStore } from './cluster-job-store.js';
import type { DeskStore, StoredNote } from './desk-store.js';
import { RedisDesk } from './redis-desk.js';

/** What operators share, under one hash tag; what concerns workers is said in every tag. */
export class ClusterDesk implements DeskStore {
  private readonly records: RedisDesk;

  /** @param tag of what is about no single queue */
  constructor(
    private readonly whole: ClusterJobStore,
    tag: string,
  ) {
    const keys = whole.keys.ofTag(tag);
    this.records = new RedisDesk(whole.accessTo(keys.audit), keys);
  }

  note(fields: Readonly<Record<string, string>>): Promise<string> {
    return this.records.note(fields);
  }

  notes(range: { before: string | undefined; limit: number }): Promise<readonly StoredNote[]> {
    return this.records.notes(range);
  }

  saveOperation(id: string, fields: Readonly<Record<string, string>>): Promise<void> {
    return this.records.saveOperation(id, fields);
  }

  operation(id: string): Promise<Readonly<Record<string, string>> | undefined> {
    return this.records.operation(id);
  }

  recentOperations(): Promise<readonly string[]> {
    return this.records.recentOperations();
  }

  holdOperation(id: string, holder: string): Promise<boolean> {
    return this.records.holdOperation(id, holder);
  }

  suspend(): Promise<void> {
    return this.each((desk) => desk.suspend());
  }

  unsuspend(): Promise<void> {
    return this.each((desk) => desk.unsuspend());
  }

  shutDown(worker: string): Promise<void> {
    return this.each((desk) => desk.shutDown(worker));
  }

  private async each(tell: (desk: DeskStore) => Promise<void>): Promise<void> {
    await Promise.all((await this.whole.all()).map(({ figures }) => tell(figures.desk)));
  }
}
