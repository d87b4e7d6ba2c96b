import type { FailureRecord, JobEvent } from '../../job/index.js';
import { aboutJob } from './about-job.js';
import type { Settlement } from './settlement.js';

/** The events that tell of an outcome, in their order. There are none when the job is only put off. */
export function eventsOf({ job, name, outcome, verdict, ...times }: Settlement): JobEvent[] {
  const about = { ...aboutJob(job, name), at: new Date(times.endedAt) };
  switch (outcome.type) {
    case 'finished':
    case 'repeating': {
      const duration = times.endedAt - times.startedAt;
      const repeatsLeft = outcome.type === 'repeating' ? outcome.repeatsLeft : 0;
      const result = resultIn(outcome.result);
      return [{ type: 'finished', ...about, result, duration, repeatsLeft }];
    }
    case 'failed': {
      const error = errorIn(outcome.failure);
      const failed = { type: 'failed', ...about, error } as const;
      return verdict.exhausted ? [{ type: 'exhausted', ...about, error }, failed] : [failed];
    }
    case 'retrying': {
      const { delay, failure } = outcome;
      const retriesLeft = verdict.retriesLeft ?? 0;
      return [{ type: 'retrying', ...about, error: errorIn(failure), delay, retriesLeft }];
    }
    case 'canceled':
      return [{ type: 'canceled', ...about, reason: outcome.reason }];
    case 'stopped':
      return [{ type: 'canceled', ...about, reason: stoppedByCommand }];
    case 'snoozed':
    case 'sorted':
    case 'released':
      return [];
  }
}

// Why a running job was canceled, as events and observers are told.
export const stoppedByCommand = 'stopped by command';
export const canceledWhileItRan = 'canceled while it ran';
export const deletedWhileItRan = 'deleted while it ran';

/** Characters of JSON: longer results are not sent to everybody who listens. */
const LONGEST_RESULT = 64 * 1024;

function resultIn(text: string | undefined): unknown {
  if (text === undefined) return null;
  return text.length > LONGEST_RESULT ? undefined : JSON.parse(text);
}

function errorIn({ name, message }: FailureRecord): { name: string; message: string } {
  return { name, message };
}
