import { describe, expect, it } from '@jest/globals';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { OutcomeQueue } from '../../../../lib/worker/serve/outcome-queue.js';
import { claimedJob } from '../../support/claimed-job.js';

function queueOf() {
  const told: string[] = [];
  const reporter = new JobReporter({
    jobFinished: ({ jobId }) => told.push(`finished ${jobId}`),
    jobLost: ({ jobId }) => told.push(`lost ${jobId}`),
  });
  const queue = new OutcomeQueue(reporter, () => undefined);
  const outcome = { type: 'finished', result: undefined } as const;
  const add = (id: string) =>
    queue.add({
      job: claimedJob({ data: '' }, id),
      name: 'f',
      verdict: { outcome },
      outcome,
      startedAt: 0,
      endedAt: 1,
    });
  return { queue, add, told };
}

const idsOf = ({ outcomes }: ReturnType<OutcomeQueue['removeFirst']>) =>
  outcomes.map(({ job }) => job.id);

describe('outcomes on their way to Redis', () => {
  it('are told as written, or lost, by the answer', () => {
    const { queue, add, told } = queueOf();
    add('a');
    add('b');
    queue.conclude(queue.removeFirst(10), [{ index: 1, status: 'finished' }]);
    expect(told).toEqual(['finished a', 'lost b']);
    expect(queue.isEmpty).toBe(true);
  });

  it('travel in calls of different slots while several are under way', () => {
    const { queue, add } = queueOf();
    const call = () => {
      add('a');
      return queue.removeFirst(10);
    };
    const [first, second] = [call(), call()];
    expect([first.call?.slot, second.call?.slot]).toEqual([0, 1]);
    queue.conclude(first, []);
    const third = call();
    expect(third.call?.slot).toBe(0);
    expect(third.call?.number).toBe(2);
  });

  it('are sent again in the same call, by themselves and first, when the answer was lost', () => {
    const { queue, add } = queueOf();
    add('a');
    add('b');
    const sent = queue.removeFirst(10);
    add('c');
    queue.putBack(sent, true);
    expect([...queue.jobs()].map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c']);
    const again = queue.removeFirst(10);
    expect(idsOf(again)).toEqual(['a', 'b']);
    expect(again.call).toEqual({ ...sent.call, isRepeated: true });
    expect(idsOf(queue.removeFirst(10))).toEqual(['c']);
    // Also when the repetition certainly did not arrive: the first one may have.
    queue.putBack(again, false);
    expect(queue.hasMore).toBe(true);
    expect(queue.removeFirst(10).call).toEqual(again.call);
  });

  it('are sent in a new call when they certainly did not arrive', () => {
    const { queue, add } = queueOf();
    add('a');
    queue.putBack(queue.removeFirst(10), false);
    add('b');
    const again = queue.removeFirst(10);
    expect(idsOf(again)).toEqual(['a', 'b']);
    expect(again.call).toEqual({ slot: 0, number: 1, isRepeated: false, renewsNotes: true });
  });

  it('renew the notes of their worker with the first call, not with each', () => {
    const { queue, add } = queueOf();
    const renews = [1, 2, 3].map(() => {
      add('a');
      const sent = queue.removeFirst(10);
      queue.conclude(sent, []);
      return sent.call?.renewsNotes;
    });
    expect(renews).toEqual([true, false, false]);
  });
});
