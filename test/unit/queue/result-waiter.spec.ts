import { jest } from '@jest/globals';
import {
  JobCanceledError,
  JobFailedError,
  JobNotFoundError,
  JobStoppedError,
  PoisonJobError,
  ResultTimeoutError,
  poisonFailure,
} from '../../../lib/job/index.js';
import { ResultWaiter } from '../../../lib/queue/result-waiter.js';
import type { JobStore } from '../../../lib/store/index.js';
import { JobRecord, type ResultEntry, type Settled } from '../../../lib/wire/index.js';

/** A job in a store that announces, or does not. */
class Scene {
  fields: Record<string, string> | undefined = { status: 'started' };
  entries: ResultEntry[] = [];
  looks = 0;
  subscriptions = 0;
  refusal: Error | undefined;
  announce: (settled: Settled) => void = () => undefined;

  readonly waiter = new ResultWaiter({
    watch: () => {
      this.looks += 1;
      return Promise.resolve(this.fields && recordOf(this.fields));
    },
    results: () => Promise.resolve(this.entries),
    onSettled: (_queue: string, listener: (settled: Settled) => void) => {
      this.subscriptions += 1;
      this.announce = listener;
      return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(() => undefined);
    },
  } as unknown as JobStore);

  /** The waiter's answer, whether it resolves or rejects. */
  wait(timeout = 60_000): Promise<unknown> {
    return this.waiter.wait('jobs', 'id1', timeout).catch((error: unknown) => error);
  }
}

function recordOf(fields: Record<string, string>): JobRecord {
  const all = Object.entries({ data: '["f",null,[],{}]', ...fields }).flat();
  return new JobRecord(
    'id1',
    all.map((text) => Buffer.from(text)),
  );
}

describe('waiting for a result', () => {
  let scene: Scene;
  beforeEach(() => {
    jest.useFakeTimers();
    scene = new Scene();
  });
  afterEach(() => jest.useRealTimers());

  it.each<[Omit<Settled, 'id'>, unknown]>([
    [{ status: 'finished', value: { a: 1 } }, { a: 1 }],
    [{ status: 'finished' }, null],
    [{ status: 'failed', text: 'Error: boom' }, expect.any(JobFailedError)],
    [{ status: 'stopped' }, expect.any(JobStoppedError)],
    [{ status: 'canceled', text: 'why' }, expect.any(JobCanceledError)],
    [
      { status: 'failed', text: `PoisonJobError: ${poisonFailure(3).message}` },
      expect.any(PoisonJobError),
    ],
  ])('ends with what is announced: %j', async (settled, expected) => {
    const result = scene.wait();
    await jest.advanceTimersByTimeAsync(10);
    scene.announce({ id: 'another', status: 'finished' });
    scene.announce({ id: 'id1', ...settled });
    expect(await result).toEqual(expected);
    expect(scene.looks).toBe(1);
  });

  it('looks by itself, often at first and then each second, where nobody announces', async () => {
    const result = scene.wait();
    await jest.advanceTimersByTimeAsync(1400);
    expect(scene.looks).toBe(4);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(scene.looks).toBeLessThanOrEqual(15);
    scene.fields = { status: 'finished', result: '7' };
    await jest.advanceTimersByTimeAsync(1000);
    expect(await result).toBe(7);
  });

  it.each<[string, Record<string, string>, ResultEntry[], unknown]>([
    ['in the job', { status: 'finished', result: '[1]' }, [], [1]],
    ["in RQ's stream", { status: 'finished' }, [entry('finished', { value: 2 })], 2],
    ['nowhere', { status: 'finished' }, [], null],
    ['as a reason', { status: 'canceled', nrq_reason: 'no' }, [], expect.any(JobCanceledError)],
    [
      'as a traceback of an earlier and of the last run',
      { status: 'failed', exc_info: 'old' },
      [entry('failed', { failure: 'first' }), entry('failed', { failure: 'last' })],
      expect.objectContaining({ reason: 'last' }),
    ],
  ])('finds what a settled job has left %s', async (_where, fields, entries, expected) => {
    Object.assign(scene, { fields, entries });
    expect(await scene.wait()).toEqual(expected);
  });

  it('ends when its time is over, and the job goes on', async () => {
    const result = scene.wait(2500);
    await jest.advanceTimersByTimeAsync(2500);
    expect(await result).toBeInstanceOf(ResultTimeoutError);
  });

  it('ends when there is no such job', async () => {
    scene.fields = undefined;
    expect(await scene.wait()).toBeInstanceOf(JobNotFoundError);
  });

  it.each<[string, Settled[], unknown]>([
    [
      'ends with an announcement that comes after the job is gone',
      [{ id: 'id1', status: 'finished', value: 7 }],
      7,
    ],
    ['ends when the job is gone, and nothing is announced', [], expect.any(JobNotFoundError)],
  ])('%s', async (_, announced, expected) => {
    const result = scene.wait();
    await jest.advanceTimersByTimeAsync(10);
    // It is not kept; the announcement of its end is still on its way, over another link.
    scene.fields = undefined;
    await jest.advanceTimersByTimeAsync(150);
    expect(scene.looks).toBe(2);
    for (const settled of announced) scene.announce(settled);
    await jest.advanceTimersByTimeAsync(1500);
    expect(await result).toEqual(expected);
  });

  it('subscribes once for all who wait, and again after a failure', async () => {
    scene.refusal = new Error('away');
    expect(await scene.wait()).toBe(scene.refusal);
    scene.refusal = undefined;
    const results = [scene.wait(), scene.wait()];
    await jest.advanceTimersByTimeAsync(10);
    scene.announce({ id: 'id1', status: 'finished', value: 1 });
    expect(await Promise.all(results)).toEqual([1, 1]);
    expect(scene.subscriptions).toBe(2);
  });
});

function entry(type: 'finished' | 'failed', parts: Partial<ResultEntry>): ResultEntry {
  return { type, at: new Date(0), ...parts };
}
