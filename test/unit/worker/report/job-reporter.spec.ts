import { jest } from '@jest/globals';
import { ClaimedJob } from '../../../../lib/wire/index.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import type { Settlement } from '../../../../lib/worker/report/settlement.js';
import type { Verdict } from '../../../../lib/job/index.js';
import type { WorkerObserver } from '../../../../lib/worker/index.js';

const FAILURE = { name: 'Error', message: 'boom', stack: 'Error: boom' };

function settled(verdict: Verdict, parts: Partial<Settlement> = {}): Settlement {
  const job = ClaimedJob.unread('images', 'id1', 'e1');
  const { outcome } = verdict;
  return { job, name: 'resize', verdict, outcome, startedAt: 1000, endedAt: 1250, ...parts };
}

function reporter() {
  const told: [string, object][] = [];
  const observer: WorkerObserver = {};
  for (const name of [
    'jobFinished',
    'jobRetrying',
    'jobFailed',
    'jobReleased',
    'jobSnoozed',
    'jobCanceled',
    'jobLost',
    'problem',
    'problemSolved',
  ] as const) {
    observer[name] = (event: object) => told.push([name, event]);
  }
  return { reporter: new JobReporter(observer), told };
}

const BASE = { queue: 'images', name: 'resize', jobId: 'id1', attempt: 1 };

describe('what an observer hears of a settled job', () => {
  it.each<[Verdict, Partial<Settlement>, string, object]>([
    [{ outcome: { type: 'finished', result: '1' } }, {}, 'jobFinished', { duration: 250 }],
    [
      { outcome: { type: 'failed', failure: FAILURE }, error: 'x', why: 'no more' },
      {},
      'jobFailed',
      { failure: FAILURE, error: 'x', why: 'no more', duration: 250 },
    ],
    [
      {
        outcome: {
          type: 'retrying',
          failure: FAILURE,
          delay: 5000,
          front: false,
          policy: undefined,
          returned: false,
        },
        error: 'x',
        retriesLeft: 2,
      },
      {},
      'jobRetrying',
      { failure: FAILURE, error: 'x', delay: 5000, retriesLeft: 2, duration: 250 },
    ],
    [{ outcome: { type: 'snoozed', delay: 9 } }, {}, 'jobSnoozed', { reason: 'snoozed', delay: 9 }],
    [
      { outcome: { type: 'snoozed', delay: 9 } },
      { reason: 'unknown job' },
      'jobSnoozed',
      { reason: 'unknown job', delay: 9 },
    ],
    [{ outcome: { type: 'released' } }, {}, 'jobReleased', { reason: 'shutdown' }],
    [{ outcome: { type: 'canceled', reason: 'why' } }, {}, 'jobCanceled', { reason: 'why' }],
    [
      { outcome: { type: 'stopped', failure: FAILURE } },
      {},
      'jobCanceled',
      { reason: 'stopped by command' },
    ],
  ])('%j', (verdict, parts, name, event) => {
    const { reporter: one, told } = reporter();
    one.settled(settled(verdict, parts));
    expect(told).toEqual([[name, { ...BASE, ...event }]]);
  });

  it.each([
    ['canceled', 'jobCanceled'],
    ['missing', 'jobCanceled'],
    ['started', 'jobLost'],
    ['finished', 'jobLost'],
  ])('its outcome was refused since it is %s: %s', (status, name) => {
    const { reporter: one, told } = reporter();
    one.refused(settled({ outcome: { type: 'finished', result: undefined } }), status);
    expect(told).toEqual([[name, expect.objectContaining(BASE)]]);
  });

  it('is nothing when it does not listen; an observer that throws does no harm', () => {
    const verdict = { outcome: { type: 'finished', result: '1' } } as const;
    expect(() => new JobReporter({}).settled(settled(verdict))).not.toThrow();
    const throwing = new JobReporter({
      jobFinished() {
        throw new Error('observer');
      },
    });
    expect(() => throwing.settled(settled(verdict))).not.toThrow();
    expect(throwing.takeCounts()).toEqual({ finished: 1, failed: 0, seconds: 0.25 });
  });
});

describe('counts', () => {
  it('are of finished jobs, failed attempts and working time since the last call', () => {
    const { reporter: one } = reporter();
    const retry = {
      type: 'retrying',
      failure: FAILURE,
      delay: 0,
      front: false,
      policy: undefined,
      returned: false,
    } as const;
    one.settled(settled({ outcome: { type: 'finished', result: '1' } }));
    one.settled(settled({ outcome: retry }));
    one.settled(settled({ outcome: { type: 'failed', failure: FAILURE } }));

    expect(one.takeCounts()).toEqual({ finished: 1, failed: 2, seconds: 0.75 });
    expect(one.takeCounts()).toEqual({ finished: 0, failed: 0, seconds: 0 });
  });
});

describe('a problem', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is told once, again after a while, and its end only if it was told', () => {
    const { reporter: one, told } = reporter();
    const messages = () => told.map(([name, event]) => `${name} ${(event as Error).message}`);

    one.problemSolved('Redis is away', 'Redis is back');
    expect(told).toEqual([]);

    for (let second = 0; second < 100; second += 1) {
      one.problem('Redis is away', new Error('ECONNREFUSED'));
      jest.advanceTimersByTime(1000);
    }
    expect(messages().length).toBeGreaterThanOrEqual(2);
    expect(messages().length).toBeLessThanOrEqual(5);
    expect(new Set(messages())).toEqual(new Set(['problem Redis is away']));

    told.length = 0;
    one.problemSolved('Redis is away', 'Redis is back');
    one.problemSolved('Redis is away', 'Redis is back');
    expect(messages()).toEqual(['problemSolved Redis is back']);

    one.problem('Redis is away');
    expect(messages().at(-1)).toBe('problem Redis is away');
  });

  it('does not hide another one', () => {
    const { reporter: one, told } = reporter();
    one.problem('first');
    one.problem('second');
    expect(told).toHaveLength(2);
  });
});
