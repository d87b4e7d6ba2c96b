import { jest } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** RQ's Repeat, enqueued on either side and run on the other, or on both by turns. */
describeInterop('jobs that run again after each success', () => {
  const sides = useBothSides();

  /** Seconds from the end of a run to when the next one is due. */
  const waitAfter = async (id: string) => {
    const due = await sides.client.zscore('rq:scheduled:shared', id);
    const ended = await sides.client.hget(`rq:job:${id}`, 'ended_at');
    return Number(due) - Date.parse(ended ?? '') / 1000;
  };
  /** As if that time had passed. */
  const bringForward = (id: string) => sides.client.zadd('rq:scheduled:shared', 'XX', 1, id);
  /** What RQ writes at the end of a round is all there then. */
  const roundOver = (counter: string, round: number) =>
    eventually(
      async () =>
        (await runsOf(counter)) === round && (await sides.client.zcard('rq:wip:shared')) === 0,
      { what: `round ${round}`, timeout: 20_000 },
    );
  const runsOf = async (counter: string) => Number(await sides.client.get(`test:runs:${counter}`));

  it('ours in Python: as often and at the intervals that were written', async () => {
    const call = { args: [0, 'ours'] };
    const repeat = { times: 2, interval: ['1h', '3h'] };
    const job = await sides.nest.queue().enqueueCall('tasks.fail_n_times', call, { repeat });
    expect(
      await sides.python.run(
        'job = fetch(given); return [job.repeats_left, job.repeat_intervals]',
        job.id,
      ),
    ).toEqual([2, [10_800, 3600]]);

    await sides.python.worker('shared', { scheduler: true });
    expect(await job.result({ timeout: '20s' })).toBe(1);
    for (const [round, seconds] of [
      [1, 3600],
      [2, 10_800],
    ] as const) {
      await roundOver('ours', round);
      // RQ counts in whole seconds.
      expect(await waitAfter(job.id)).toBeGreaterThan(seconds - 1.1);
      expect(await waitAfter(job.id)).toBeLessThan(seconds + 60);
      await bringForward(job.id);
    }
    await roundOver('ours', 3);
    expect(await job.status()).toBe('finished');
    expect(await job.result()).toBe(3);
  });

  it('Python’s here: by RQ’s rule, which reads the list from its end', async () => {
    const id = await sides.python.run<string>(`
      return queue().enqueue('look', repeat=Repeat(times=2, interval=[1, 5])).id
    `);
    const began: number[] = [];
    await sides.nest.worker({ look: () => began.push(Date.now()) });
    await eventually(() => began.length === 1, { what: 'the first run' });
    const between = await lookWhen(sides.python, id, 'scheduled');
    expect(between).toMatchObject({ places: ['scheduled'], return_value: 1, results: 1 });

    await eventually(() => began.length === 3, { what: 'three runs', timeout: 20_000 });
    const [first = 0, second = 0, third = 0] = began;
    expect(second - first).toBeGreaterThanOrEqual(5000);
    expect(third - second).toBeGreaterThanOrEqual(1000);
    expect(third - second).toBeLessThan(5000);
    const last = await lookWhen(sides.python, id, 'finished');
    expect(last).toMatchObject({ places: ['finished'], return_value: 3, results: 3 });
  });

  it.each([true, false])(
    'round by round in both (Python first: %s): each counts once',
    async (isPythonFirst) => {
      const call = { args: [0, 'both'] };
      // Nobody but the test has it run again: no worker has two rounds.
      const repeat = { times: 3, interval: '1h' };
      const job = await sides.nest.queue().enqueueCall('tasks.fail_n_times', call, { repeat });
      const handlers = { 'tasks.fail_n_times': () => sides.client.incr('test:runs:both') };
      for (let round = 1; round <= 4; round += 1) {
        await bringForward(job.id);
        if ((round % 2 === 1) === isPythonFirst) {
          await eventually(
            async () => {
              await sides.python.run(`
              scheduler = RQScheduler(['shared'], connection, serializer=JSONSerializer)
              scheduler.acquire_locks()
              scheduler.prepare_registries(['shared'])
              scheduler.enqueue_scheduled_jobs()
            `);
              return (await sides.nest.queue().count()) === 1;
            },
            { what: 'the job to be due', every: 200 },
          );
          await sides.python.worker('shared', { burst: true });
          await sides.client.del('rq:scheduler-lock:shared');
        } else {
          await sides.client.del('rq:scheduler-lock:shared');
          await sides.nest.worker(handlers);
          await roundOver('both', round);
          await sides.nest.stopWorkers();
        }
        expect(await runsOf('both')).toBe(round);
      }
      const isOver = async () => (await job.status()) === 'finished';
      await eventually(isOver, { what: 'its end' });
      expect(await look(sides.python, job.id)).toMatchObject({ places: ['finished'] });
      expect(await sides.python.run('return fetch(given).repeats_left', job.id)).toBe(0);
    },
  );

  it('a failure here ends it, as in RQ; rq requeue goes on with what is left', async () => {
    const id = await sides.python.run<string>(`
      return queue().enqueue('look', repeat=Repeat(times=2)).id
    `);
    let runs = 0;
    await sides.nest.worker({
      look: () => {
        runs += 1;
        if (runs === 2) throw new Error('boom');
      },
    });
    const failed = await lookWhen(sides.python, id, 'failed');
    expect(failed.places).toEqual(['failed']);
    await sides.python.run('fetch(given).requeue()', id);
    await lookWhen(sides.python, id, 'finished');
    expect(runs).toBe(4);
  });
});

/** Unique jobs of ours beside Python's workers and programs. */
describeInterop('unique jobs and Python', () => {
  const sides = useBothSides();
  const enqueue = (unique: { for?: string; replace?: boolean } = {}, value: unknown = 1) =>
    sides.nest
      .queue()
      .enqueueCall('tasks.add', { args: [value] }, { unique: { by: 'a', ...unique } });

  it.each(['finished', 'failed'])('one that %s in Python keeps nobody out', async (how) => {
    const first = await enqueue({}, how === 'finished' ? 1 : 'text');
    expect((await enqueue()).isNew).toBe(false);
    await sides.python.worker('shared', { burst: true });
    expect(await first.status()).toBe(how);
    expect((await enqueue()).isNew).toBe(true);
  });

  it.each([
    ['deleted', 'fetch(given).delete()'],
    ['canceled', 'fetch(given).cancel()'],
    ['emptied away', 'queue().empty()'],
  ])('one that Python %s keeps nobody out', async (_, code) => {
    const first = await enqueue();
    await sides.python.run(code, first.id);
    expect((await enqueue()).isNew).toBe(true);
  });

  it('Python keeps what makes it unique when it saves the job', async () => {
    const first = await enqueue();
    await sides.python.run('fetch(given).save()', first.id);
    expect((await enqueue()).isNew).toBe(false);
  });

  it('Python runs the newest data', async () => {
    const first = await enqueue({ replace: true });
    await enqueue({ replace: true }, 41);
    await sides.python.worker('shared', { burst: true });
    expect(await first.result()).toBe(41);
  });
});
