import type { ControlledStore } from './controlled-store.js';

/** What there is to do for the worker of one root, at one moment of its Redis. */
export interface WorkLeft {
  /** Queues with a job that could start now. */
  readonly due: readonly string[];
  /** Queues with a job that runs, or whose end is still being told to those that wait for it. */
  readonly started: readonly string[];
  /**
   * When the next scheduled job is due, or the next that waits for a rate may start: milliseconds since the epoch, by
   * Redis's clock; Infinity: none is.
   */
  readonly nextDue: number;
  /** Redis's clock, milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Reads all registries of the queues that the worker serves in one step, so that a job on its way from one to another
 * is not overlooked. In a paused queue nothing is due.
 */
export async function workLeftIn(store: ControlledStore): Promise<WorkLeft> {
  const queues = store.served;
  const replies = await store.connections.run('look at the queues', async (redis) => {
    const batch = redis.multi().time();
    for (const queue of queues) {
      const keys = store.keys.queue(queue);
      batch
        .llen(keys.list)
        .exists(keys.high, keys.low)
        .zcard(keys.started)
        .exists(keys.paused, store.keys.suspended)
        .exists(keys.ended)
        .zrange(keys.scheduled, '0', '0', 'WITHSCORES')
        .exists(keys.flags);
    }
    return (await batch.exec())?.map(([, reply]) => reply) ?? [];
  });
  const [time, ...perQueue] = replies;
  const [seconds, microseconds] = time as [string, string];
  const now = Number(seconds) * 1000 + Number(microseconds) / 1000;
  const looks = queues.map(async (queue, index) => {
    const from = index * REPLIES_PER_QUEUE;
    const ofQueue = perQueue.slice(from) as Replies;
    const [queued, levels, started, paused, untold, scheduled, flags] = ofQueue;
    // Jobs that wait for one that is over are being told, some hundreds at a time.
    const isStarted = started > 0 || untold > 0;
    if (paused > 0) return { queue, isDue: false, isStarted, nextDue: Infinity };
    const nextDue = scheduled[1] === undefined ? Infinity : Number(scheduled[1]) * 1000;
    if (flags === 0)
      return { queue, isDue: queued + levels > 0 || nextDue <= now, isStarted, nextDue };
    const { mayStart, opensAt = Infinity } = await store.limits.mayStart(queue);
    const next = Math.min(nextDue, opensAt);
    return { queue, isDue: mayStart || levels > 0 || nextDue <= now, isStarted, nextDue: next };
  });
  const found = await Promise.all(looks);
  return {
    due: found.filter(({ isDue }) => isDue).map(({ queue }) => queue),
    started: found.filter(({ isStarted }) => isStarted).map(({ queue }) => queue),
    nextDue: Math.min(Infinity, ...found.map(({ nextDue }) => nextDue)),
    now,
  };
}

const REPLIES_PER_QUEUE = 7;

type Replies = [
  queued: number,
  levels: number,
  started: number,
  paused: number,
  untold: number,
  scheduled: string[],
  flags: number,
];
