import type { QueueState, WorkerState } from '../store/index.js';

/** How everything stands at one moment. */
export interface Overview {
  /** By Redis's clock. */
  readonly at: Date;
  readonly queues: readonly QueueOverview[];
  readonly workers: readonly WorkerState[];
  /** What needs a human, a sentence each; empty: nothing. */
  readonly troubles: readonly QueueTrouble[];
}

/** A queue, and who serves it. */
export interface QueueOverview extends QueueState {
  /** How many living workers serve it. */
  readonly workers: number;
  /** How many jobs of this queue those can run at once; slots that a worker's queues share count for each of them. */
  readonly slots: number;
}

export interface QueueTrouble {
  readonly queue: string;
  readonly code: 'no-worker' | 'behind' | 'overdue' | 'paused';
  readonly sentence: string;
}

/** Puts together what was read of queues and workers. */
export function overviewOf(
  at: Date,
  states: readonly QueueState[],
  workers: readonly WorkerState[],
): Overview {
  const queues = states.map((state): QueueOverview => {
    const serving = workers.filter((one) => one.isAlive && one.queues.includes(state.queue));
    const slots = serving.reduce((sum, worker) => sum + slotsOf(worker, state.queue), 0);
    return { ...state, workers: serving.length, slots };
  });
  return { at, queues, workers, troubles: queues.flatMap(troublesOf) };
}

/** A worker that does not say it is taken to have as many for each of its queues. */
function slotsOf({ queueSlots, slots = 1, queues }: WorkerState, queue: string): number {
  return queueSlots?.[queue] ?? Math.ceil(slots / queues.length);
}

/** What is wrong with a queue by itself, whatever anybody has configured. */
function troublesOf(state: QueueOverview): QueueTrouble[] {
  const { queue, queued, workers, oldestMs = 0, overdue, overdueMs } = state;
  const troubles: QueueTrouble[] = [];
  const add = (code: QueueTrouble['code'], sentence: string) =>
    troubles.push({ queue, code, sentence });
  const jobs = `${queued} ${queued === 1 ? 'job waits' : 'jobs wait'}`;
  if (state.paused || state.suspended) {
    const what = state.paused ? 'it is paused' : 'RQ is suspended';
    if (queued > 0) add('paused', `${jobs}, and ${what}`);
  } else if (workers === 0 && (state.mayStart || (queued > 0 && state.started > 0))) {
    add('no-worker', `${jobs}, and no worker serves it`);
  } else if (state.mayStart && oldestMs > BEHIND_MS) {
    add('behind', `${jobs}, the oldest for ${Math.round(oldestMs / 60_000)} minutes`);
  }
  if (overdue > 0 && overdueMs > OVERDUE_MS) {
    const minutes = Math.round(overdueMs / 60_000);
    const are = overdue === 1 ? 'job is' : 'jobs are';
    add('overdue', `${overdue} scheduled ${are} overdue, by up to ${minutes} minutes`);
  }
  return troubles;
}

const BEHIND_MS = 600_000;
const OVERDUE_MS = 60_000;
