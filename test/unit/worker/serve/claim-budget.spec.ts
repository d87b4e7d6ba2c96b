import { ClaimBudget } from '../../../../lib/worker/serve/claim-budget.js';

const REPLY = { paused: false, more: false, failure: undefined };
const claim = (reserved: number, prefetch = 0) => ({ reserved, prefetch });

describe('whether to claim', () => {
  it('is asked of Redis as long as the queue may hold jobs', () => {
    const budget = new ClaimBudget(10);
    expect(budget.mayClaim(false)).toBe(true);
    budget.answered(claim(5), 4, REPLY);
    expect(budget.mayClaim(false)).toBe(false);
  });

  it('is not said by an exchange that asked for nothing', () => {
    const budget = new ClaimBudget(10);
    budget.answered(claim(0), 0, REPLY);
    expect(budget.mayHoldJobs).toBe(true);
    budget.mayHoldJobs = false;
    budget.answered(claim(0), 0, { ...REPLY, more: true });
    expect(budget.mayHoldJobs).toBe(false);
  });

  it.each([
    ['brought as many as were asked for', 5, REPLY, true],
    ['brought fewer', 4, REPLY, false],
    ['brought fewer, since they are long', 4, { ...REPLY, more: true }, true],
    ['brought none', 0, REPLY, false],
  ])('is known from a claim that %s', (_, brought, reply, mayHoldJobs) => {
    const budget = new ClaimBudget(10);
    budget.mayHoldJobs = !mayHoldJobs;
    budget.answered(claim(3, 2), brought, reply);
    expect(budget.mayHoldJobs).toBe(mayHoldJobs);
  });

  it('is worth a try at an empty queue when the exchange takes place anyway', () => {
    const budget = new ClaimBudget(10);
    budget.mayHoldJobs = false;
    expect([budget.mayClaim(false), budget.mayClaim(true)]).toEqual([false, true]);
  });

  it.each([
    ['paused', { ...REPLY, paused: true }],
    ['refusing writes', { ...REPLY, failure: 'OOM command not allowed' }],
  ])('is no question while the queue is %s, until Redis says otherwise', (_, reply) => {
    const budget = new ClaimBudget(10);
    budget.answered(claim(5), 0, reply);
    budget.mayHoldJobs = true;
    expect([budget.isPaused, budget.mayClaim(false), budget.mayClaim(true)]).toEqual([
      true,
      false,
      false,
    ]);
    budget.answered(claim(0), 0, REPLY);
    expect([budget.isPaused, budget.mayClaim(false)]).toEqual([false, true]);
  });
});

describe('how many slots to reserve', () => {
  it.each([
    { concurrency: 10, free: 10, expected: 5 },
    { concurrency: 10, free: 3, expected: 3 },
    { concurrency: 1, free: 1, expected: 1 },
    { concurrency: 3, free: 3, expected: 2 },
    { concurrency: 10, free: 0, expected: 0 },
    { concurrency: 5000, free: 5000, expected: 200 },
  ])('half at most, and no more than are free: %j', ({ concurrency, free, expected }) => {
    expect(new ClaimBudget(concurrency).slotsToReserve(free, false)).toBe(expected);
  });

  it.each([
    { concurrency: 1, free: 1, expected: 0 },
    { concurrency: 10, free: 10, expected: 5 },
    { concurrency: 10, free: 2, expected: 1 },
    { concurrency: 10, free: 0, expected: 0 },
  ])('one is kept for the job that a blocking read may bring: %j', (row) => {
    expect(new ClaimBudget(row.concurrency).slotsToReserve(row.free, true)).toBe(row.expected);
  });
});

describe('how many jobs to prefetch', () => {
  it('as many as the limit leaves after those that wait here and those that are asked for', () => {
    const budget = new ClaimBudget(10);
    expect(budget.prefetchCount(7, 0, 5)).toBe(7);
    expect(budget.prefetchCount(7, 3, 5)).toBe(4);
    budget.sent(claim(5, 4));
    expect(budget.prefetchCount(7, 0, 5)).toBe(3);
    expect(budget.prefetchCount(7, 5, 5)).toBe(0);
    budget.returned(claim(5, 4));
    expect(budget.prefetchCount(7, 0, 5)).toBe(7);
  });

  it('no more than 200 in one exchange, the slots included', () => {
    expect(new ClaimBudget(1000).prefetchCount(500, 0, 150)).toBe(50);
    expect(new ClaimBudget(1000).prefetchCount(500, 0, 200)).toBe(0);
  });
});

describe('whether jobs are on their way', () => {
  it.each([claim(1), claim(0, 1), claim(5, 5)])('as long as a claim is under way: %j', (sent) => {
    const budget = new ClaimBudget(10);
    budget.sent(sent);
    budget.sent(claim(0));
    expect(budget.awaitsJobs).toBe(true);
    budget.returned(sent);
    expect(budget.awaitsJobs).toBe(false);
    budget.returned(claim(0));
    expect(budget.awaitsJobs).toBe(false);
  });
});

it('a message that some jobs may start is followed by one claim for all slots', () => {
  const budget = new ClaimBudget(10);
  budget.isProbing = true;
  expect(budget.slotsToReserve(10, false)).toBe(10);
  expect(budget.slotsToReserve(10, true)).toBe(9);
  budget.sent(claim(9));
  budget.returned(claim(9));
  expect(budget.slotsToReserve(10, false)).toBe(5);
});
