import {
  type CancelFrom,
  type JobSelection,
  type PromoteFrom,
  type RequeueFrom,
  type RequeueOptions,
  type SelectableIn,
  readRequeueOptions,
  readSelection,
} from '../job/index.js';
import type { ControlAction, ControlReport, JobStore } from '../store/index.js';

/**
 * What is done to many jobs of a queue at once. Selections and options are checked here; the store does the rest, a
 * slice of jobs per call.
 */
export class BulkActions {
  constructor(
    private readonly queue: string,
    private readonly store: JobStore,
  ) {}

  async requeue(
    selection: JobSelection<RequeueFrom>,
    options?: RequeueOptions,
  ): Promise<ControlReport> {
    const where = `requeue on queue "${this.queue}"`;
    const { finished, ...rest } = readRequeueOptions(options, where);
    const read = readSelection(selection, REQUEUE_FROM, where);
    const isOfFinished = 'in' in read && read.in === 'finished';
    const action = { type: 'requeue', ...rest, finished: finished || isOfFinished } as const;
    return this.store.controlMany(this.queue, read, action);
  }

  cancel(selection: JobSelection<CancelFrom>): Promise<ControlReport> {
    return this.run(selection, CANCEL_FROM, { type: 'cancel', dependents: 'end' });
  }

  delete(selection: JobSelection): Promise<ControlReport> {
    return this.run(selection, ANYWHERE, { type: 'delete', dependents: 'end' });
  }

  promote(selection: JobSelection<PromoteFrom>): Promise<ControlReport> {
    return this.run(selection, PROMOTE_FROM, { type: 'promote' });
  }

  private async run(
    selection: JobSelection,
    places: readonly SelectableIn[],
    action: ControlAction,
  ): Promise<ControlReport> {
    const read = readSelection(selection, places, `${action.type} on queue "${this.queue}"`);
    return this.store.controlMany(this.queue, read, action);
  }
}

const REQUEUE_FROM: readonly RequeueFrom[] = ['failed', 'canceled', 'finished'];
const CANCEL_FROM: readonly CancelFrom[] = ['queued', 'scheduled', 'deferred', 'started'];
const PROMOTE_FROM: readonly PromoteFrom[] = ['scheduled', 'deferred'];
const ANYWHERE: readonly SelectableIn[] = [...CANCEL_FROM, ...REQUEUE_FROM];
