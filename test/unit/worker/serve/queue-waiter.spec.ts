import { jest } from '@jest/globals';
import { QueueWaiter } from '../../../../lib/worker/serve/queue-waiter.js';
import type { WorkerStore } from '../../../../lib/store/index.js';

afterEach(() => {
  jest.useRealTimers();
});

it('does not look for what opens before it is open: a timer leaves out fractions of milliseconds', () => {
  jest.useFakeTimers();
  const wake = jest.fn();
  const store = { blockingPop: () => ({}), onWake: () => new Promise(() => undefined) };
  const waiter = new QueueWaiter('jobs', store as unknown as WorkerStore, {
    wake,
    askNow: () => undefined,
    waited: () => undefined,
    popped: () => undefined,
    mayNotWait: () => undefined,
  });
  waiter.wakeIn(199.3);
  jest.advanceTimersByTime(199);
  expect(wake).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(wake).toHaveBeenCalledTimes(1);
});
