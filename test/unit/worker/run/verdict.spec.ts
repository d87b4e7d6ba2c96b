import {
  CancelJob,
  FailJob,
  handlerRetry,
  type HandlerRetryOptions,
  Retry,
  RetryJob,
  SnoozeJob,
} from '../../../../lib/job/index.js';
import type { ClaimedJob } from '../../../../lib/wire/index.js';
import type { RegisteredHandler } from '../../../../lib/worker/run/handler-registry.js';
import {
  type DecisionContext,
  decideNonRetryable,
  decideReturned,
  decideThrown,
} from '../../../../lib/worker/run/verdict.js';
import type { RunningJob } from '../../../../lib/worker/index.js';

const NOW = 1_000_000;

/** A job with RQ's stored policy of so many retries left, 10 seconds apart. */
function stored(max: number, isDecided = true): Partial<ClaimedJob> {
  const retry = { max, intervals: [10], jitter: 0, within: undefined, front: false };
  return { retry, retryDecided: isDecided };
}

function context(given: {
  claimed?: Partial<ClaimedJob>;
  handler?: HandlerRetryOptions<RunningJob> | false;
  maxPayloadBytes?: number;
}): DecisionContext {
  const { claimed, handler, maxPayloadBytes = 1000 } = given;
  const retry = handler === undefined ? undefined : handlerRetry<RunningJob>(handler);
  return {
    claimed: {
      id: 'id1',
      retry: undefined,
      retryDecided: false,
      returnedRetries: 0,
      createdAt: NOW,
      ...claimed,
    } as ClaimedJob,
    job: { id: 'id1' } as RunningJob,
    handler: { retry: retry?.policy, retryFilter: retry?.filter } as RegisteredHandler,
    now: NOW,
    random: () => 0.5,
    maxPayloadBytes,
  };
}

const NONE = context({});

describe('what a handler returns', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    [0, '0'],
    ['', '""'],
    [false, 'false'],
    [{ a: [1] }, '{"a":[1]}'],
    [NaN, 'null'],
  ])('%j is its result', (value, result) => {
    expect(decideReturned(value, NONE)).toEqual({ outcome: { type: 'finished', result } });
  });

  it('fails the attempt when it is no JSON, and spends a retry', () => {
    const { outcome, error } = decideReturned(1n, context({ claimed: stored(2) }));
    expect(outcome).toMatchObject({ type: 'retrying', delay: 10_000 });
    expect(error).toMatchObject({ code: 'RQ_UNSERIALIZABLE_RESULT', jobId: 'id1' });
  });

  it.each([new Map([[1, 2]]), new Set([1])])(
    'fails the attempt when JSON loses it: %p',
    (value) => {
      const { error } = decideReturned(value, NONE);
      expect(error).toMatchObject({ code: 'RQ_UNSERIALIZABLE_RESULT' });
      expect(error).toMatchObject({ message: expect.stringContaining('JSON would make {}') });
    },
  );

  it('fails the attempt when it is too large', () => {
    const { error, outcome } = decideReturned('x'.repeat(99), context({ maxPayloadBytes: 101 }));
    expect([error, outcome.type]).toEqual([undefined, 'finished']);
    expect(decideReturned('x'.repeat(99), context({ maxPayloadBytes: 100 }))).toMatchObject({
      outcome: { type: 'failed' },
      error: { code: 'RQ_PAYLOAD_TOO_LARGE' },
    });
  });

  it('may be Retry(...), which has a counter of its own', () => {
    const retry = Retry({ max: 2, interval: [1, 5] });
    const after = (returnedRetries: number) =>
      decideReturned(retry, context({ claimed: { ...stored(7), returnedRetries } }));

    expect(after(0)).toMatchObject({
      outcome: { type: 'retrying', delay: 1000, returned: true, policy: undefined, front: false },
      retriesLeft: 1,
    });
    expect(after(1)).toMatchObject({ outcome: { delay: 5000 }, retriesLeft: 0 });
    expect(after(2)).toMatchObject({
      outcome: { type: 'failed' },
      why: expect.stringMatching(/no retries are left|all 2 retries are used/) as string,
    });
  });
});

