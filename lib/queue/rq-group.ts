import {
  type Duration,
  GroupTimeoutError,
  ShortForm,
  assertGroupName,
  toMilliseconds,
  wholeNumber,
} from '../job/index.js';
import {
  type ControlAction,
  type ControlReport,
  type GroupCounts,
  type JobStore,
  sumOf,
} from '../store/index.js';
import { type Timer, after } from '../time/timer.js';
import type { JobSummary } from '../wire/index.js';
import type { ReplicatedEnds } from './replicated-ends.js';

/**
 * All jobs that were enqueued with the same `group`, of whatever queues. It is a name and holds no copy of anything; each
 * method asks Redis.
 *
 * ```ts
 * await imports.enqueueMany(rows.map((row) => ({ name: 'importRow', data: row, options: { group: 'import-42' } })));
 * const { pending, failed } = await rq.group('import-42').status();
 * ```
 *
 * It comes into being with its first job. Its counts are kept for a day after its last job is gone.
 */
export class RqGroup extends ShortForm {
  readonly #store: JobStore;
  readonly #replicated: ReplicatedEnds | undefined;

  /**
   * @param replicated what replicas must know before `wait` says that it is over; undefined: what Redis says is enough
   * @throws InvalidOptionError when no group can have this name
   */
  constructor(
    readonly name: string,
    store: JobStore,
    replicated?: ReplicatedEnds,
  ) {
    super();
    assertGroupName(name, 'group');
    this.#store = store;
    this.#replicated = replicated;
  }

  /**
   * How many of its jobs stand where; all are 0 of a group that nobody knows. What Python's workers have done to them may
   * be missing for up to a minute.
   * @throws RqConnectionError
   */
  async status(): Promise<GroupStatus> {
    return statusOf(await this.#store.groups.look(this.name));
  }

  /**
   * What a person wants to see of its jobs, in the order of their ids: plain data, as `queue.jobs()` gives them. Jobs that
   * are gone (deleted, or kept long enough) are left out. All ids of the group are read for each call.
   * @param range default the first 100
   * @throws InvalidOptionError when offset or limit is no whole number of at least 0; RqConnectionError
   */
  async jobs({ offset = 0, limit = 100 }: { offset?: number; limit?: number } = {}): Promise<
    JobSummary[]
  > {
    const where = `jobs of group "${this.name}"`;
    wholeNumber(0)(offset, 'offset', where);
    wholeNumber(0)(limit, 'limit', where);
    const ids = await this.#store.groups.members(this.name);
    return this.#store.groups.rows(ids.toSorted().slice(offset, offset + limit));
  }

  /**
   * Waits until all of its jobs are over, however they ended, and gives their counts. A group without jobs is over. To
   * have something done then, better enqueue a job that waits for the group (`dependsOn: { group }`): it cannot be lost.
   * @param options.timeout how long to wait (a number is seconds); default 60 seconds
   * @throws GroupTimeoutError, InvalidOptionError, RqConnectionError
   */
  async wait({ timeout = 60 }: { timeout?: Duration } = {}): Promise<GroupStatus> {
    const milliseconds = toMilliseconds(timeout, 'timeout', `wait of group "${this.name}"`);
    const deadline = performance.now() + milliseconds;
    let isOver = false;
    let wake: () => void = () => undefined;
    const stop = await this.#store.groups.onOver(this.name, () => {
      isOver = true;
      wake();
    });
    try {
      for (let look = 0; ; look += 1) {
        isOver = false;
        const status = await this.status();
        if (status.pending === 0 && (await this.#isSure(deadline))) return status;
        const left = deadline - performance.now();
        if (left <= 0) {
          const { pending } = status;
          throw new GroupTimeoutError({ group: this.name, pending, timeout: milliseconds });
        }
        // A message can be lost, and Python's workers send none.
        const pause = Math.min(left, FIRST_PAUSE_MS * 2 ** Math.min(look, 5), LAST_PAUSE_MS);
        await new Promise<void>((resolve) => {
          const timer: Timer = after(pause, resolve);
          wake = () => {
            timer.cancel();
            resolve();
          };
          if (isOver) wake();
        });
      }
    } finally {
      stop();
    }
  }

  /**
   * Cancels those of its jobs that have not ended, as `job.cancel()` does; those that run are told. Jobs that wait for the
   * group learn that it is over.
   * @throws RqConnectionError; what was done before stays so, and the call may be repeated
   */
  async cancel(): Promise<ControlReport> {
    const { groups } = this.#store;
    await groups.look(this.name);
    const ids = await groups.pending(this.name);
    return this.#control(ids, { type: 'cancel', dependents: 'end' });
  }

  /**
   * Deletes all of its jobs, whatever their state, and the group. Jobs that wait for it are canceled, or run, as their
   * `ifFailed` says: what has not finished counts as canceled.
   * @throws RqConnectionError; what was done before stays so, and the call may be repeated
   */
  async delete(): Promise<ControlReport> {
    const { groups } = this.#store;
    await groups.look(this.name);
    const ids = await groups.members(this.name);
    const report = await this.#control(ids, { type: 'delete', dependents: 'end' });
    await groups.forget(this.name);
    return report;
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly name: string } {
    return { name: this.name };
  }

  /** Replicas know that it is over, if they are to. */
  async #isSure(deadline: number): Promise<boolean> {
    const replicated = this.#replicated;
    if (!replicated) return true;
    const { durability } = replicated;
    const look = () => this.#store.groups.look(this.name, durability);
    const seen = await replicated.ask(look, deadline);
    return typeof seen === 'string' ? seen === 'untold' : seen.pending === 0;
  }

  async #control(ids: readonly string[], action: ControlAction): Promise<ControlReport> {
    const byQueue = new Map<string, string[]>();
    let missing = 0;
    for (let first = 0; first < ids.length; first += ASKED_AT_ONCE) {
      const slice = ids.slice(first, first + ASKED_AT_ONCE);
      for (const [index, queue] of (await this.#store.queuesOf(slice)).entries()) {
        const own = byQueue.get(queue ?? '') ?? [];
        own.push(slice[index] as string);
        if (queue === undefined) missing += 1;
        else byQueue.set(queue, own);
      }
    }
    const reports: ControlReport[] = [];
    for (const [queue, own] of byQueue) {
      reports.push(await this.#store.controlMany(queue, own, action));
    }
    const report = sumOf(reports);
    return { ...report, missing: report.missing + missing, looked: report.looked + missing };
  }
}

/** How far the jobs of a group are. */
export interface GroupStatus extends GroupCounts {
  /** All jobs that the group has had, those included that are gone by now. */
  readonly total: number;
}

function statusOf(counts: GroupCounts): GroupStatus {
  const { pending, finished, failed, canceled } = counts;
  return { total: pending + finished + failed + canceled, pending, finished, failed, canceled };
}

/** Pauses between looks: each twice as long as the one before, from the first to the last. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1000;
const ASKED_AT_ONCE = 1000;
