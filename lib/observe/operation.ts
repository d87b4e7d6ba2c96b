import { InvalidOptionError, ShortForm } from '../job/index.js';
import type { BulkRequest } from '../queue/index.js';
import {
  type ControlPace,
  type ControlReport,
  type JobStore,
  type Undeleted,
  idsOf,
} from '../store/index.js';
import { after } from '../time/timer.js';

/** How an operation is carried out. */
export interface OperationOptions {
  /** Jobs per second at most; default: as fast as Redis can, 500 in a call. */
  readonly rate?: number;
  /** Nothing is done: only how many jobs it would be is found out. */
  readonly dryRun?: boolean;
}

/** How jobs are deleted. */
export interface DeleteOptions extends OperationOptions {
  /** Jobs that have ended can be had back for an hour (`undo()`), and take their memory as long; default `true`. */
  readonly undoable?: boolean;
}

/** What a dry run has found. */
export interface DryRun {
  /** How many jobs the selection means. Some of them may be left as they are in the end: see `skipped`. */
  readonly count: number;
}

/**
 * Something that is being done to many jobs, some hundred in a call. It has begun when you hold it. What is done stays
 * done, whether it is canceled or fails; repeated, it goes on with what is left.
 *
 * ```ts
 * const operation = inspector.requeue('mail', { in: 'failed', cause }, { rate: 50 });
 * console.log(operation.progress); // { done: 150, looked: 200, total: 1204 }
 * const { done, skipped } = await operation.report();
 * ```
 */
export class BulkOperation extends ShortForm {
  #soFar: ControlReport = NOTHING;
  #expected: number | undefined;
  #isCanceled = false;
  readonly #ended: Promise<ControlReport>;
  readonly #startedAt = performance.now();
  readonly #rate: number | undefined;
  readonly #store: Pick<JobStore, 'controlMany' | 'undelete'>;
  readonly #queue: string;
  /** By which what it deletes can be had back for an hour, from any process: `inspector.undoDelete()`. */
  readonly undoId: string | undefined;

  /** @internal */
  constructor(
    store: Pick<JobStore, 'controlMany' | 'undelete'>,
    queue: string,
    { selection, action }: BulkRequest,
    rate: number | undefined,
    total: Promise<number>,
  ) {
    super();
    this.#rate = rate;
    this.#store = store;
    this.#queue = queue;
    this.undoId = action.type === 'delete' ? action.keep : undefined;
    const pace: ControlPace = {
      most: rate === undefined ? Infinity : Math.max(1, Math.ceil(rate / SLICES_PER_SECOND)),
      goesOn: (soFar) => this.goesOn(soFar),
    };
    this.#ended = store.controlMany(queue, selection, action, pace);
    // Whoever does not ask for the report does not want to hear of its error either.
    this.#ended.catch(() => undefined);
    total.then(
      (count) => (this.#expected = count),
      () => undefined,
    );
  }

  /** How far it is: jobs changed, entries looked at, and how many there were at the beginning (once that is known). */
  get progress(): { readonly done: number; readonly looked: number; readonly total?: number } {
    const { done, looked } = this.#soFar;
    return {
      done,
      looked,
      ...(this.#expected === undefined ? undefined : { total: this.#expected }),
    };
  }

  /** What JSON and logs show of it. */
  toJSON(): object {
    return this.progress;
  }

  /** Ends it after the call that is under way. */
  cancel(): void {
    this.#isCanceled = true;
  }

  /** Waits until it has ended, by itself or canceled. @throws RqConnectionError; what was done until then stays done */
  report(): Promise<ControlReport> {
    return this.#ended;
  }

  /**
   * Gives back what it has deleted, within an hour: jobs that had ended and that no other job waited for. Those that have
   * not ended when they are deleted, and those whose id another job has by now, stay deleted; their groups do not count
   * them any more.
   * @throws InvalidOptionError when it deletes nothing, or was told `undoable: false`; RqConnectionError
   */
  async undo(): Promise<Undeleted> {
    const { undoId } = this;
    if (undoId === undefined) {
      const problem = 'is possible for a delete alone, and not with undoable: false';
      throw new InvalidOptionError({ option: 'undo', problem, where: 'operation.undo' });
    }
    this.cancel();
    await this.#ended.catch(() => undefined);
    return this.#store.undelete(this.#queue, undoId);
  }

  private async goesOn(soFar: ControlReport): Promise<boolean> {
    this.#soFar = soFar;
    if (this.#rate !== undefined) {
      const due = this.#startedAt + (soFar.done / this.#rate) * 1000;
      await this.pause(due - performance.now());
    }
    return !this.#isCanceled;
  }

  /** In short steps, so that it can be canceled meanwhile. */
  private async pause(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0 && !this.#isCanceled; left -= STEP_MS) {
      await new Promise<void>((resolve) => after(Math.min(left, STEP_MS), resolve));
    }
  }
}

const NOTHING: ControlReport = {
  done: 0,
  skipped: { running: 0, state: 0, duplicate: 0 },
  missing: 0,
  looked: 0,
};
const SLICES_PER_SECOND = 5;
const STEP_MS = 200;

/** How many jobs a selection means. */
export async function meantBy(
  store: JobStore,
  queue: string,
  { selection }: BulkRequest,
): Promise<number> {
  if (!('in' in selection)) {
    const queues = await store.queuesOf(selection);
    return queues.filter((name) => name === queue).length;
  }
  const { limit = Infinity, name, cause, error, before, after: later } = selection;
  const isAll = [name, cause, error, before, later].every((one) => one === undefined);
  if (isAll) return Math.min(limit, (await store.counts(queue))[selection.in]);
  return (await idsOf(store, queue, selection)).length;
}
