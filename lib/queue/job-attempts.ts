import type { JobRecord, ResultEntry } from '../wire/index.js';

/** One run of a job that has ended. */
export interface JobAttempt {
  /** 1-based; undefined for a run that Python recorded without a number. */
  readonly attempt: number | undefined;
  readonly outcome: 'finished' | 'retrying' | 'failed' | 'stopped' | 'lost';
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** What the handler returned (`finished`). */
  readonly value?: unknown;
  /** Name and message of the error (all others). */
  readonly error?: string;
  readonly stack?: string;
  /** Milliseconds until the next attempt (`retrying`). */
  readonly delay?: number;
}

/**
 * A job's history, oldest first: the failed attempts that are on record beside the job, and how it ended. Runs of a
 * Python worker are taken from RQ's result stream, which keeps none for an attempt that was retried.
 */
export function attemptsOf(record: JobRecord, streamed: readonly ResultEntry[]): JobAttempt[] {
  const attempts: JobAttempt[] = [...record.failedAttempts].map(([attempt, failed]) => ({
    attempt,
    outcome: failed.outcome,
    startedAt: failed.startedAt === undefined ? undefined : new Date(failed.startedAt),
    endedAt: failed.endedAt === undefined ? undefined : new Date(failed.endedAt),
    error: `${failed.error}: ${failed.message}`,
    stack: failed.stack ?? (failed.outcome === 'failed' ? record.failure : undefined),
    delay: failed.delay,
  }));
  const numbered = attempts.some(({ outcome }) => outcome === 'failed' || outcome === 'stopped');
  for (const entry of streamed) {
    if (entry.type === 'failed' && numbered) continue;
    attempts.push({
      attempt: undefined,
      outcome: entry.type,
      startedAt: undefined,
      endedAt: entry.at,
      value: entry.value,
      error: entry.failure?.trimEnd().split('\n').at(-1),
      stack: entry.failure,
    });
  }
  const isStreamed = streamed.some(({ type }) => type === 'finished');
  if (record.status !== 'finished' && record.round.done > 0 && !isStreamed) {
    attempts.push({
      attempt: undefined,
      outcome: 'finished',
      startedAt: undefined,
      endedAt: undefined,
      value: record.result ?? null,
    });
  }
  if (record.status === 'finished' && !isStreamed) {
    attempts.push({
      attempt: record.attempts || undefined,
      outcome: 'finished',
      startedAt: record.startedAt,
      endedAt: record.endedAt,
      value: record.result ?? null,
    });
  }
  return attempts;
}
