import { PrefetchLimit } from '../../../../lib/worker/serve/prefetch-limit.js';

/** A measured network and measured jobs, in milliseconds each. */
function measured(setting: 'auto' | number, times: { trip: number; job: number }, slots = 10) {
  const prefetch = new PrefetchLimit(setting, slots);
  for (let round = 0; round < 200; round += 1) {
    prefetch.exchanged(times.trip);
    prefetch.ran(times.job);
  }
  return prefetch;
}

describe('prefetch', () => {
  it('waits until it knows how long jobs take', () => {
    expect(new PrefetchLimit('auto', 10).limit).toBe(0);
  });

  it('covers the way to Redis and back when jobs are shorter than it', () => {
    // 10 slots empty themselves twice in a round trip.
    expect(measured('auto', { trip: 4, job: 2 }).limit).toBeCloseTo(20, -1);
  });

  it.each([
    { trip: 1, job: 1.1 },
    { trip: 1, job: 50 },
    { trip: 40, job: 60_000 },
  ])('never takes long jobs, which another worker might start at once: %j', (times) => {
    expect(measured('auto', times).limit).toBe(0);
  });

  it('stops at the first long job, and wins back its trust slowly', () => {
    const prefetch = measured('auto', { trip: 2, job: 0.1 });
    expect(prefetch.limit).toBeGreaterThan(0);

    prefetch.ran(500);
    expect(prefetch.limit).toBe(0);
    prefetch.ran(0.1);
    expect(prefetch.limit).toBe(0);

    for (let round = 0; round < 100; round += 1) prefetch.ran(0.1);
    expect(prefetch.limit).toBeGreaterThan(0);
  });

  it.each([1, 10, 100, 100_000])('is limited, with %d slots', (slots) => {
    const { limit } = measured('auto', { trip: 1000, job: 0 }, slots);
    expect(limit).toBeGreaterThan(0);
    expect(limit).toBeLessThanOrEqual(500);
  });

  it('does as it is told when a number is given', () => {
    expect(measured(7, { trip: 1, job: 5000 }).limit).toBe(7);
    expect(measured(0, { trip: 100, job: 1 }).limit).toBe(0);
  });
});
