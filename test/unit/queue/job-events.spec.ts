import { jest } from '@jest/globals';
import type { JobEvent } from '../../../lib/job/index.js';
import { eventsOfJob, eventsOfQueue } from '../../../lib/queue/job-events.js';
import type { JobStore } from '../../../lib/store/index.js';

const event = (type: string, jobId = 'id1') =>
  ({ type, jobId, queue: 'jobs', name: 'f', attempt: 1, at: new Date(0) }) as JobEvent;

describe('events', () => {
  let tell: (event: JobEvent) => void = () => undefined;
  let confirm: () => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  let stopped: number;
  let status: string | undefined;
  let isAway: boolean;
  let heard: string[];
  const store = {
    onEvent: (_queue: string, listener: (event: JobEvent) => void) => {
      tell = listener;
      return new Promise<() => void>((resolve, reject) => {
        confirm = () => resolve(() => (stopped += 1));
        refuse = reject;
      });
    },
    read: () =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(status && { status }),
  } as unknown as JobStore;
  const observer = {
    next: ({ type }: JobEvent) => void heard.push(type),
    error: (error: Error) => void heard.push(error.message),
    complete: () => void heard.push('complete'),
  };
  const settle = () => jest.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    jest.useFakeTimers();
    stopped = 0;
    status = 'started';
    isAway = false;
    heard = [];
  });
  afterEach(() => jest.useRealTimers());

  it('of a queue are heard until nobody listens any more', async () => {
    const onListening = jest.fn();
    const subscription = eventsOfQueue('jobs', store, { onListening }).subscribe(observer);
    expect(onListening).not.toHaveBeenCalled();
    confirm();
    await settle();
    expect(onListening).toHaveBeenCalledTimes(1);
    tell(event('started'));
    tell(event('finished', 'another'));
    subscription.unsubscribe();
    tell(event('failed'));
    expect(heard).toEqual(['started', 'finished']);
    expect(stopped).toBe(1);
  });

  it('are not listened to when nobody wants them any more by the time Redis confirms', async () => {
    const onListening = jest.fn();
    eventsOfQueue('jobs', store, { onListening }).subscribe(observer).unsubscribe();
    confirm();
    await settle();
    expect(stopped).toBe(1);
    expect(onListening).not.toHaveBeenCalled();
  });

  it('end with the error when Redis cannot be reached', async () => {
    eventsOfJob('jobs', 'id1', store).subscribe(observer);
    refuse(new Error('away'));
    await settle();
    expect(heard).toEqual(['away']);
  });

  it('of a job are its own, until the last one', async () => {
    eventsOfJob('jobs', 'id1', store).subscribe(observer);
    confirm();
    await settle();
    tell(event('started'));
    tell(event('finished', 'another'));
    tell(event('exhausted'));
    tell(event('failed'));
    expect(heard).toEqual(['started', 'exhausted', 'failed', 'complete']);
    expect(stopped).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([undefined, 'finished', 'canceled'])(
    'of a job end by a look at it, should the last be missed (%s)',
    async (settled) => {
      eventsOfJob('jobs', 'id1', store).subscribe(observer);
      confirm();
      await settle();
      isAway = true;
      await jest.advanceTimersByTimeAsync(2000);
      isAway = false;
      status = settled;
      expect(heard).toEqual([]);
      await jest.advanceTimersByTimeAsync(2000);
      expect(heard).toEqual(['complete']);
    },
  );
});
