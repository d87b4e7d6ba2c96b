// Jobs behind gates and in lanes, where Python works on the same queue: the rows of the table in docs/limits.md.
import { jest } from '@jest/globals';
import type { Handler, RunningJob } from '../../lib/index.js';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look } from './python-view.js';

jest.setTimeout(90_000);

describeInterop('jobs with a key or a limit', () => {
  const sides = useBothSides();
  const queue = () => sides.nest.queue();

  let order: string[] = [];
  afterEach(() => {
    order = [];
  });

  const noting = (_data: unknown, job: RunningJob) => void order.push(String(job.args[0]));
  /** One job of a key at a time; the key is the first letter. */
  const keyed: Partial<Handler> = {
    run: noting,
    key: (data: unknown) => String(data)[0],
    concurrency: { perKey: 1 },
  };

  /** Jobs that both sides can run, in the lane of their first letter. */
  async function waiting(...names: string[]) {
    const jobs = [];
    for (const name of names) {
      const options = { id: name, key: name[0] as string };
      jobs.push(await queue().enqueue('tasks.note', name, options));
    }
    return jobs;
  }

  const done = (count: number) =>
    eventually(() => order.length === count, { what: `${count} runs`, timeout: 20_000 });
  const ranInPython = () => sides.client.lrange('test:noted', 0, -1);

  /** Sweeps, as workers do every ten seconds, until it is so. */
  const sweepUntil = (isSo: () => boolean | Promise<boolean>, what: string) =>
    eventually(
      async () => {
        await sides.client.del('rq:nrq:swept:shared');
        await sides.nest.store.recover('shared', { maxCrashes: 3, leaseMs: 15_000 });
        return isSo();
      },
      { what, every: 50, timeout: 20_000 },
    );

  it('are queued for Python, in no list of its own: its workers never see them', async () => {
    await waiting('a1', 'a2', 'b1');
    await sides.python.worker('shared', { burst: true });
    expect(await ranInPython()).toEqual([]);
    expect(await look(sides.python, 'a2')).toMatchObject({
      status: 'queued',
      is_queued: true,
      places: [],
      args: ['a2'],
    });
    const view = await sides.python.run(
      `
      clean_registries(queue())
      return [queue().count, fetch('a2').get_position(), 'shared' in [q.name for q in Queue.all(connection)]]
      `,
    );
    expect(view).toEqual([0, null, true]);
    const info = await sides.python.rq('info', '--raw');
    expect(info).toMatch(/queue shared 0/);
    expect(await queue().counts()).toMatchObject({ queued: 3 });
    await sides.nest.worker({ 'tasks.note': keyed });
    await done(3);
    expect(order.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2']);
  });

  it('that Python cancels or deletes never run, and hold up nobody', async () => {
    await waiting('a1', 'a2', 'a3', 'b1', 'b2');
    await sides.python.run(
      'fetch("a1").cancel(); fetch("a2").delete(); fetch("b1").cancel(enqueue_dependents=True)',
    );
    expect(await queue().job('a1').status()).toBe('canceled');
    await sides.nest.worker({ 'tasks.note': keyed });
    await done(2);
    await eventually(async () => (await queue().counts()).finished === 2, { what: 'both ends' });
    expect(order.toSorted()).toEqual(['a3', 'b2']);
    expect(await queue().lanes()).toEqual([]);
    expect(await queue().counts()).toMatchObject({ queued: 0, canceled: 2 });
  });

  it('that wait for a rate may be canceled and deleted by Python, too', async () => {
    const rated = { run: noting, rateLimit: { max: 1, per: '1h' } } as const;
    await sides.nest.worker({ 'tasks.note': rated });
    const jobs = [];
    for (const name of ['1', '2', '3', '4'])
      jobs.push(await queue().enqueue('tasks.note', name, { id: name }));
    await done(1);
    await eventually(async () => (await look(sides.python, '2')).places.length === 0, {
      what: 'the next one to be sorted',
    });
    expect(await look(sides.python, '2')).toMatchObject({ status: 'queued', places: [] });
    await sides.python.run('fetch("2").cancel(); fetch("3").delete()');
    await queue().setLimits({ handler: 'tasks.note', rateLimit: false });
    await done(2);
    expect(order).toEqual(['1', '4']);
  });

  it('stay when Python empties or deletes the queue: it knows of its list alone', async () => {
    await waiting('a1', 'a2');
    await queue().enqueue('tasks.add', 1, { id: 'plain' });
    await sides.python.run('queue().empty(); queue().delete(delete_jobs=True)');
    expect(await queue().getJob('plain')).toBeUndefined();
    expect(await queue().count()).toBe(2);
    await sides.nest.worker({ 'tasks.note': keyed });
    await done(2);
    expect(order).toEqual(['a1', 'a2']);
  });

  it('that Python requeues or its scheduler moves are in its list until one of our workers sorts them', async () => {
    const failing = await sides.nest.worker({
      'tasks.note': {
        ...keyed,
        run: () => {
          throw new Error('once');
        },
      },
    });
    await waiting('a1');
    await eventually(async () => (await queue().counts()).failed === 1, { what: 'a failure' });
    await failing.stop();
    await waiting('a2');
    const delayed = { id: 'a3', key: 'a', delay: '1h' } as const;
    await queue().enqueue('tasks.note', 'a3', delayed);
    await sides.client.zadd('rq:scheduled:shared', '1', 'a3');
    await sides.python.run(`
      fetch('a1').requeue()
      connection.delete('rq:scheduler-lock:shared')
      scheduler = RQScheduler([queue()], connection=connection)
      scheduler.acquire_locks()
      scheduler.enqueue_scheduled_jobs()
      scheduler.release_locks()
    `);
    expect(await sides.client.lrange('rq:queue:shared', 0, -1)).toEqual(['a1', 'a3']);
    const gate = deferred();
    const run = async (data: unknown, job: RunningJob) => {
      noting(data, job);
      await gate.promise;
    };
    await sides.nest.worker({ 'tasks.note': { ...keyed, run } });
    // Of the key one runs: the others stand in its lane.
    await eventually(async () => (await queue().lanes())[0]?.waiting === 2, { what: 'the lane' });
    await done(1);
    gate.resolve();
    await done(3);
    expect(order.toSorted()).toEqual(['a1', 'a2', 'a3']);
  });

  describe('that Python enqueues', () => {
    it('get the key that the handler says, and hold its limits', async () => {
      let now = 0;
      let most = 0;
      const gate = deferred();
      const run = async (data: unknown, job: RunningJob) => {
        most = Math.max(most, (now += 1));
        await gate.promise;
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        noting(data, job);
      };
      await sides.python.run('for n in range(10): queue().enqueue("tasks.note", f"a{n}")');
      await sides.nest.worker({ 'tasks.note': { ...keyed, run } }, { concurrency: 10 });
      await eventually(async () => (await queue().lanes())[0]?.waiting === 9, {
        what: 'the others to stand in their lane',
      });
      gate.resolve();
      await done(10);
      expect(most).toBe(1);
      // With one worker; several may have them change places on the way to their lane (docs/limits.md).
      expect(order).toEqual(Array.from({ length: 10 }, (_, n) => `a${n}`));
    });

    it('may bring their key, and are then sorted without being claimed', async () => {
      const snippet = `
        for n in range(3):
            job = Job.create('tasks.note', [f'a{n}'], id=f'a{n}', origin='shared', connection=connection, serializer=JSONSerializer)
            connection.hset(job.key, 'nrq_lane', 'tasks.note\\ttenant-7')
            queue().enqueue_job(job)
      `;
      await sides.python.run(snippet);
      const attempts: number[] = [];
      const run = (_: unknown, job: RunningJob) => {
        attempts.push(job.attempt);
        order.push(String(job.args[0]));
      };
      await sides.nest.worker({ 'tasks.note': { run } }, { concurrency: 1 });
      await done(3);
      expect(order).toEqual(['a0', 'a1', 'a2']);
      expect(attempts).toEqual([1, 1, 1]);
      expect(await sides.client.hget('rq:job:a1', 'nrq_lane')).toBe('tasks.note\ttenant-7');
    });

    it('at the level above are sorted, too, and hold its limits', async () => {
      const gate = deferred();
      const run = async (data: unknown, job: RunningJob) => {
        noting(data, job);
        await gate.promise;
      };
      await waiting('a1');
      await sides.nest.worker({ 'tasks.note': { ...keyed, run } });
      await done(1);
      await sides.python.run('queue("shared!high").enqueue("tasks.note", "a2", job_id="a2")');
      await sweepUntil(
        async () => (await queue().lanes())[0]?.waiting === 1,
        'the job in its lane',
      );
      expect(order).toEqual(['a1']);
      gate.resolve();
      await done(2);
      await eventually(async () => (await queue().counts()).finished === 2, { what: 'both ends' });
    });

    it('may be taken by a Python worker before, which knows no limit of the handler', async () => {
      const gate = deferred();
      const run = async (data: unknown, job: RunningJob) => {
        noting(data, job);
        await gate.promise;
      };
      await waiting('a1');
      const worker = await sides.nest.worker(
        { 'tasks.note': { ...keyed, run } },
        { concurrency: 1 },
      );
      await done(1);
      // Ours has no room, so it sorts nothing.
      await sides.python.run('queue().enqueue("tasks.note", "a2")');
      await sides.python.worker('shared', { burst: true });
      expect(await ranInPython()).toEqual(['a2']);
      expect(order).toEqual(['a1']);
      gate.resolve();
      await worker.stop();
    });
  });

  it("the queue's total counts what Python runs, and does not hold Python", async () => {
    await sides.python.worker('shared');
    await sides.python.run('queue().enqueue("tasks.wait_for", "test:go", job_id="python")');
    await eventually(async () => (await queue().counts()).started === 1, {
      what: 'a run of Python',
      timeout: 20_000,
    });
    const gate = deferred();
    const run = async (data: unknown, job: RunningJob) => {
      noting(data, job);
      await gate.promise;
    };
    await waiting('a1', 'b1');
    await sides.nest.worker({ 'tasks.note': { run } }, { limits: { concurrency: { total: 1 } } });
    await eventually(async () => (await queue().limits()).length > 0, { what: 'the limit' });
    await sweepUntil(async () => (await queue().counts()).started === 1, 'a sweep');
    expect(await queue().counts()).toMatchObject({ started: 1, queued: 2 });
    expect(order).toEqual([]);
    await sides.client.set('test:go', 1);
    // Python tells nobody of the end.
    await sweepUntil(() => order.length === 1, 'the first of ours');
    // One of ours runs, and Python takes one more all the same.
    await sides.python.run('queue().enqueue("tasks.note", "python")');
    await eventually(async () => (await ranInPython()).length === 1, { what: 'one more' });
    expect(order).toHaveLength(1);
    gate.resolve();
    await sweepUntil(() => order.length === 2, 'the second of ours');
  });
});
