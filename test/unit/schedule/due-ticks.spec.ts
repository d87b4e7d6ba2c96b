import { dueTicks, gridOf, readWhen } from '../../../lib/schedule/index.js';
import { least } from '../../support/timing.js';

const MINUTE = 60_000;
const minutes = gridOf(readWhen({ every: '1m' }, 'when', undefined));
const T0 = Date.UTC(2026, 10, 27, 9);

describe('a tick that is due', () => {
  it.each(['once', 'skip', 'all'] as const)(
    'is one job in time, and the next waits (%s)',
    (rule) => {
      expect(dueTicks(minutes, T0, T0 + 3, rule)).toEqual([
        { due: T0, at: T0, next: T0 + MINUTE, missed: 0 },
      ]);
    },
  );

  it('need not be on the grid', () => {
    expect(dueTicks(minutes, T0 + 17, T0 + 20, 'once')).toEqual([
      { due: T0 + 17, at: T0 + 17, next: T0 + MINUTE, missed: 0 },
    ]);
  });
});

describe('ticks at whose time nobody was there', () => {
  const late = T0 + 4 * MINUTE + 10_000;

  it('once: one job, for the latest of them', () => {
    expect(dueTicks(minutes, T0, late, 'once')).toEqual([
      { due: T0, at: T0 + 4 * MINUTE, next: T0 + 5 * MINUTE, missed: 4 },
    ]);
  });

  it('skip: the same, while the latest is at most a minute late', () => {
    expect(dueTicks(minutes, T0, late, 'skip')).toEqual(dueTicks(minutes, T0, late, 'once'));
    const hours = gridOf(readWhen('0 * * * *', 'when', undefined));
    const next = T0 + 60 * MINUTE;
    const step = { due: T0, next, missed: 0 };
    expect(dueTicks(hours, T0, T0 + MINUTE, 'skip')).toEqual([{ ...step, at: T0 }]);
    expect(dueTicks(hours, T0, T0 + MINUTE + 1, 'skip')).toEqual([
      { ...step, at: undefined, missed: 1 },
    ]);
  });

  it('all: a job for each, in their order, each only after the one before', () => {
    const steps = dueTicks(minutes, T0, late, 'all');
    expect(steps.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4].map((n) => T0 + n * MINUTE));
    for (const [index, { due, next }] of steps.entries()) {
      expect(due).toBe(T0 + index * MINUTE);
      expect(next).toBe(due + MINUTE);
    }
  });

  it('all: at most 1000; what is beyond is missed', () => {
    const steps = dueTicks(minutes, T0, T0 + 5000 * MINUTE, 'all');
    expect(steps).toHaveLength(1000);
    expect(steps.at(-1)).toMatchObject({ at: T0 + 999 * MINUTE, next: T0 + 5001 * MINUTE });
    expect(steps.at(-1)?.missed).toBeGreaterThan(0);
  });

  it.each([{ every: 1 }, '* * * * * *', '0 9 * * 1-5'])(
    'after years away it goes on at once, and knows the latest (%j)',
    async (when) => {
      const grid = gridOf(readWhen(when, 'when', undefined));
      const now = Date.UTC(2031, 4, 6, 12, 0, 0, 500);
      const [step] = dueTicks(grid, T0, now, 'once');
      const took = await least(
        async () => {
          const begun = performance.now();
          dueTicks(grid, T0, now, 'once');
          return performance.now() - begun;
        },
        { enough: 500 },
      );
      // Thousands of steps would hold up the jobs of the process.
      expect(took).toBeLessThan(500);
      expect(step?.at).toBeLessThanOrEqual(now);
      expect(grid.next(step?.at ?? 0)).toBe(step?.next);
      expect(step?.next).toBeGreaterThan(now);
    },
  );
});
