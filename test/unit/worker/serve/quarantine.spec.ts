import type { ClaimedJob } from '../../../../lib/wire/index.js';
import { Quarantine } from '../../../../lib/worker/serve/quarantine.js';
import { claimedJob } from '../../support/claimed-job.js';

describe('of the jobs that were there whenever workers died, a claim', () => {
  const held = new Set<ClaimedJob>();
  const suspects = (maxCrashes = 3) => new Quarantine(maxCrashes, (job) => held.has(job));
  const crashed = (crashes: number) => claimedJob({ data: '', nrq_crashes: `${crashes}` });

  beforeEach(() => held.clear());

  it('may bring one, unless another claim may, that is under way', () => {
    const one = suspects();
    expect(one.ask()).toEqual({ from: 2, takes: true, delay: 10 });
    expect(one.ask().takes).toBe(false);
    one.answered([crashed(0)]);
    expect(one.ask().takes).toBe(true);
  });

  it('may bring none while the last one runs or waits, and one again when that is over', () => {
    const one = suspects();
    const suspect = crashed(2);
    one.ask();
    held.add(suspect);
    one.answered([crashed(1), suspect]);
    expect(one.ask().takes).toBe(false);
    held.delete(suspect);
    expect(one.ask().takes).toBe(true);
  });

  it('may bring one after a claim that failed', () => {
    const one = suspects();
    one.ask();
    one.answered([]);
    expect(one.ask().takes).toBe(true);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [10, 9],
  ])('that the next crash would make poison: with %d allowed, from %d on', (maxCrashes, from) => {
    expect(suspects(maxCrashes).ask().from).toBe(from);
  });
});
