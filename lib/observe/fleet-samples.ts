import { SELECTABLE_IN } from '../job/index.js';
import type { WorkerState } from '../store/index.js';
import type { RqAlert } from './alert.js';
import { type Samples, addSample } from './metric-list.js';
import type { Overview, QueueOverview } from './overview.js';

/** What Redis says of all queues, as numbers for Prometheus. */
export function fleetSamples({ queues }: Overview, alerts: readonly RqAlert[]): Samples {
  const samples: Samples = new Map();
  for (const state of queues) addQueue(samples, state);
  for (const { queue, rule, job = '', severity, state } of alerts) {
    if (state !== 'firing') continue;
    addSample(samples, 'rq_alert_firing', { queue, rule, job, severity }, 1);
  }
  return samples;
}

/** What rq-exporter tells of workers. Names change with every restart: only where that is asked for. */
export function compatSamples(workers: readonly WorkerState[]): Samples {
  const samples: Samples = new Map();
  for (const { name, state, queues, finished, failed, workedMs } of workers) {
    const labels = { name, queues: queues.join(',') };
    addSample(samples, 'rq_workers', { name, state, queues: labels.queues }, 1);
    addSample(samples, 'rq_workers_success_total', labels, finished);
    addSample(samples, 'rq_workers_failed_total', labels, failed);
    addSample(samples, 'rq_workers_working_time_total', labels, workedMs / 1000);
  }
  return samples;
}

function addQueue(samples: Samples, state: QueueOverview): void {
  const { queue } = state;
  const add = (name: string, value: number) => addSample(samples, name, { queue }, value);
  for (const status of SELECTABLE_IN) {
    addSample(samples, 'rq_jobs', { queue, status }, state[status]);
  }
  add('rq_retrying_jobs', state.retrying);
  add('rq_overdue_jobs', state.overdue);
  add('rq_queue_oldest_job_age_seconds', (state.mayStart ? (state.oldestMs ?? 0) : 0) / 1000);
  add('rq_scheduled_overdue_seconds', state.overdueMs / 1000);
  add('rq_queue_may_start', Number(state.mayStart));
  add('rq_queue_paused', Number(state.paused || state.suspended));
  add('rq_queue_workers', state.workers);
  add('rq_queue_slots', state.slots);
}