describe('what a handler throws', () => {
  it('fails the job when there is no policy', () => {
    expect(decideThrown(new TypeError('x'), NONE)).toMatchObject({
      outcome: { type: 'failed', failure: { name: 'TypeError', message: 'x' } },
      why: 'it has no retry policy',
    });
  });

  it('is not retried when its handler says `retry: false`, unless who enqueued it decided', () => {
    const off = (isDecided: boolean) => context({ claimed: stored(2, isDecided), handler: false });
    expect(decideThrown(new Error('x'), off(false)).outcome.type).toBe('failed');
    expect(decideThrown(new Error('x'), off(true)).outcome.type).toBe('retrying');
  });

  it('is not retried when who enqueued it said `retry: false`, whatever its handler says', () => {
    const claimed = { retry: undefined, retryDecided: true };
    const decided = context({ claimed, handler: { max: 3, interval: 1 } });
    expect(decideThrown(new Error('x'), decided).outcome.type).toBe('failed');
  });

  it("takes the job's own policy before its handler's", () => {
    const decided = context({ claimed: stored(2), handler: { max: 9, interval: 1 } });
    expect(decideThrown(new Error('x'), decided)).toMatchObject({
      outcome: { type: 'retrying', delay: 10_000, policy: undefined },
      retriesLeft: 1,
    });
  });

  it("takes the handler's before a default's, and has it stored", () => {
    for (const claimed of [{}, stored(2, false)]) {
      const decision = decideThrown(
        new Error('x'),
        context({ claimed, handler: { max: 9, interval: 1, front: true } }),
      );
      expect(decision).toMatchObject({
        outcome: { type: 'retrying', delay: 1000, front: true, policy: { max: 9, intervals: [1] } },
        retriesLeft: 8,
      });
    }
  });

  it('may be no error at all', () => {
    expect(decideThrown(new SnoozeJob({ for: 30 }), NONE)).toEqual({
      outcome: { type: 'snoozed', delay: 30_000 },
    });
    expect(decideThrown(new CancelJob('not needed'), NONE)).toEqual({
      outcome: { type: 'canceled', reason: 'not needed' },
    });
  });

  it('may ask for a retry, within the count, or for none', () => {
    const asked = new RetryJob({ in: 3, front: true });
    expect(decideThrown(asked, context({ claimed: stored(1) }))).toMatchObject({
      outcome: { type: 'retrying', delay: 3000, front: true },
      retriesLeft: 0,
    });
    expect(decideThrown(asked, context({ claimed: stored(0) })).outcome.type).toBe('failed');
    expect(decideThrown(new FailJob('gone'), context({ claimed: stored(5) }))).toMatchObject({
      outcome: { type: 'failed', failure: { message: 'gone' } },
      why: 'the handler threw FailJob',
    });
  });

  it("is judged by the handler's filter also under the job's own policy", () => {
    const handler = { except: [TypeError] };
    const judged = context({ claimed: stored(5), handler });
    expect(decideThrown(new TypeError('x'), judged)).toMatchObject({
      outcome: { type: 'failed' },
      why: 'retry.except names TypeError',
    });
    expect(decideThrown(new RangeError('x'), judged).outcome.type).toBe('retrying');
    expect(decideThrown(new RetryJob(), judged).outcome.type).toBe('retrying');
  });

  it('is shown to `when` with the running job', () => {
    const seen: unknown[] = [];
    const when = (error: unknown, job: RunningJob) => seen.push(error, job.id) > 0;
    const error = new Error('x');
    const { outcome } = decideThrown(error, context({ handler: { max: 1, when } }));
    expect(outcome.type).toBe('retrying');
    expect(seen).toEqual([error, 'id1']);
  });

  it.each([undefined, null, 'text', 1n, Object.freeze({ a: 1 }), Object.create(null)])(
    'is described whatever it is',
    (thrown) => {
      const { outcome } = decideThrown(thrown, NONE);
      expect(outcome).toMatchObject({
        type: 'failed',
        failure: { message: expect.stringMatching(/./) as string },
      });
    },
  );
});

describe('a job that can never run here', () => {
  it('fails, whatever retries it has', () => {
    expect(decideNonRetryable(new Error('a pickle'))).toMatchObject({
      outcome: { type: 'failed', failure: { message: 'a pickle' } },
      why: 'it cannot be run',
    });
  });
});
