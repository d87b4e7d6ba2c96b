import { isObservable, lastValueFrom } from 'rxjs';
import type { RunningJob } from '../worker/index.js';

/**
 * A handler may report as it goes: an async generator runs to its end, and its last value is the result,
 * as the last value of an Observable is. Nest itself waits for a handler's Observable, but not for a filter's.
 */
export async function lastValueOf(result: unknown, job: RunningJob): Promise<unknown> {
  const returned = await result;
  const settled: unknown = isObservable(returned) ? await lastValueFrom(returned) : returned;
  if (!isAsyncIterable(settled)) return settled;
  let last: unknown;
  for await (const value of settled) {
    // Leaving the loop closes the generator, so that a job that was given up does not go on by itself.
    job.signal.throwIfAborted();
    last = value;
  }
  return last;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
