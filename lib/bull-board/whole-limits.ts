import type { LimitInForce, Queue } from '../observe/index.js';

/** bull-board sets concurrency and rate of a whole queue apart from each other; here they are one setting. */

type Change = Pick<Parameters<Queue['setLimits']>[0], 'concurrency' | 'rateLimit'>;

/** What is set for the whole queue, or else declared for it. */
export function wholeLimit(limits: readonly LimitInForce[]): LimitInForce | undefined {
  const whole = limits.filter(({ handler, key }) => handler === undefined && key === undefined);
  return whole.find(({ from }) => from === 'set') ?? whole.find(({ from }) => from === 'declared');
}

/** How many of its jobs may run at once; null: no limit. */
export function totalOf(limits: readonly LimitInForce[]): number | null {
  const total = wholeLimit(limits)?.concurrency?.total;
  return typeof total === 'number' && Number.isFinite(total) ? total : null;
}

/** Changes one of the two, and keeps the other as it is set; until then, if it is set for a while. */
export async function setLimitsOf(queue: Queue, change: Change): Promise<void> {
  const limits = await queue.limits();
  const set = limits.find(
    ({ from, handler, key }) => from === 'set' && handler === undefined && key === undefined,
  );
  const total = set?.concurrency?.total;
  const { max, per } = set?.rateLimit ?? {};
  const kept: Change = {
    ...(total !== undefined && { concurrency: { total: finite(total) } }),
    ...(max !== undefined &&
      (Number.isFinite(max) ? { rateLimit: { max, per } } : { rateLimit: false })),
  };
  const changed = Object.entries({ ...kept, ...change }).filter(([, limit]) => limit !== undefined);
  const left = set?.until && set.until.getTime() - Date.now();
  const lasts = left !== undefined && left > 0 ? { for: left / 1000 } : {};
  await queue.setLimits(Object.fromEntries(changed), lasts);
}

function finite(total: number | false): number | false {
  return total === false || !Number.isFinite(total) ? false : total;
}
