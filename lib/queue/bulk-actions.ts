import {
  type CancelFrom,
  type JobSelection,
  type PromoteFrom,
  type RequeueFrom,
  type RequeueOptions,
  ShortForm,
} from '../job/index.js';
import type { ControlReport, JobStore } from '../store/index.js';
import { type BulkRequest, bulkRequest, requeueRequest } from './bulk-request.js';

/**
 * What is done to many jobs of a queue at once: the part of `Queue` that takes selections. They and the options are
 * checked here; the store does the rest, up to some hundred jobs per call.
 */
export abstract class BulkActions extends ShortForm {
  readonly #store: JobStore;

  constructor(
    readonly name: string,
    store: JobStore,
  ) {
    super();
    this.#store = store;
  }

  /**
   * Puts jobs that have ended back into the queue. Their spent retries stay spent, as in RQ, unless `retries` gives new
   * ones.
   *
   * ```ts
   * await queue.requeue({ in: 'failed' }); // all that are there now
   * const { done, skipped } = await queue.requeue({ in: 'failed', name: 'resize' }, { retries: 'fresh' });
   * ```
   *
   * Ids whose job is gone are passed over, and leave the registries of ended jobs. So it is with `cancel`, `delete` and
   * `promote`. `{ in: 'canceled' }` leaves jobs that were canceled because of another canceled one: they wait for that
   * one again as soon as it is requeued.
   * @throws InvalidOptionError naming the key of the selection
   * @throws RqConnectionError; what was done before stays so, and the call may be repeated
   */
  async requeue(
    selection: JobSelection<RequeueFrom>,
    options?: RequeueOptions,
  ): Promise<ControlReport> {
    return this.#act(requeueRequest(selection, options, `requeue on queue "${this.name}"`));
  }

  /** As `job.cancel()` for each; those that run are told. Errors as in {@link requeue}. */
  async cancel(selection: JobSelection<CancelFrom>): Promise<ControlReport> {
    return this.#act(bulkRequest('cancel', selection, `cancel on queue "${this.name}"`));
  }

  /** As `job.delete()` for each; those that run are told. Errors as in {@link requeue}. */
  async delete(selection: JobSelection): Promise<ControlReport> {
    return this.#act(bulkRequest('delete', selection, `delete on queue "${this.name}"`));
  }

  /** As `job.promote()` for each: what waits for its time or for other jobs runs now. Errors as in {@link requeue}. */
  async promote(selection: JobSelection<PromoteFrom>): Promise<ControlReport> {
    return this.#act(bulkRequest('promote', selection, `promote on queue "${this.name}"`));
  }

  #act({ selection, action }: BulkRequest): Promise<ControlReport> {
    return this.#store.controlMany(this.name, selection, action);
  }
}
