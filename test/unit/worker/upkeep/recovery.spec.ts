import { jest } from '@jest/globals';
import { type Durability, type JobEvent, NotReplicatedError } from '../../../../lib/job/index.js';
import type { RecoverReply, WorkerStore } from '../../../../lib/store/index.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { Recovery, type RecoverySettings } from '../../../../lib/worker/upkeep/recovery.js';

const NOTHING: RecoverReply = { handled: [], nextLook: undefined, nextDue: undefined };
const LEASE_MS = 15_000;
const NOT_REPLICATED = new NotReplicatedError({ action: 'x', replicas: 1, reached: 0, timeout: 1 });

describe('a recovery', () => {
  let calls: string[];
  let told: unknown[];
  let reply: RecoverReply | Error;
  let isReadable: boolean;
  let recovery: Recovery;
  let replicas: Record<string, string>;
  let made: (durability?: Durability) => Recovery;
  const sweeps = () => calls.filter((call) => call.startsWith('sweep')).length;

  beforeEach(() => {
    jest.useFakeTimers();
    [calls, told, reply, isReadable, replicas] = [[], [], NOTHING, true, {}];
    const store = {
      recover: (queue: string) => {
        calls.push(`sweep ${queue}`);
        return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
      },
      read: () => (isReadable ? Promise.resolve(undefined) : Promise.reject(new Error('away'))),
      replicated: {
        job: (_: string, id: string) => {
          const status = replicas[id];
          if (status !== undefined) return Promise.resolve({ status });
          return Promise.reject(NOT_REPLICATED);
        },
      },
    } as unknown as WorkerStore;
    const reporter = new JobReporter({
      jobRecovered: ({ jobId, outcome }) => void told.push(`${jobId} ${outcome}`),
      jobEvent: ({ type }) => void told.push(type),
      problem: ({ message }) => void told.push(message),
      problemSolved: ({ message }) => void told.push(message),
    });
    made = (durability) => {
      const settings: RecoverySettings = {
        leaseMs: LEASE_MS,
        maxCrashes: 3,
        durability: () => durability,
        before: (queue) => Promise.resolve(void calls.push(`renew ${queue}`)),
        onDue: (queue, milliseconds) => void calls.push(`due ${queue} ${milliseconds}`),
      };
      return new Recovery(store, ['jobs'], settings, reporter);
    };
    recovery = made();
  });
  afterEach(() => {
    recovery.stop();
    jest.useRealTimers();
  });

  it('sweeps at the start and each half of a lease, when own leases are renewed', async () => {
    recovery.start();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(calls).toEqual(Array(3).fill(['renew jobs', 'sweep jobs']).flat());
  });

  it.each([
    [4000, 4004, 4005],
    [0, 49, 50],
    [60_000, 7499, 7500],
  ])('looks again when the earliest lease ends: in %d ms', async (nextLook, before, after) => {
    reply = { ...NOTHING, nextLook };
    recovery.start();
    await jest.advanceTimersByTimeAsync(before);
    expect(sweeps()).toBe(1);
    await jest.advanceTimersByTimeAsync(after - before);
    expect(sweeps()).toBe(2);
  });

  it('tells what it has found, and when a scheduled job is due', async () => {
    const lost = { type: 'lost', jobId: 'a' } as JobEvent;
    reply = {
      handled: [
        { id: 'a', outcome: 'requeued', event: lost },
        { id: 'b', outcome: 'failed', event: { ...lost, jobId: 'b' } },
      ],
      nextLook: undefined,
      nextDue: 120,
    };
    recovery.start();
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['a requeued', 'lost', 'b failed', 'lost', 'failed']);
    expect(calls).toContain('due jobs 120');
  });

  it('tells at a later look of jobs that failed and could not be read, once', async () => {
    const lost = (jobId: string) => ({ type: 'lost', jobId, queue: 'jobs' }) as JobEvent;
    const failed = (id: string) => ({ id, outcome: 'failed' as const, event: lost(id) });
    reply = { ...NOTHING, handled: [failed('a'), failed('b')] };
    isReadable = false;
    recovery.start();
    await jest.advanceTimersByTimeAsync(0);
    reply = NOTHING;
    await jest.advanceTimersByTimeAsync(2000);
    expect(told).not.toContain('failed');
    isReadable = true;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(told.filter((one) => one === 'failed')).toHaveLength(2);
    expect(told.at(-1)).toBe('queue "jobs" is looked after again');
  });

  it('tells of jobs that failed when replicas have that, and of none that ended otherwise there', async () => {
    const lost = (jobId: string) => ({ type: 'lost', jobId, queue: 'jobs' }) as JobEvent;
    const failed = (id: string) => ({ id, outcome: 'failed' as const, event: lost(id) });
    recovery = made({ replicas: 1, timeout: 1 });
    reply = { ...NOTHING, handled: [failed('a'), failed('b')] };
    recovery.start();
    await jest.advanceTimersByTimeAsync(0);
    reply = NOTHING;
    await jest.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([]);
    replicas = { a: 'finished', b: 'failed' };
    await jest.advanceTimersByTimeAsync(1000);
    expect(told).toEqual(['b failed', 'lost', 'failed']);
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(told).toHaveLength(3);
  });

  it('tells of a job that failed all the same when replicas have had 15 seconds', async () => {
    const lost = { type: 'lost', jobId: 'a', queue: 'jobs' } as JobEvent;
    recovery = made({ replicas: 1, timeout: 1 });
    reply = { ...NOTHING, handled: [{ id: 'a', outcome: 'failed', event: lost }] };
    recovery.start();
    await jest.advanceTimersByTimeAsync(0);
    reply = NOTHING;
    await jest.advanceTimersByTimeAsync(14_000);
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(2000);
    expect(told).toEqual(['a failed', 'lost', 'failed']);
  });

  it('tries again after a second when Redis is away, and tells when it is well again', async () => {
    reply = new Error('away');
    recovery.start();
    await jest.advanceTimersByTimeAsync(2000);
    expect(sweeps()).toBe(3);
    reply = NOTHING;
    await jest.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([
      'queue "jobs" cannot be looked after',
      'queue "jobs" is looked after again',
    ]);
  });

  it('sweeps no more once it is stopped, also in the middle of a sweep', async () => {
    recovery.start();
    recovery.stop();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(sweeps()).toBe(1);
  });
});
