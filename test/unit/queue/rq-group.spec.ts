// A group whose end replicas are to have before it is told, and replicas that do not answer.
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { NotReplicatedError } from '../../../lib/job/index.js';
import { Queue } from '../../../lib/queue/index.js';
import type { GroupCounts, JobStore } from '../../../lib/store/index.js';

const OVER: GroupCounts = { pending: 0, finished: 1, failed: 0, canceled: 0 };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

it('is waited for once with patience; after that nobody waits long for the same slow replicas', async () => {
  const details = { action: 'look', replicas: 1, reached: 0, timeout: 10 };
  const store = {
    commandTimeout: 1000,
    maxPayloadBytes: 1000,
    groups: {
      onOver: () => Promise.resolve(() => undefined),
      look: (_: string, durability?: object) =>
        durability ? Promise.reject(new NotReplicatedError(details)) : Promise.resolve(OVER),
    },
  } as unknown as JobStore;
  const queue = new Queue('jobs', store, { durability: { replicas: 1, timeout: 0.01 } });
  const told: string[] = [];
  const wait = (name: string) =>
    void queue
      .group('g')
      .wait()
      .then(() => told.push(name));

  wait('first');
  await jest.advanceTimersByTimeAsync(14_000);
  expect(told).toEqual([]);
  await jest.advanceTimersByTimeAsync(2000);
  expect(told).toEqual(['first']);

  wait('second');
  await jest.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['first', 'second']);
});
