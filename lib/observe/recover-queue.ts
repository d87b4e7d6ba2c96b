import type { WorkerStore } from '../store/index.js';
import { after } from '../time/timer.js';

/** What an operator has recovered of a queue. */
export interface RecoveredJobs {
  /** Jobs of dead workers that are back in the queue. */
  readonly requeued: number;
  /** Jobs that are left: their worker may live, as far as can be told. */
  readonly left: number;
}

/**
 * Puts back what dead workers of a queue have left, as every living worker of it does. Where nobody has looked for a while,
 * workers get some seconds to show that they live, so it looks again until nothing is left or the time is over.
 * @param patienceMs for how long it looks again
 */
export async function recoverQueue(
  store: Pick<WorkerStore, 'recover' | 'figures'>,
  queue: string,
  patienceMs: number,
): Promise<RecoveredJobs> {
  const deadline = performance.now() + patienceMs;
  let requeued = 0;
  for (;;) {
    const { handled, nextLook = LOOK_MS } = await store.recover(queue, SETTINGS);
    requeued += handled.length;
    const { endedLeases, popped } = await store.figures.leftovers(queue);
    const left = endedLeases + popped;
    const pauseMs = Math.min(Math.max(nextLook, SHORTEST_MS), LOOK_MS);
    if (left === 0 || performance.now() + pauseMs > deadline) return { requeued, left };
    await new Promise<void>((resolve) => after(pauseMs, resolve));
  }
}

/** Milliseconds. The lease is that of workers without settings, and no job is failed here: that is for its workers. */
const SETTINGS = { leaseMs: 15_000, maxCrashes: Number.MAX_SAFE_INTEGER };
const LOOK_MS = 3000;
const SHORTEST_MS = 50;
