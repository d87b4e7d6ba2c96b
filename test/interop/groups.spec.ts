import { jest } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** Groups of one name, used from both languages. */
describeInterop('groups', () => {
  const sides = useBothSides();
  const group = () => sides.nest.queue().group('g');

  /** What RQ's class says of the group. */
  const inPython = () =>
    sides.python.run<{ ids: string[]; all: string[] }>(`
      from rq.group import Group
      jobs = Group.fetch('g', connection).get_jobs()
      return {'ids': sorted(job.id for job in jobs if job.group_id == 'g'), 'all': [one.name for one in Group.all(connection)]}
    `);
  /** Adds jobs by RQ's own means. */
  const addInPython = (calls: readonly [string, ...unknown[]][], resultTtl = 500) =>
    sides.python.run<string[]>(
      `
      from rq.group import Group
      datas = [Queue.prepare_data(call[0], call[1:], result_ttl=given['ttl']) for call in given['calls']]
      return [job.id for job in Group.create(connection, 'g').enqueue_many(queue('shared'), datas)]
      `,
      { calls, ttl: resultTtl },
    );
  const sweep = async () => {
    await sides.client.del('rq:nrq:group-swept');
    await sides.nest.store.recover('shared', { maxCrashes: 3, leaseMs: 15_000 });
  };
  const statusOf = (id: string) => sides.client.hget(`rq:job:${id}`, 'status');

  it('of ours are RQ’s, and the sweep finds what Python’s workers have run', async () => {
    const queue = sides.nest.queue();
    const options = { group: 'g' };
    const jobs = [
      await queue.enqueueCall('tasks.add', { args: [1] }, { ...options, resultTtl: 0 }),
      await queue.enqueueCall('tasks.add', { args: [2] }, options),
      await queue.enqueueCall('tasks.fail', {}, options),
    ];
    expect(await inPython()).toEqual({ ids: jobs.map(({ id }) => id).toSorted(), all: ['g'] });
    const after = (ifFailed: 'cancel' | 'run') =>
      sides.nest
        .queue('end')
        .enqueueCall('tasks.nothing', {}, { dependsOn: { group: 'g', ifFailed } });
    const [run, cancel] = [await after('run'), await after('cancel')];
    await sides.python.worker('shared', { burst: true });
    await lookWhen(sides.python, jobs[2]!.id, 'failed');
    expect(await statusOf(run.id)).toBe('deferred');
    await eventually(
      async () => {
        await sweep();
        return (await statusOf(run.id)) === 'queued';
      },
      { what: 'the sweep to release the job', every: 20 },
    );
    expect(await statusOf(cancel.id)).toBe('canceled');
    // What Python has deleted at its end, nobody can tell from what was deleted before it.
    expect(await group().status()).toEqual({
      total: 3,
      pending: 0,
      finished: 1,
      failed: 1,
      canceled: 1,
    });
    // Python runs the job that waited.
    await sides.python.worker('end', { burst: true });
    await lookWhen(sides.python, run.id, 'finished');
  });

  it('take in what Python’s Group adds, and Node’s workers run it to the end', async () => {
    const ids = await addInPython([
      ['tasks.add', 1],
      ['tasks.echo', 2],
    ]);
    const own = await sides.nest
      .queue()
      .enqueueCall('tasks.echo', {}, { group: 'g', resultTtl: 0 });
    const end = await sides.nest.queue('end').enqueue('end', null, { dependsOn: { group: 'g' } });
    expect(await group().status()).toMatchObject({ total: 3, pending: 3 });
    await sides.nest.worker({ 'tasks.add': () => 1, 'tasks.echo': () => 2 });
    expect(await group().wait({ timeout: '20s' })).toMatchObject({ total: 3, finished: 3 });
    expect(await statusOf(end.id)).toBe('queued');
    expect((await inPython()).ids).toEqual(ids.toSorted());
    expect(await own.status().catch(({ code }: { code: string }) => code)).toBe('RQ_JOB_NOT_FOUND');
    // Python finds its results, and can delete its jobs: the group is still there.
    expect((await lookWhen(sides.python, ids[0]!, 'finished')).return_value).toBe(1);
    await sides.python.run('[fetch(id).delete() for id in given]', ids);
    await sweep();
    await sweep();
    expect(await sides.client.exists('rq:group:g', 'rq:groups')).toBe(0);
  });

  it('of which Python deletes a job: nobody can requeue it', async () => {
    const queue = sides.nest.queue();
    const [kept] = await Promise.all(
      ['a', 'b'].map((id) => queue.enqueueCall('tasks.echo', {}, { id, group: 'g' })),
    );
    const waiting = await Promise.all(
      (['cancel', 'run', 'wait'] as const).map((ifFailed) =>
        sides.nest.queue('end').enqueue('end', null, { dependsOn: { group: 'g', ifFailed } }),
      ),
    );
    await sides.python.run("fetch('b').delete()");
    await sides.nest.worker({ 'tasks.echo': () => 1 });
    await kept!.result({ timeout: '10s' });
    const statuses = () => Promise.all(waiting.map(({ id }) => statusOf(id)));
    await eventually(
      async () => {
        await sweep();
        return (await statuses()).join() === 'canceled,queued,canceled';
      },
      { what: 'those that wait to be told', every: 20 },
    );
    expect(await group().status()).toMatchObject({ total: 2, finished: 1, canceled: 1 });
  });

  it('whose other jobs are gone lets a Python worker bring the last one to its end', async () => {
    const queue = sides.nest.queue();
    const options = { group: 'g', resultTtl: 0 };
    const last = await queue.enqueueCall('tasks.wait_for', { args: ['go'] }, options);
    const worker = await sides.python.worker('shared');
    await eventually(() => sides.client.get('test:runs:go'), { what: 'it to run' });
    const here = await sides.nest.queue('node').enqueue('here', null, options);
    await sides.nest.worker({ here: () => 1 }, { queue: 'node' });
    await eventually(async () => (await sides.client.exists(`rq:job:${here.id}`)) === 0, {
      what: 'ours to be gone',
    });
    expect((await inPython()).ids).toEqual([last.id]);
    await sides.client.set('go', '1');
    await eventually(async () => (await sides.client.exists(`rq:job:${last.id}`)) === 0, {
      what: 'the last one to be gone',
    });
    // RQ's worker quits when the group of a job that has ended is not there.
    await sides.python.run("queue('shared').enqueue('tasks.note', 'alive')");
    await eventually(async () => (await sides.client.lrange('test:noted', 0, -1)).length === 1, {
      what: 'the worker to go on',
    });
    expect(worker.output()).not.toContain('NoSuchGroupError');
  });

  it('hears of what Python cancels and requeues', async () => {
    const queue = sides.nest.queue();
    const jobs = await Promise.all(
      ['a', 'b', 'c'].map((id) => queue.enqueueCall('tasks.echo', {}, { id, group: 'g' })),
    );
    const end = await sides.nest
      .queue('end')
      .enqueue('end', null, { dependsOn: { group: 'g', ifFailed: 'wait' } });
    await sides.python.run("fetch('a').cancel()");
    await sides.nest.worker({
      'tasks.echo': (_data, job) => {
        if (job.id === 'b' && job.attempt === 1) throw new Error('once');
      },
    });
    await jobs[2]!.result({ timeout: '10s' });
    await lookWhen(sides.python, 'b', 'failed');
    await eventually(async () => (await group().status()).pending === 0, { what: 'the group' });
    expect(await statusOf(end.id)).toBe('deferred');
    await sides.python.run("fetch('b').requeue()");
    await jobs[0]!.requeue();
    await eventually(
      async () => {
        await sweep();
        return (await statusOf(end.id)) === 'queued';
      },
      { what: 'the job that waits', every: 50, timeout: 20_000 },
    );
    expect(await group().status()).toMatchObject({ total: 3, finished: 3 });
  });
});
