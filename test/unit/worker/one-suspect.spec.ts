import type { ClaimedJob } from '../../../lib/store/index.js';
import { OneSuspect } from '../../../lib/worker/one-suspect.js';
import { claimedJob } from '../support/claimed-job.js';

describe('of the jobs that were there when a worker died, a claim', () => {
  const held = new Set<ClaimedJob>();
  const suspects = () => new OneSuspect((job) => held.has(job));
  const harmless = claimedJob({ data: '' }, 'harmless');
  const suspect = claimedJob({ data: '', nrq_crashes: '1' }, 'suspect');

  beforeEach(() => held.clear());

  it('may bring one, unless another claim may, that is under way', () => {
    const one = suspects();
    expect(one.ask()).toBe(true);
    expect(one.ask()).toBe(false);
    one.answered([harmless]);
    expect(one.ask()).toBe(true);
  });

  it('may bring none while the last one runs or waits, and one again when that is over', () => {
    const one = suspects();
    one.ask();
    held.add(suspect);
    one.answered([harmless, suspect]);
    expect(one.ask()).toBe(false);
    held.delete(suspect);
    expect(one.ask()).toBe(true);
  });

  it('may bring one after a claim that failed', () => {
    const one = suspects();
    one.ask();
    one.answered([]);
    expect(one.ask()).toBe(true);
  });
});
