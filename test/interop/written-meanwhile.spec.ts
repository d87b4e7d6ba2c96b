import { jest } from '@jest/globals';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** Seconds; leases are renewed at each third. */
const LEASE = 1.2;

/** What Python programs write about a job while it runs here: whatever it is, the lease says who runs it. */
describeInterop('what Python writes while a job runs here', () => {
  const sides = useBothSides();

  let runs: Run[];

  /** A run that the test ends. */
  class Run {
    readonly end = deferred<string>();
    aborted: unknown;
    isOver = false;
  }

  beforeEach(async () => {
    runs = [];
    const hold = async (_: unknown, { signal }: { signal: AbortSignal }): Promise<string> => {
      const run = new Run();
      runs.push(run);
      signal.addEventListener('abort', () => {
        run.aborted = signal.reason;
        run.end.reject(signal.reason as Error);
      });
      try {
        return await run.end.promise;
      } finally {
        run.isOver = true;
      }
    };
    await sides.nest.worker({ hold }, { lease: LEASE, concurrency: 2, shutdownTimeout: 0.2 });
  });

  afterEach(() => {
    for (const run of runs) run.end.resolve('over');
  });

  const started = (count: number) =>
    eventually(() => runs[count - 1], { what: `run ${count} to begin` });

  /** Python reads the job now, and keeps that copy. */
  const copy = (id: string) => sides.python.run('rq.copy = fetch(given)', id);
  const write = (code: string) => sides.python.run(`job = rq.copy\n${code}`);

  /** Leases were renewed since: what Python wrote was seen. */
  async function renewed(): Promise<void> {
    const lease = async () =>
      Number((await sides.client.zrange('rq:wip:shared', '0', '0', 'WITHSCORES'))[1] ?? Infinity);
    const before = await lease();
    await eventually(async () => (await lease()) > before || before === Infinity, {
      what: 'the lease to be renewed',
    });
  }

  const MOMENTS: [string, () => Promise<string>][] = [
    [
      'when it was queued',
      async () => {
        await sides.nest.queue().pause();
        const { id } = await sides.nest.queue().enqueue('hold');
        await copy(id);
        await sides.nest.queue().resume();
        return id;
      },
    ],
    [
      'when it was scheduled',
      async () => {
        const { id } = await sides.nest.queue().enqueueIn('300ms', 'hold');
        await copy(id);
        return id;
      },
    ],
    [
      'when it had failed, before a requeue',
      async () => {
        const job = await sides.nest.queue().enqueue('hold');
        (await started(1)).end.reject(new Error('no luck'));
        await lookWhen(sides.python, job.id, 'failed');
        runs.length = 0;
        await copy(job.id);
        await sides.python.run('fetch(given).requeue()', job.id);
        return job.id;
      },
    ],
    [
      'when it was finished, before it was enqueued once more',
      async () => {
        const job = await sides.nest.queue().enqueue('hold');
        (await started(1)).end.resolve('first');
        await lookWhen(sides.python, job.id, 'finished');
        runs.length = 0;
        await copy(job.id);
        await sides.python.run('queue().enqueue_job(fetch(given))', job.id);
        return job.id;
      },
    ],
  ];

  const WRITES = [
    "job.meta['user'] = 1; job.save()",
    "job.meta['user'] = 1; job.save_meta()",
    "job.refresh(); job.meta['user'] = 1; job.save()",
    "job.set_status('queued')",
  ];

  describe.each(MOMENTS)('of a copy that it read %s', (_, enqueue) => {
    it.each(WRITES)('%s: the job runs on, once, and its outcome is written', async (code) => {
      const id = await enqueue();
      const run = await started(1);
      await write(code);
      await renewed();
      expect(run.aborted).toBeUndefined();
      // Also in the moment before its end.
      await write(code);
      run.end.resolve('done');

      const view = await lookWhen(sides.python, id, 'finished');
      expect(view).toMatchObject({ status: 'finished', places: ['finished'] });
      expect(await (await sides.nest.queue().getJob(id))?.result()).toBe('done');
      expect(runs).toHaveLength(1);
      expect(await sides.client.zcard('rq:wip:shared')).toBe(0);
      expect(view.meta).toEqual(code.includes('meta') ? { user: 1 } : {});
    });

    it('job.save(): stop and cancel still reach it, a requeue is refused', async () => {
      const id = await enqueue();
      const run = await started(1);
      await write('job.save()');
      const job = await sides.nest.queue().getJob(id);
      await sides.nest.queue().requeue([id]);
      expect(await sides.client.llen('rq:queue:shared')).toBe(0);
      await job?.stop();
      await eventually(() => run.aborted, { what: 'the run to be aborted' });

      expect(await lookWhen(sides.python, id, 'stopped')).toMatchObject({ places: ['failed'] });
      await job?.requeue();
      const second = await started(2);
      await write('job.save()');
      await job?.cancel();
      await eventually(() => second.aborted, { what: 'the second run to be aborted' });
      await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
        what: 'the lease to be given up',
      });
      expect(await look(sides.python, id)).toMatchObject({
        status: 'canceled',
        places: ['canceled'],
      });
      expect(runs).toHaveLength(2);
    });
  });

  it.each([1, 0])(
    'copies with more retries than are left give no further ones (interval %d s)',
    async (interval) => {
      const options = { id: 'tried', retry: { max: 2, interval: interval / 10 } };
      await sides.nest.queue().pause();
      await sides.nest.queue().enqueue('hold', null, options);
      await copy('tried');
      await sides.nest.queue().resume();
      for (let count = 1; count <= 3; count += 1) {
        const run = await started(count);
        await write('job.save()');
        run.end.reject(new Error(`failure ${count}`));
        await eventually(() => run.isOver, { what: 'the run to end' });
      }
      expect(await lookWhen(sides.python, 'tried', 'failed')).toMatchObject({ places: ['failed'] });
      const job = await sides.nest.queue().getJob('tried');
      expect(await job?.results()).toHaveLength(3);
      expect(runs).toHaveLength(3);
    },
  );

  it('job.cancel(): the run is told, its outcome refused, and it stays canceled', async () => {
    const { id } = await sides.nest.queue().enqueue('hold');
    const run = await started(1);
    await copy(id);
    await write("job.save(); job.set_status('queued'); job.cancel()");
    await eventually(() => run.aborted, { what: 'the run to be aborted' });
    await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
      what: 'the lease to be given up',
    });
    expect(await look(sides.python, id)).toMatchObject({
      status: 'canceled',
      places: ['canceled'],
    });
    expect(runs).toHaveLength(1);
  });

  it.each(['', 'job.save(); '])(
    '%sjob.delete(): nothing is left, whatever the run says then',
    async (before) => {
      const id = await sides.python.run<string>('return queue().enqueue("hold").id');
      const run = await started(1);
      await copy(id);
      await write(`${before}job.delete()`);
      run.end.resolve('late');
      await eventually(async () => (await sides.client.keys(`*${id}*`)).length === 0, {
        what: 'the job to be gone',
      });
      await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
        what: 'the lease to be given up',
      });
      expect(await sides.client.zcard('rq:finished:shared')).toBe(0);
      expect(await sides.client.llen('rq:queue:shared')).toBe(0);
    },
  );

  it('queue.enqueue_job(): it runs as often as it was enqueued, and ends in one place', async () => {
    const { id } = await sides.nest.queue().enqueue('hold');
    const first = await started(1);
    await copy(id);
    await write('queue().enqueue_job(job)');
    const second = await started(2);
    await renewed();
    expect([first.aborted, second.aborted]).toEqual([undefined, undefined]);
    first.end.resolve('first');
    await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 1, {
      what: 'the first run to be settled',
    });
    second.end.resolve('second');
    await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
      what: 'the second run to be settled',
    });
    expect(await look(sides.python, id)).toMatchObject({
      status: 'finished',
      places: ['finished'],
    });
    expect(runs).toHaveLength(2);
  });
});
