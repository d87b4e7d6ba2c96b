import {
  OUTCOME_CODES,
  RUN_SUM,
  RUN_TIMES,
  placeOfDuration,
} from '../../../../lib/wire/figures.js';
import { ClaimedJob } from '../../../../lib/wire/index.js';
import { JobCounts } from '../../../../lib/worker/report/job-counts.js';
import type { Settlement } from '../../../../lib/worker/report/settlement.js';

const counts = () => new JobCounts((_queue, name) => name.startsWith('known'));

function settlement(name: string, parts: Partial<Settlement> = {}): Settlement {
  const outcome = { type: 'finished', result: undefined } as const;
  const job = ClaimedJob.unread('mail', 'id', 'e');
  return { job, name, verdict: { outcome }, outcome, startedAt: 1000, endedAt: 1250, ...parts };
}

const figuresOf = (taken: ReturnType<JobCounts['take']>, name: string) => {
  const { figures = [] } = taken.find((one) => one.name === name) ?? {};
  return Object.fromEntries(
    figures.flatMap((code, at) => (at % 2 === 0 ? [[code, figures[at + 1]]] : [])),
  ) as Record<number, number>;
};

describe('what a worker counts', () => {
  it('is outcomes and durations per queue and name, and is handed over once', () => {
    const one = counts();
    one.settled(settlement('known'));
    one.settled(settlement('known'));
    one.refused('mail', 'known', 'lost');
    const taken = one.take(10);
    expect(taken.map(({ queue, name }) => [queue, name])).toEqual([['mail', 'known']]);
    expect(figuresOf(taken, 'known')).toEqual({
      [OUTCOME_CODES.finished]: 2,
      [OUTCOME_CODES.lost]: 1,
      [RUN_SUM]: 500,
      [RUN_TIMES + placeOfDuration(250)]: 2,
    });
    expect(one.take(10)).toEqual([]);
  });

  it('has one place for all names without a handler', () => {
    const one = counts();
    for (let number = 0; number < 100; number += 1) one.settled(settlement(`stranger${number}`));
    expect(figuresOf(one.take(10), '')[OUTCOME_CODES.finished]).toBe(100);
  });

  it('has no durations of what did not run, and nothing of what was only prefetched', () => {
    const one = counts();
    const outcome = { type: 'snoozed', delay: 5 } as const;
    one.settled(settlement('known', { outcome, reason: 'unknown job' }));
    one.settled(settlement('known2', { outcome: { type: 'released' }, reason: 'prefetched' }));
    const taken = one.take(10);
    expect(figuresOf(taken, 'known')).toEqual({ [OUTCOME_CODES.snoozed]: 1 });
    expect(taken).toHaveLength(1);
  });

  it('travels in parts, and again when it has not arrived', () => {
    const one = counts();
    one.settled(settlement('known1'));
    one.settled(settlement('known2'));
    const first = one.take(1);
    one.putBack(first);
    const rest = [...one.take(1), ...one.take(1)];
    expect(rest.map(({ name }) => name).toSorted()).toEqual(['known1', 'known2']);
    expect(rest.map(({ name }) => figuresOf(rest, name)[OUTCOME_CODES.finished])).toEqual([1, 1]);
  });
});
