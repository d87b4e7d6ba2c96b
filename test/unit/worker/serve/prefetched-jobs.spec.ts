import { jest } from '@jest/globals';
import { ClaimedJob } from '../../../../lib/wire/index.js';
import { PrefetchedJobs } from '../../../../lib/worker/serve/prefetched-jobs.js';

const job = (id: string) => ClaimedJob.unread('q', id, `e-${id}`);

describe('prefetched jobs', () => {
  const returned: string[][] = [];
  let prefetched: PrefetchedJobs;

  beforeEach(() => {
    jest.useFakeTimers();
    returned.length = 0;
    prefetched = new PrefetchedJobs((jobs) => returned.push(jobs.map(({ id }) => id)));
  });

  afterEach(() => {
    prefetched.close();
    jest.useRealTimers();
  });

  it('come out in order', () => {
    for (const id of ['a', 'b', 'c']) prefetched.push(job(id));
    expect([...prefetched].map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(prefetched.shift()?.id).toBe('a');
    expect(prefetched.removeAll().map(({ id }) => id)).toEqual(['b', 'c']);
    expect(prefetched.length).toBe(0);
    expect(prefetched.shift()).toBeUndefined();
  });

  it('go back, all of them, when they do not move for a while', () => {
    for (const id of ['a', 'b']) prefetched.push(job(id));
    prefetched.watch();
    jest.advanceTimersByTime(1000);
    expect(returned).toEqual([['a', 'b']]);
    expect(prefetched.length).toBe(0);
  });

  it('do not go back while others are on their way, which would come before them then', () => {
    let moreComes = true;
    const patient = new PrefetchedJobs(
      (jobs) => returned.push(jobs.map(({ id }) => id)),
      () => !moreComes,
    );
    patient.push(job('a'));
    patient.watch();
    jest.advanceTimersByTime(1000);
    expect(returned).toEqual([]);

    patient.push(job('b'));
    moreComes = false;
    jest.advanceTimersByTime(1000);
    expect(returned).toEqual([['a', 'b']]);
    patient.close();
  });

  it('stay as long as they move', () => {
    for (let round = 0; round < 100; round += 1) {
      prefetched.push(job(`${round}-1`));
      prefetched.push(job(`${round}-2`));
      prefetched.watch();
      jest.advanceTimersByTime(10);
      prefetched.shift();
      prefetched.shift();
    }
    expect(returned).toEqual([]);
  });

  it('leave no timer behind', () => {
    prefetched.watch();
    expect(jest.getTimerCount()).toBe(0);

    prefetched.push(job('a'));
    prefetched.watch();
    expect(jest.getTimerCount()).toBe(1);
    prefetched.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
