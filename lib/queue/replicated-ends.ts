import {
  type Durability,
  NotReplicatedError,
  RedisReplyError,
  RqConnectionError,
} from '../job/index.js';
import type { JobStore } from '../store/index.js';
import { after } from '../time/timer.js';
import type { JobRecord } from '../wire/index.js';
import { REPLICAS_ASKED_EACH_MS, ReplicaPatience } from './replica-patience.js';

/** Ends of jobs that replicas are to have before they are told (`durability`). */
export class ReplicatedEnds {
  private readonly patience = new ReplicaPatience();

  constructor(
    private readonly store: Pick<JobStore, 'replicated'>,
    readonly durability: Durability,
  ) {}

  /**
   * The job as replicas have it; undefined: it is gone. `untold`: nobody knows what they have, and it is to be told all
   * the same (see ReplicaPatience); `late`: nobody knew until the deadline.
   * @param deadline by the clock of `performance.now()`
   * @param since when it was first to be told, by that clock: patience counts from then on
   * @throws RqConnectionError when Redis cannot be reached
   */
  look(
    queue: string,
    id: string,
    deadline: number,
    since?: number,
  ): Promise<JobRecord | undefined | 'untold' | 'late'> {
    return this.ask(() => this.store.replicated.job(queue, id, this.durability), deadline, since);
  }

  /** The same of whatever is asked for. */
  async ask<Reply>(
    question: () => Promise<Reply>,
    deadline: number,
    since = performance.now(),
  ): Promise<Reply | 'untold' | 'late'> {
    let wasCut = false;
    for (;;) {
      try {
        const reply = await question();
        this.patience.renew();
        return reply;
      } catch (error) {
        const isRefusal = error instanceof NotReplicatedError || error instanceof RedisReplyError;
        // A primary that dies or hands over takes the question along; it is for its successor then.
        const isCut: boolean = error instanceof RqConnectionError && error.uncertain && !wasCut;
        if (!isRefusal && !isCut) throw error;
        wasCut ||= isCut;
        if (this.patience.endsWith(error, since)) return 'untold';
        if (performance.now() >= deadline) return 'late';
      }
      await new Promise((resolve) => after(REPLICAS_ASKED_EACH_MS, () => resolve(undefined)));
    }
  }
}
