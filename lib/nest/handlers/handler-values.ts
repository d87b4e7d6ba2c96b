import { type Observable, fromEvent, isObservable, lastValueFrom, takeUntil, tap } from 'rxjs';
import type { RunningJob } from '../../worker/index.js';

/**
 * A handler may report as it goes, by an Observable or an async generator. It runs to its end, and its last value is
 * the result. Each value may be told as progress. A job that is ended from outside is not listened to any longer: its
 * Observable is unsubscribed, its generator closed.
 *
 * @param job undefined: what ran is no job (a listener), and ends by itself
 */
export function lastValueOf(
  result: unknown,
  job: RunningJob | undefined,
  reportsProgress = false,
): Promise<unknown> {
  // Most handlers give one value: they shall not pay for those that give more.
  return Promise.resolve(result).then((value) =>
    isObservable(value) || isAsyncIterable(value) ? lastOf(value, job, reportsProgress) : value,
  );
}

async function lastOf(
  values: Observable<unknown> | AsyncIterable<unknown>,
  job: RunningJob | undefined,
  reportsProgress: boolean,
): Promise<unknown> {
  let told: Promise<void> | undefined;
  const tell = (value: unknown) => {
    // A bare `yield;` only lets others run: it tells nothing.
    if (value !== undefined) told = job?.progress(value);
  };
  const report = reportsProgress ? tell : undefined;
  const value = isObservable(values) ? await lastOfObservable(values, job, report) : values;
  const last = isAsyncIterable(value) ? await lastOfIterable(value, job, report) : value;
  // The last progress is written before the job is settled: nothing of it counts afterwards.
  await told;
  return last;
}

/** What becomes of each value. */
type Report = ((value: unknown) => unknown) | undefined;

async function lastOfObservable(
  values: Observable<unknown>,
  job: RunningJob | undefined,
  report: Report,
): Promise<unknown> {
  const reported = report ? values.pipe(tap(report)) : values;
  if (!job) return lastValueFrom(reported);
  job.signal.throwIfAborted();
  return lastValueFrom(reported.pipe(takeUntil(fromEvent(job.signal, 'abort'))));
}

async function lastOfIterable(
  values: AsyncIterable<unknown>,
  job: RunningJob | undefined,
  report: Report,
): Promise<unknown> {
  let last: unknown;
  for await (const value of values) {
    // Leaving the loop closes the generator.
    job?.signal.throwIfAborted();
    report?.(value);
    last = value;
  }
  return last;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
