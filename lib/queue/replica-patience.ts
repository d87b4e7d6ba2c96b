import { NotReplicatedError, RedisReplyError } from '../job/index.js';

/**
 * How long an outcome is kept back that replicas are to have before it is told (`durability`). It is written down, so
 * never to tell of it would be worse than to tell of one that a failover may take back.
 *
 * 1. They do not have it in time: they are asked again, for 15 seconds. Within these a failover is over, also a planned one, in
 *    which Sentinels leave the old primary alone for ten.
 * 2. Then it is told all the same. From now on nobody waits for these replicas longer than `durability.timeout`,
 *    until they have answered once.
 */
export class ReplicaPatience {
  private isOver = false;

  /** Replicas could not be asked, or did not have it. @param since when it was written down, by `performance.now()` */
  endsWith(error: unknown, since: number): boolean {
    const isSlow = error instanceof NotReplicatedError || isMemoryFull(error);
    if (isSlow && this.isOver) return true;
    if (performance.now() - since < LONGEST_MS) return false;
    this.isOver = true;
    return true;
  }

  /** Replicas had what was asked for. */
  renew(): void {
    this.isOver = false;
  }
}

/** Milliseconds between two questions, so that a Redis that refuses is left alone in between. */
export const REPLICAS_ASKED_EACH_MS = 100;
const LONGEST_MS = 15_000;

/** Outcomes can be written then, and the key that replicas are asked for cannot. */
function isMemoryFull(error: unknown): boolean {
  return error instanceof RedisReplyError && /\bOOM\b/.test(error.message);
}
