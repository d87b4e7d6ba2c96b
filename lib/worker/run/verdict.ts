import {
  type FailureRecord,
  type RetryDecision,
  type StoredRetry,
  UnserializableResultError,
  type Verdict,
  decideRetry,
  decideReturnedRetry,
  describeFailure,
  isCancelJob,
  isReturnedRetry,
  isSnoozeJob,
  repeatIntervalFor,
} from '../../job/index.js';
import { type ClaimedJob, assertSize, jsonOf } from '../../wire/index.js';
import type { RegisteredHandler } from './handler-registry.js';
import type { RunningJob } from './running-job.js';

/**
 * From what a handler returned or threw to the outcome that Redis shall write down. Pure decisions: clock and
 * randomness come in, nothing is changed. Never throws.
 */

export interface DecisionContext {
  readonly claimed: ClaimedJob;
  readonly job: RunningJob;
  readonly handler: RegisteredHandler;
  /** Redis's clock, milliseconds since the epoch. */
  readonly now: number;
  readonly random: () => number;
  readonly maxPayloadBytes: number;
}

/** The handler returned. */
export function decideReturned(value: unknown, context: DecisionContext): Verdict {
  const { repeat } = context.claimed;
  const repeats = repeat !== undefined && repeat.times > 0;
  if (!repeats && (value === undefined || value === null)) return FINISHED_EMPTY;
  if (isReturnedRetry(value)) {
    const { returnedRetries } = context.claimed;
    const decision = decideReturnedRetry({
      retry: value,
      done: returnedRetries,
      random: context.random,
    });
    const failure = {
      name: 'Retry',
      message: 'the handler returned Retry',
      stack: 'The handler returned Retry.',
    };
    const retriesLeft = value.max - returnedRetries - 1;
    return retryingOrFailed(decision, failure, {
      error: value,
      retriesLeft,
      returned: true,
      policy: undefined,
      most: context.handler.mostRetrying,
    });
  }
  try {
    const { id } = context.claimed;
    let result: string | undefined;
    if (value !== undefined && value !== null) {
      result = resultText(value, id);
      assertSize(result, `result of job "${id}"`, context.maxPayloadBytes);
    }
    if (!repeats) return { outcome: { type: 'finished', result } };
    const delay = repeatIntervalFor(repeat.intervals, repeat.times) * 1000;
    return { outcome: { type: 'repeating', result, delay, repeatsLeft: repeat.times } };
  } catch (error) {
    return decideThrown(error, context);
  }
}

/** The handler threw, or the attempt failed otherwise. */
export function decideThrown(error: unknown, context: DecisionContext): Verdict {
  if (isSnoozeJob(error)) {
    const { delay, scope = 'job' } = error;
    const outcome = { type: 'snoozed', delay, scope, name: context.job.name } as const;
    return { outcome: scope === 'job' ? { type: 'snoozed', delay } : outcome };
  }
  if (isCancelJob(error))
    return { outcome: { type: 'canceled', reason: describeFailure(error).message } };
  const { claimed, handler, job } = context;
  const takesHandlers = handler.retry !== undefined && !claimed.retryDecided;
  const policy = takesHandlers ? handler.retry || undefined : claimed.retry;
  const decision = decideRetry<RunningJob>({
    error,
    policy,
    retriesLeft: policy?.max,
    filter: handler.retryFilter,
    job,
    firstEnqueuedAt: claimed.retriesSince,
    now: context.now,
    random: context.random,
  });
  return retryingOrFailed(decision, describeFailure(error), {
    error,
    retriesLeft: (policy?.max ?? 1) - 1,
    returned: false,
    policy: takesHandlers ? policy : undefined,
    most: handler.mostRetrying,
  });
}

/** No retry, whatever the policy says: the job can never run here, or another run could not help it. */
export function decideNonRetryable(error: unknown, why = 'it cannot be run'): Verdict {
  return { outcome: { type: 'failed', failure: describeFailure(error) }, error, why };
}

/** @throws UnserializableResultError when the value is no JSON, for whatever reason */
function resultText(value: unknown, jobId: string): string {
  let text: string | undefined;
  try {
    text = jsonOf(value);
  } catch (cause) {
    throw new UnserializableResultError({ jobId, cause });
  }
  if (text === undefined) throw new UnserializableResultError({ jobId });
  return text;
}

const FINISHED_EMPTY: Verdict = { outcome: { type: 'finished', result: undefined } };

function retryingOrFailed(
  decision: RetryDecision,
  failure: FailureRecord,
  details: {
    error: unknown;
    retriesLeft: number;
    returned: boolean;
    policy: StoredRetry | undefined;
    most: number | undefined;
  },
): Verdict {
  const { error, retriesLeft, returned, policy, most } = details;
  if (!decision.retry) {
    const { why, exhausted } = decision;
    return { outcome: { type: 'failed', failure }, error, why, exhausted };
  }
  const { delay, front } = decision;
  return {
    outcome: { type: 'retrying', failure, delay, front, policy, returned, most },
    error,
    retriesLeft,
  };
}
