import {
  type Durability,
  JobCanceledError,
  JobNotFoundError,
  JobStoppedError,
  ResultTimeoutError,
  errorOfFailure,
  isSettled,
} from '../job/index.js';
import type { JobStore } from '../store/index.js';
import { after } from '../time/timer.js';
import type { JobRecord, Settled } from '../wire/index.js';
import { ReplicatedEnds } from './replicated-ends.js';

/**
 * Waits until a job has ended and gives its result, whichever process runs it.
 *
 * 1. `result()` is called. The waiter subscribes to the channel on which ends of jobs are announced, then reads the
 *    job.
 * 2. The job has ended already: its stored result is the answer. One that failed, was stopped or canceled is an error.
 * 3. It has not: the read (watch.lua) has also marked it as a job that somebody waits for.
 * 4. The job ends. Since it is marked, its result is announced, and that is the answer, even if the job is deleted at
 *    once. The announcement comes over a link of its own: a read that was sent later may find the job gone earlier, so what
 *    was there before is waited for a moment longer.
 * 5. An announcement can be lost, and Python's workers make none. So the waiter also reads the job again: after 100 ms,
 *    then after twice as long each time, but at least once a second.
 * 6. A job that repeats: the first of its rounds that finishes is the answer; to a later call, the newest one.
 * 7. Where replicas are to have ends before they are told (`durability`), the job is read once more, as they have it, too. If
 *    it has not ended there, another server has taken the place of the one that said so, and the waiter goes on.
 * 8. The time is over: ResultTimeoutError. The job goes on. When Redis cannot be reached, the call fails at once.
 */
export class ResultWaiter {
  private readonly watched = new Map<string, Set<(settled: Settled) => void>>();
  /** By queue. */
  private readonly subscriptions = new Map<string, Promise<() => void>>();

  /** What replicas have, if they are to; undefined: what Redis says is enough. */
  readonly replicated: ReplicatedEnds | undefined;

  /** @param durability undefined: what Redis says is enough */
  constructor(
    private readonly store: JobStore,
    durability?: Durability,
  ) {
    if (durability) this.replicated = new ReplicatedEnds(store, durability);
  }

  /**
   * The result of the job.
   * @param queue of the job
   * @param timeout milliseconds
   */
  async wait(queue: string, id: string, timeout: number): Promise<unknown> {
    const deadline = performance.now() + timeout;
    let announced: Settled | undefined;
    let wake: () => void = () => undefined;
    const listener = (settled: Settled) => {
      announced = settled;
      wake();
    };
    const announcedWithin = (milliseconds: number) =>
      new Promise<void>((resolve) => {
        const timer = after(milliseconds, resolve);
        wake = () => {
          timer.cancel();
          resolve();
        };
        if (announced) wake();
      });
    this.add(id, listener);
    try {
      await this.subscribe(queue);
      for (let look = 0; ; look += 1) {
        const record = announced ? undefined : await this.store.watch(queue, id);
        if (!announced && !record && look > 0) {
          const left = Math.max(0, deadline - performance.now());
          await announcedWithin(Math.min(left, ON_ITS_WAY_MS));
        }
        if (!announced && !record) throw new JobNotFoundError({ jobId: id });
        const end = announced ?? (record && (await this.endOf(id, record)));
        const sure = end && (await this.sureEnd(queue, end, deadline));
        if (sure) return resultOf(sure);
        if (end) announced = undefined;
        const left = deadline - performance.now();
        if (left <= 0) {
          const status = end?.status ?? record?.status;
          const advice = end
            ? NOT_REPLICATED
            : record && this.store.adviceForLateResult?.(record.status);
          throw new ResultTimeoutError({ jobId: id, timeout, status, advice });
        }
        const pause = Math.min(left, FIRST_PAUSE_MS * 2 ** Math.min(look, 5), LAST_PAUSE_MS);
        await announcedWithin(pause);
      }
    } finally {
      this.remove(id, listener);
    }
  }

  /** How it has ended, if it has; of one that runs again, its last round. */
  private async endOf(id: string, record: JobRecord): Promise<Settled | undefined> {
    if (isSettled(record.status)) return settledOf(this.store, id, record);
    const round = await resultOfRound(this.store, id, record);
    return round && { id, status: 'finished', value: round.value };
  }

  /** The end, once it may be told; undefined: the job has not ended after all, or the time is over. */
  private async sureEnd(
    queue: string,
    end: Settled,
    deadline: number,
  ): Promise<Settled | undefined> {
    if (!this.replicated) return end;
    const seen = await this.replicated.look(queue, end.id, deadline);
    if (seen === 'late') return undefined;
    // What is not kept leaves nothing to look at.
    if (seen === 'untold' || seen === undefined) return end;
    return this.endOf(end.id, seen);
  }

  private async subscribe(queue: string): Promise<void> {
    const subscription =
      this.subscriptions.get(queue) ??
      this.store.onSettled(queue, (settled) => {
        for (const listener of this.watched.get(settled.id) ?? []) listener(settled);
      });
    this.subscriptions.set(queue, subscription);
    try {
      await subscription;
    } catch (error) {
      this.subscriptions.delete(queue);
      throw error;
    }
  }

  private add(id: string, listener: (settled: Settled) => void): void {
    const listeners = this.watched.get(id) ?? new Set();
    listeners.add(listener);
    this.watched.set(id, listeners);
  }

  private remove(id: string, listener: (settled: Settled) => void): void {
    const listeners = this.watched.get(id);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.watched.delete(id);
  }
}

/** How a job ended that has ended, with its result or failure, whoever ran it. */
export async function settledOf(
  store: Pick<JobStore, 'results'>,
  id: string,
  record: JobRecord,
): Promise<Settled> {
  const { status, result, reason, failure } = record;
  if (status === 'canceled') return { id, status, text: reason };
  if (status === 'finished') {
    const round = await resultOfRound(store, id, record);
    if (round) return { id, status, value: round.value };
    if (result !== undefined) return { id, status, value: result };
  }
  // Where Python reads and writes: the last run's entry is newer than what may be left in the job itself.
  const type = status === 'finished' ? 'finished' : 'failed';
  const entry = (await store.results(id)).findLast((entry) => entry.type === type);
  return { id, status, value: entry?.value, text: entry?.failure ?? failure };
}

/** Of a job that runs again: the result of its last round, if one has ended. */
async function resultOfRound(
  store: Pick<JobStore, 'results'>,
  id: string,
  { repeatsLeft, round: { done, streamed }, result }: JobRecord,
): Promise<{ value: unknown } | undefined> {
  if (repeatsLeft === undefined) return undefined;
  // Once Python has run a round, all later ones are in the stream; what it writes into the job itself is older.
  const entry = (await store.results(id)).findLast(({ type }) => type === 'finished');
  if (entry) return { value: entry.value ?? null };
  return done > 0 && !streamed ? { value: result ?? null } : undefined;
}

/** Pauses between looks at the job: each twice as long as the one before, from the first to the last. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1000;

/** For so long an announcement may be on its way when the job is gone already. */
const ON_ITS_WAY_MS = 1000;

const NOT_REPLICATED = 'It has ended, but too few replicas have that: see `durability`.';

/** What `result()` gives or throws for a settled job. */
function resultOf(settled: Settled): unknown {
  const { id: jobId, status, text } = settled;
  switch (status) {
    case 'finished':
      return settled.value ?? null;
    case 'canceled':
      throw new JobCanceledError({ jobId, reason: text || undefined });
    case 'stopped':
      throw new JobStoppedError({ jobId });
    default:
      throw errorOfFailure({ jobId, reason: text ?? '' });
  }
}
