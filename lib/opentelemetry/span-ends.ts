import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { CancelJob, type ProcessedBatch, RetryJob, SnoozeJob } from '../index.js';
import { FAILED, OUTCOME, errorTypeOf } from './attributes.js';

/** What a handler wants to become of its job, where that is no failure. */
export function plannedOutcome(error: unknown): string | undefined {
  if (error instanceof SnoozeJob) return 'snoozed';
  if (error instanceof CancelJob) return 'canceled';
  return error instanceof RetryJob ? 'retrying' : undefined;
}

/** Says in the span that it failed. Gives the type of the error. */
export function failed(span: Span, error: unknown): string {
  const type = errorTypeOf(error);
  span.setAttribute('error.type', type);
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
  return type;
}

/**
 * Says in the span of a batch what became of its jobs: `failed`, and how many, when any of them has failed.
 *
 * @param thrown by the handler: this fails those that it had not decided about
 * @returns how many failed by which type of error; undefined: did not fail
 */
export function endOfBatch(
  span: Span,
  { jobs, decided }: ProcessedBatch,
  thrown: { readonly error: unknown } | undefined,
): ReadonlyMap<string | undefined, number> {
  const decisions = decided();
  const types = new Map<string | undefined, number>();
  const told = new Set<unknown>();
  let outcome = 'finished';
  for (const { id } of jobs) {
    const failure = decisions.has(id) ? decisions.get(id) : thrown;
    const planned = failure ? plannedOutcome(failure.error) : 'finished';
    let type: string | undefined;
    if (failure && planned === undefined) {
      type = errorTypeOf(failure.error);
      if (told.size < MOST_EXCEPTIONS && !told.has(failure.error)) failed(span, failure.error);
      told.add(failure.error);
    } else if (planned !== undefined && outcome === 'finished') outcome = planned;
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  const failures = jobs.length - (types.get(undefined) ?? 0);
  span.setAttribute(OUTCOME, failures > 0 ? 'failed' : outcome);
  if (failures > 0) span.setAttribute(FAILED, failures);
  return types;
}

/** Told in one span; the number of failed jobs says how many there are. */
const MOST_EXCEPTIONS = 10;
