import { jest } from '@jest/globals';
import { RunDeadlines } from '../../../../lib/worker/run/run-deadlines.js';

describe('the one timer of all runs', () => {
  const running = new Map<string, { expiresAt: number; expire(): void }>();
  const expired: string[] = [];
  let deadlines: RunDeadlines;

  /** @param milliseconds its timeout; Infinity: none */
  function start(name: string, milliseconds: number): void {
    const expire = () => {
      expired.push(name);
      running.delete(name);
    };
    const run = { expiresAt: performance.now() + milliseconds, expire };
    running.set(name, run);
    deadlines.watch(run);
  }

  beforeEach(() => {
    jest.useFakeTimers();
    running.clear();
    expired.length = 0;
    deadlines = new RunDeadlines(running);
  });
  afterEach(() => jest.useRealTimers());

  it('ends each run at its own time, whichever started first', () => {
    start('long', 300);
    start('short', 100);
    start('endless', Infinity);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(99);
    expect(expired).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(expired).toEqual(['short']);
    jest.advanceTimersByTime(200);
    expect(expired).toEqual(['short', 'long']);
  });

  it('goes on for the runs that are left when the one that it was set for has ended', () => {
    start('done', 100);
    start('slow', 200);
    running.delete('done');
    jest.advanceTimersByTime(200);
    expect(expired).toEqual(['slow']);
  });

  it('waits longer than one timer can', () => {
    start('month', 30 * 86_400_000);
    jest.advanceTimersByTime(30 * 86_400_000 - 1);
    expect(expired).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(expired).toEqual(['month']);
  });

  it('is not set without a timeout, and is gone when the worker is closed', () => {
    start('endless', Infinity);
    expect(jest.getTimerCount()).toBe(0);
    start('long', 3_600_000);
    running.clear();
    deadlines.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
