import { ShortForm } from '../job/index.js';
import type { JobStore } from '../store/index.js';
import { AuditTrail } from './audit-trail.js';
import type { RqInspector } from './inspector.js';
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

  /** What JSON and logs show of it. */
  toJSON(): object {
    return {};
  }
}
