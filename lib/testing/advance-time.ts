import type { Drain } from './drain.js';
import type { EmbeddedRedis } from './embedded-redis.js';

/**
 * Moves the clock of the embedded Redis forward, from job to job. Whatever becomes due on the way runs at its time,
 * also what such a job enqueues and its retries. The clock of the process stays as it is.
 *
 * @param timeout milliseconds of the process's clock, for all of it
 * @throws DrainTimeoutError when jobs still run or wait then
 */
export async function advanceTime(
  milliseconds: number,
  drain: Drain,
  redis: EmbeddedRedis,
  timeout: number,
): Promise<void> {
  const deadline = performance.now() + timeout;
  const run = () => drain.run(Math.max(0, deadline - performance.now()));
  await run();
  // Time that runs take is not counted: a retry after the second of two minutes would come a moment too late.
  for (let left = milliseconds; ;) {
    const work = await drain.workLeft();
    const now = Math.max(...work.map((root) => root.now));
    const wait = Math.max(0, Math.min(...work.map(({ nextDue }) => nextDue)) - now);
    // Behind the moment itself, so that no rounding makes it too early.
    redis.advance(Math.min(left, wait + 2));
    await run();
    if (wait >= left) return;
    left -= Math.max(wait, 1);
  }
}
