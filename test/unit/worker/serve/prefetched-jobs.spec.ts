import { jest } from '@jest/globals';
import { ClaimedJob } from '../../../../lib/wire/index.js';
import { PrefetchedJobs } from '../../../../lib/worker/serve/prefetched-jobs.js';

const job = (id: string) => ClaimedJob.unread('q', id, `e-${id}`);

describe('jobs that were claimed ahead', () => {
  const returned: string[][] = [];
  let ahead: PrefetchedJobs;

  beforeEach(() => {
    jest.useFakeTimers();
    returned.length = 0;
    ahead = new PrefetchedJobs((jobs) => returned.push(jobs.map(({ id }) => id)));
  });

  afterEach(() => {
    ahead.close();
    jest.useRealTimers();
  });

  it('come out in order', () => {
    for (const id of ['a', 'b', 'c']) ahead.push(job(id));
    expect([...ahead].map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(ahead.shift()?.id).toBe('a');
    expect(ahead.takeAll().map(({ id }) => id)).toEqual(['b', 'c']);
    expect(ahead.length).toBe(0);
    expect(ahead.shift()).toBeUndefined();
  });

  it('go back, all of them, when they do not move for a while', () => {
    for (const id of ['a', 'b']) ahead.push(job(id));
    ahead.watch();
    jest.advanceTimersByTime(1000);
    expect(returned).toEqual([['a', 'b']]);
    expect(ahead.length).toBe(0);
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
      ahead.push(job(`${round}-1`));
      ahead.push(job(`${round}-2`));
      ahead.watch();
      jest.advanceTimersByTime(10);
      ahead.shift();
      ahead.shift();
    }
    expect(returned).toEqual([]);
  });

  it('leave no timer behind', () => {
    ahead.watch();
    expect(jest.getTimerCount()).toBe(0);

    ahead.push(job('a'));
    ahead.watch();
    expect(jest.getTimerCount()).toBe(1);
    ahead.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
