import type { RunningNow, WorkerActivity } from '../store/index.js';
import type { ServedQueue } from './upkeep/lease-keeper.js';

/**
 * What a worker shows of the jobs that it runs now: how many, of how many at most, and which have run for longest.
 * @param sharesSlots its queues share their slots: each of them may have all
 */
export function activityOf(
  served: readonly ServedQueue[],
  sharesSlots: boolean,
): Pick<WorkerActivity, 'slots' | 'queueSlots' | 'busy' | 'running'> {
  const running: RunningNow[] = [];
  let busy = 0;
  for (const { consumer, runner } of served) {
    busy += runner.busySlots;
    let shown = 0;
    for (const { claimed, job, startedAt } of runner.runs()) {
      if (++shown > MOST_SHOWN) break;
      running.push({ id: claimed.id, queue: consumer.queue, name: job.name, since: startedAt });
    }
  }
  const queueSlots = new Map(
    served.map(({ consumer: { queue, concurrency } }) => [queue, concurrency]),
  );
  const counts = [...queueSlots.values()];
  const slots = sharesSlots ? Math.max(0, ...counts) : counts.reduce((sum, one) => sum + one, 0);
  running.sort((one, other) => one.since - other.since);
  return { slots, queueSlots, busy, running: running.slice(0, MOST_SHOWN) };
}

const MOST_SHOWN = 20;
