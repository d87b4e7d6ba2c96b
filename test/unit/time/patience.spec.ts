import { jest } from '@jest/globals';
import { Patience, afterAwake } from '../../../lib/time/patience.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** The event loop stands still: time passes, and no timer goes off until it turns again. */
function block(milliseconds: number): void {
  const real = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => real() + milliseconds);
  jest.advanceTimersToNextTimer();
}

describe('patience', () => {
  it('ends after its limit when nothing is heard', () => {
    const late = jest.fn();
    new Patience(5000).wait(late);
    jest.advanceTimersByTime(4900);
    expect(late).not.toHaveBeenCalled();
    jest.advanceTimersByTime(350);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('does not count time in which the event loop stood still', () => {
    const late = jest.fn();
    new Patience(5000).wait(late);
    jest.advanceTimersByTime(1000);
    block(60_000);
    expect(late).not.toHaveBeenCalled();
    jest.advanceTimersByTime(3500);
    expect(late).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1000);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('ends also when the event loop is always late', () => {
    const late = jest.fn();
    let passed = 0;
    const real = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => real() + passed);
    new Patience(1000).wait(late);
    for (let turn = 0; turn < 200 && late.mock.calls.length === 0; turn += 1) {
      passed += 300;
      jest.advanceTimersToNextTimer();
    }
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('does not count time in which something moves', () => {
    const late = jest.fn();
    let isMoving = true;
    new Patience(5000, () => isMoving).wait(late);
    jest.advanceTimersByTime(60_000);
    expect(late).not.toHaveBeenCalled();
    isMoving = false;
    jest.advanceTimersByTime(5500);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('tells of what is late, and of what is lost', () => {
    const [late, lost] = [jest.fn(), jest.fn()];
    new Patience(1000).wait(late, lost);
    jest.advanceTimersByTime(1100);
    expect([late.mock.calls.length, lost.mock.calls.length]).toEqual([1, 0]);
    jest.advanceTimersByTime(1000);
    expect([late.mock.calls.length, lost.mock.calls.length]).toEqual([1, 1]);
    jest.advanceTimersByTime(10_000);
    expect([late.mock.calls.length, lost.mock.calls.length]).toEqual([1, 1]);
  });

  it('hears no more of what was answered, each for itself', () => {
    const patience = new Patience(1000);
    const [answered, late] = [jest.fn(), jest.fn()];
    const first = patience.wait(answered);
    jest.advanceTimersByTime(500);
    patience.wait(late);
    patience.end(first);
    jest.advanceTimersByTime(900);
    expect(late).not.toHaveBeenCalled();
    jest.advanceTimersByTime(200);
    expect(late).toHaveBeenCalledTimes(1);
    expect(answered).not.toHaveBeenCalled();
  });

  it('leaves no timer behind when nothing is waited for', () => {
    const cancel = afterAwake(1000, () => undefined);
    cancel();
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(0);
  });
});
