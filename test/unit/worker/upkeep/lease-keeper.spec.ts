import { jest } from '@jest/globals';
import type { GuardObserver, LeaseGuard } from '../../../../lib/redis/index.js';
import type { Lease, RenewReply, WorkerStore } from '../../../../lib/store/index.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { LeaseKeeper, type ServedQueue } from '../../../../lib/worker/upkeep/lease-keeper.js';

const LEASE_MS = 15_000;

describe('a lease keeper', () => {
  let renewals: string[];
  let told: string[];
  let beats: number;
  let replies: RenewReply[];
  let isAway: boolean;
  let leases: Lease[];
  let answer: () => Promise<RenewReply[]>;
  let guardProblem: string | undefined;
  let keeper: LeaseKeeper;

  beforeEach(() => {
    jest.useFakeTimers();
    [renewals, told, beats, replies] = [[], [], 0, []];
    isAway = false;
    guardProblem = undefined;
    answer = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(replies));
    leases = [
      { id: 'a', execution: 'e1' },
      { id: 'b', execution: 'e2' },
    ];
    const store = {
      renew: (queue: string, leaseMs: number, held: readonly Lease[]) => {
        renewals.push(`${queue} ${leaseMs} ${held.map(({ id }) => id).join()}`);
        return answer();
      },
    } as unknown as WorkerStore;
    const guard = {
      start: (observer: GuardObserver) => {
        told.push('guard started');
        if (guardProblem) observer.problem(guardProblem);
      },
      beat: () => void (beats += 1),
      stop: () => Promise.resolve(void told.push('guard stopped')),
    } as unknown as LeaseGuard;
    const served = {
      consumer: { queue: 'jobs', leases: () => leases },
      runner: {
        stop: (id: string) => void told.push(`stop ${id}`),
        lost: (execution: string, status: string) => void told.push(`lost ${execution} ${status}`),
      },
    } as unknown as ServedQueue;
    const reporter = new JobReporter({
      problem: ({ message }) => void told.push(`problem: ${message}`),
      problemSolved: ({ message }) => void told.push(`solved: ${message}`),
    });
    keeper = new LeaseKeeper(store, [served], LEASE_MS, guard, reporter);
  });
  afterEach(async () => {
    await keeper.stop();
    jest.useRealTimers();
  });

  it('renews what is held each third of a lease, and tells the guard that it lives', async () => {
    keeper.start();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(renewals).toEqual(Array(3).fill('jobs 15000 a,b'));
    expect(beats).toBe(3);
  });

  it('asks Redis nothing while nothing is held', async () => {
    leases = [];
    keeper.start();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(renewals).toEqual([]);
  });

  it('ends the runs that are not ours any more or shall stop', async () => {
    replies = [
      { index: 0, status: 'stop' },
      { index: 1, status: 'canceled' },
      { index: 9, status: 'missing' },
    ];
    await keeper.renew();
    expect(told).toEqual(['stop a', 'lost e2 canceled']);
  });

  it('tries again soon when Redis is away, tells it once, and that it is well again', async () => {
    isAway = true;
    keeper.start();
    await jest.advanceTimersByTimeAsync(LEASE_MS / 3 + 2 * (LEASE_MS / 15));
    expect(renewals).toHaveLength(3);
    isAway = false;
    await jest.advanceTimersByTimeAsync(LEASE_MS / 15);
    expect(told).toEqual([
      'guard started',
      'problem: leases on queue "jobs" cannot be renewed',
      'solved: leases on queue "jobs" are renewed again',
    ]);
  });

  it('renews before a sweep unless it has just done so; two at once are one', async () => {
    await Promise.all([keeper.renewedLately('jobs'), keeper.renewedLately('jobs')]);
    expect(renewals).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(LEASE_MS / 2);
    await keeper.renewedLately('jobs');
    expect(renewals).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    await keeper.renewedLately('jobs');
    expect(renewals).toHaveLength(2);
  });

  it('begins nothing any more after a renewal that fails while it stops', async () => {
    let fail: (reason: Error) => void = () => undefined;
    answer = () => new Promise((_, reject) => (fail = reject));
    keeper.start();
    await jest.advanceTimersByTimeAsync(LEASE_MS / 3);
    await keeper.stop();
    fail(new Error('away'));
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(renewals).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells why there is no guard, and stops with it', async () => {
    guardProblem = 'no guard';
    keeper.start();
    await keeper.stop();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(told.slice(0, 3)).toEqual(['guard started', 'problem: no guard', 'guard stopped']);
    expect(renewals).toEqual([]);
  });
});
