import {
  type CancelFrom,
  type JobSelection,
  type PromoteFrom,
  type RequeueFrom,
  type RequeueOptions,
  type SelectableIn,
  ShortForm,
  readRequeueOptions,
  readSelection,
} from '../job/index.js';
import type { ControlAction, ControlReport, JobStore } from '../store/index.js';

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
    const where = `requeue on queue "${this.name}"`;
    const { finished, ...rest } = readRequeueOptions(options, where);
    const read = readSelection(selection, REQUEUE_FROM, where);
    const isOfFinished = 'in' in read && read.in === 'finished';
    const action = { type: 'requeue', ...rest, finished: finished || isOfFinished } as const;
    return this.#store.controlMany(this.name, read, action);
  }

  /** As `job.cancel()` for each; those that run are told. Errors as in {@link requeue}. */
  async cancel(selection: JobSelection<CancelFrom>): Promise<ControlReport> {
    return this.#act(selection, CANCEL_FROM, { type: 'cancel', dependents: 'end' });
  }

  /** As `job.delete()` for each; those that run are told. Errors as in {@link requeue}. */
  async delete(selection: JobSelection): Promise<ControlReport> {
    return this.#act(selection, ANYWHERE, { type: 'delete', dependents: 'end' });
  }

  /** As `job.promote()` for each: what waits for its time or for other jobs runs now. Errors as in {@link requeue}. */
  async promote(selection: JobSelection<PromoteFrom>): Promise<ControlReport> {
    return this.#act(selection, PROMOTE_FROM, { type: 'promote' });
  }

  async #act(
    selection: JobSelection,
    places: readonly SelectableIn[],
    action: ControlAction,
  ): Promise<ControlReport> {
    const read = readSelection(selection, places, `${action.type} on queue "${this.name}"`);
    return this.#store.controlMany(this.name, read, action);
  }
}

const REQUEUE_FROM: readonly RequeueFrom[] = ['failed', 'canceled', 'finished'];
const CANCEL_FROM: readonly CancelFrom[] = ['queued', 'scheduled', 'deferred', 'started'];
const PROMOTE_FROM: readonly PromoteFrom[] = ['scheduled', 'deferred'];
const ANYWHERE: readonly SelectableIn[] = [...CANCEL_FROM, ...REQUEUE_FROM];
