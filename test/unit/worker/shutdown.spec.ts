import { jest } from '@jest/globals';
import { ShutdownError } from '../../../lib/job/index.js';
import { type StoppingWorker, shutDown } from '../../../lib/worker/shutdown.js';

describe('a shutdown', () => {
  let steps: string[];
  beforeEach(() => {
    jest.useFakeTimers();
    steps = [];
  });
  afterEach(() => jest.useRealTimers());

  const step = (name: string) => () => void steps.push(name);
  const done = (name: string) => (): Promise<void> => Promise.resolve(void steps.push(name));
  const never = (name: string) => () => {
    steps.push(name);
    return new Promise<void>(() => undefined);
  };

  /** @param wait what a step that needs Redis does */
  const worker = (wait = done, parts: Partial<StoppingWorker> = {}): StoppingWorker => ({
    starting: Promise.resolve(),
    served: [
      {
        consumer: {
          stopClaiming: wait('stop claiming'),
          settled: wait('settle'),
          outcomes: { giveUpOnReplicas: () => undefined },
          close: step('close consumer'),
        },
        runner: {
          abortAll: (reason) => {
            steps.push('interrupt');
            expect(reason('id1')).toBeInstanceOf(ShutdownError);
          },
          close: step('close runner'),
        },
      },
    ],
    shutdownTimeoutMs: 30_000,
    recovery: { stop: step('stop recovery') },
    leaseKeeper: { stop: wait('stop renewing') },
    heartbeat: { stop: wait('leave the list') },
    webhooks: { allSent: wait('send webhooks'), close: step('close webhooks') },
    allEnded: done('wait for runs'),
    stopListening: step('stop listening'),
    ...parts,
  });

  const ORDER = [
    'stop recovery',
    'stop claiming',
    'wait for runs',
    'interrupt',
    'settle',
    'send webhooks',
    'stop renewing',
    'leave the list',
    'stop listening',
    'close webhooks',
    'close consumer',
    'close runner',
  ];

  it('keeps its order, and leases until all outcomes are written', async () => {
    await shutDown(worker());
    expect(steps).toEqual(ORDER);
  });

  it('lets jobs run for shutdownTimeout and then interrupts them', async () => {
    const stopping = shutDown(worker(done, { allEnded: never('wait for runs') }));
    await jest.advanceTimersByTimeAsync(29_999);
    expect(steps).not.toContain('interrupt');
    await jest.advanceTimersByTimeAsync(1);
    await stopping;
    expect(steps).toEqual(ORDER);
  });

  it('never hangs: with Redis away, and a start under way, it takes a few seconds', async () => {
    const starting = new Promise<void>(() => undefined);
    const stopping = shutDown(worker(never, { starting }));
    await jest.advanceTimersByTimeAsync(8100);
    await stopping;
    expect(steps).toEqual(ORDER);
  });

  it('goes on when a step rejects', async () => {
    const failing = (name: string) => () => {
      steps.push(name);
      return Promise.reject(new Error('away'));
    };
    const starting = Promise.reject(new Error('away'));
    await shutDown(worker(failing, { starting }));
    expect(steps).toEqual(ORDER);
  });
});
