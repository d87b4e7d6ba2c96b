import type { ExchangeReply } from '../../../../lib/store/index.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { ClaimBudget } from '../../../../lib/worker/serve/claim-budget.js';
import { ReplyHandler } from '../../../../lib/worker/serve/reply-handler.js';
import { claimedJob } from '../../support/claimed-job.js';
import { EMPTY } from './support/consumer-scene.js';

function scene() {
  const told: string[] = [];
  const asked: number[] = [];
  const settled = { outcomes: [], call: undefined };
  const budget = new ClaimBudget(10);
  const handler = new ReplyHandler(
    'q',
    new JobReporter({
      jobDropped: ({ jobId, reason }) => told.push(`dropped ${jobId}: ${reason}`),
      problem: ({ message, error }) => told.push(`${message}: ${(error as Error).message}`),
      problemSolved: ({ message }) => told.push(message),
    }),
    { conclude: (_, refused) => told.push(`concluded, ${refused.length} refused`) },
    budget,
    { receive: (jobs, reserved) => told.push(`received ${jobs.length} for ${reserved}`) },
    { askIn: (milliseconds) => asked.push(milliseconds), wakeIn: () => undefined },
  );
  const handle = (parts: Partial<ExchangeReply>, reserved = 3, prefetch = 0) =>
    handler.handle({ settled, woken: [], reserved, prefetch }, { ...EMPTY, ...parts });
  return { told, asked, budget, handle };
}

describe('the reply to an exchange', () => {
  it('concludes the outcomes first, then starts the jobs in the slots that were reserved', () => {
    const { told, handle } = scene();
    handle({ refused: [{ index: 0, status: 'missing' }], claimed: [claimedJob({})] });
    expect(told).toEqual(['concluded, 1 refused', 'received 1 for 3']);
  });

  it('tells of dropped jobs, which count as brought', () => {
    const { told, budget, handle } = scene();
    handle({ dropped: [{ id: 'a', reason: 'no hash' }], claimed: [claimedJob({})] }, 2);
    expect(told).toContain('dropped a: no hash');
    expect(budget.mayHoldJobs).toBe(true);
  });

  it('asks again when the next scheduled job is due', () => {
    const { asked, handle } = scene();
    handle({ nextDue: 70 });
    expect(asked).toEqual([70]);
  });

  it('asks a paused queue again after a second, or earlier when a job is due', () => {
    const { asked, budget, handle } = scene();
    handle({ paused: true, nextDue: 70 });
    expect(asked).toEqual([70, 1000]);
    expect(budget.isPaused).toBe(true);
  });

  it('tells once that nothing can be claimed, and once that it can be again', () => {
    const { told, asked, handle } = scene();
    for (let round = 0; round < 3; round += 1) handle({ failure: 'OOM no memory' }, 0);
    handle({}, 0);
    handle({}, 0);
    expect(told.filter((line) => line.startsWith('jobs of'))).toEqual([
      'jobs of queue "q" cannot be claimed: OOM no memory',
      'jobs of queue "q" are claimed again',
    ]);
    expect(asked).toEqual([1000, 1000, 1000]);
  });
});
