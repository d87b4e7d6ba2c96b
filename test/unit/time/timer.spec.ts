import { jest } from '@jest/globals';
import { after, every } from '../../../lib/time/timer.js';
import { within } from '../../../lib/time/within.js';

const DAY = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a timer', () => {
  it.each([1, 1000, 24 * DAY, 25 * DAY, 30 * DAY, 400 * DAY])(
    'goes off after %d milliseconds, neither earlier nor later',
    (milliseconds) => {
      const callback = jest.fn();
      after(milliseconds, callback);
      jest.advanceTimersByTime(milliseconds - 1);
      expect(callback).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(callback).toHaveBeenCalledTimes(1);
      jest.advanceTimersByTime(milliseconds * 2);
      expect(callback).toHaveBeenCalledTimes(1);
    },
  );

  it('for ever never goes off', () => {
    const callback = jest.fn();
    after(Infinity, callback);
    jest.advanceTimersByTime(100 * DAY);
    expect(callback).not.toHaveBeenCalled();
  });

  it.each([1000, 30 * DAY])('goes off again and again, every %d milliseconds', (milliseconds) => {
    const callback = jest.fn();
    const timer = every(milliseconds, callback);
    jest.advanceTimersByTime(milliseconds * 3);
    expect(callback).toHaveBeenCalledTimes(3);
    timer.cancel();
    jest.advanceTimersByTime(milliseconds * 3);
    expect(callback).toHaveBeenCalledTimes(3);
  });

  it('does not go off when it is canceled, not even in the second of its parts', () => {
    const callback = jest.fn();
    const timer = after(60 * DAY, callback);
    jest.advanceTimersByTime(30 * DAY);
    timer.cancel();
    jest.advanceTimersByTime(60 * DAY);
    expect(callback).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('may be canceled by what it calls', () => {
    const timer = every(10, () => timer.cancel());
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not go by the clock of the host, which may be set', () => {
    const callback = jest.fn();
    after(30 * DAY, callback);
    jest.setSystemTime(Date.now() + 90 * DAY);
    jest.advanceTimersByTime(29 * DAY);
    expect(callback).not.toHaveBeenCalled();
    jest.setSystemTime(0);
    jest.advanceTimersByTime(DAY);
    expect(callback).toHaveBeenCalledTimes(1);
  });
});

describe('within', () => {
  it("waits for 30 days, if it is told to: shutdownTimeout: '30d'", async () => {
    const heard = jest.fn();
    const waiting = within(30 * DAY, new Promise(() => undefined)).then(heard);
    await jest.advanceTimersByTimeAsync(30 * DAY - 1);
    expect(heard).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await waiting;
    expect(heard).toHaveBeenCalledWith(false);
  });

  it('leaves no timer behind when the work has ended', async () => {
    await expect(within(30 * DAY, Promise.resolve())).resolves.toBe(true);
    await expect(within(30 * DAY, Promise.reject(new Error('x')))).resolves.toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });
});
