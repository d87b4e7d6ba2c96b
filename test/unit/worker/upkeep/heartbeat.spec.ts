import { jest } from '@jest/globals';
import type { WorkDone, WorkerRecord, WorkerStore } from '../../../../lib/store/index.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { Heartbeat } from '../../../../lib/worker/upkeep/heartbeat.js';

describe('a heartbeat', () => {
  const written: { record: WorkerRecord; done?: WorkDone }[] = [];
  let state: WorkerRecord['state'] = 'idle';
  let isViewed = false;
  const workers: WorkerStore['workers'] = {
    register: (record) => Promise.resolve(void written.push({ record })),
    heartbeat: (record, done) => {
      written.push({ record, done });
      return Promise.resolve(isViewed);
    },
    deregister: () => Promise.resolve(),
  };
  const heartbeat = new Heartbeat(
    { workers } as WorkerStore,
    { name: 'w', queues: ['jobs'], version: 'test' },
    () => state,
    new JobReporter(),
  );

  beforeAll(async () => {
    jest.useFakeTimers();
    await heartbeat.start();
  });
  afterAll(() => jest.useRealTimers());

  it('begins with the worker, which is then listed for six beats', () => {
    expect(written).toHaveLength(1);
    expect(written[0]?.record).toMatchObject({ name: 'w', state: 'idle', ttl: 60 });
  });

  it('beats every 10 seconds, idle or busy', async () => {
    await jest.advanceTimersByTimeAsync(9000);
    expect(written).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(51_000);
    expect(written).toHaveLength(7);
    state = 'busy';
    await jest.advanceTimersByTimeAsync(60_000);
    expect(written.length).toBeLessThanOrEqual(14);
  });

  it('beats within a second when the worker becomes busy or idle, and not more often', async () => {
    const before = written.length;
    state = 'idle';
    await jest.advanceTimersByTimeAsync(1000);
    expect(written).toHaveLength(before + 1);
    expect(written.at(-1)?.record.state).toBe('idle');
    // Between two looks it may change as often as it likes.
    for (let change = 0; change < 9; change += 1) {
      state = change % 2 ? 'idle' : 'busy';
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(written.length).toBeLessThanOrEqual(before + 2);
  });

  it('beats every 2 seconds while somebody looks', async () => {
    isViewed = true;
    await jest.advanceTimersByTimeAsync(10_000);
    const before = written.length;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(written.length - before).toBe(10);
    isViewed = false;
    await jest.advanceTimersByTimeAsync(10_000);
    const after = written.length;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(written.length - after).toBe(2);
  });
});
