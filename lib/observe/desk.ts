import { type Duration, ShortForm, assertQueueName, readOptions } from '../job/index.js';
import type { JobStore, WorkerStore } from '../store/index.js';
import { AuditTrail } from './audit-trail.js';
import { RECOVER_OPTIONS } from './inspector-options.js';
import type { RqInspector } from './inspector.js';
import { type RecoveredJobs, recoverQueue } from './recover-queue.js';
import { SharedOperations } from './shared-operations.js';

/** What operators share, and what concerns no single queue (`inspector.desk`). Every method may reject with RqConnectionError. */
export class Desk extends ShortForm {
  /** Who did what. */
  readonly audit: AuditTrail;
  /** What is being done to many jobs. */
  readonly operations: SharedOperations;
  readonly #store: JobStore;

  /** @internal */
  constructor(store: JobStore, inspector: RqInspector) {
    super();
    this.#store = store;
    this.audit = new AuditTrail(store);
    this.operations = new SharedOperations(store, inspector);
  }

  /** No worker takes a job of any queue, Python's too, until {@link resume}; running jobs go on. RQ's `rq suspend`. */
  suspend(): Promise<void> {
    return this.#store.figures.desk.suspend();
  }

  /** Ends {@link suspend}. RQ's `rq resume`. */
  resume(): Promise<void> {
    return this.#store.figures.desk.unsuspend();
  }

  /** Has a worker end when its running jobs have, Python's too. RQ's command `shutdown`. @param name of the worker */
  shutDownWorker(name: string): Promise<void> {
    return this.#store.figures.desk.shutDown(name);
  }

  /**
   * Puts jobs of dead workers back into their queue, as every living worker of it does by itself: for a queue that none
   * serves, or Python's alone.
   * @param options.patience how long workers get to show that they live; default 30 s
   * @throws InvalidOptionError, RqConnectionError
   */
  async recover(queue: string, options: { patience?: Duration } = {}): Promise<RecoveredJobs> {
    const where = `desk.recover of queue "${queue}"`;
    assertQueueName(queue, where);
    const { patience } = readOptions(options, RECOVER_OPTIONS, where);
    // Every store can do what workers do; those who hold a queue only do not see it.
    return recoverQueue(this.#store as WorkerStore, queue, patience);
  }

  /** What JSON and logs show of it. */
  toJSON(): object {
    return {};
  }
}
