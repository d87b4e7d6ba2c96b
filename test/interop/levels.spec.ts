import { jest } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look } from './python-view.js';

jest.setTimeout(90_000);

/** Levels are lists of RQ: what one side puts there, the other one runs. */
describeInterop('jobs with a priority', () => {
  const sides = useBothSides();
  const counter = 'levels';

  it('rq worker shared!high shared shared!low runs ours in order; they end in our queue', async () => {
    const queue = sides.nest.queue();
    const priorities = ['low', 'normal', 'high', 'low', 'high', 'normal'] as const;
    const jobs = [];
    for (const [index, priority] of priorities.entries()) {
      const args = [0, `${counter}:${priority}${index}`];
      jobs.push(await queue.enqueueCall('tasks.fail_n_times', { args }, { priority }));
    }
    expect(await queue.count()).toBe(6);
    await sides.python.worker(['shared!high', 'shared', 'shared!low'], { burst: true });
    expect(await queue.counts()).toMatchObject({ queued: 0, finished: 6 });
    const times = await Promise.all(
      priorities.map(async (priority, index) => ({
        priority,
        at: Number(await sides.client.lindex(`test:times:${counter}:${priority}${index}`, 0)),
      })),
    );
    const order = times.toSorted((one, other) => one.at - other.at).map(({ priority }) => priority);
    // Of the levels one job at most stands in RQ's list, to wake a worker of ours: here the first, a low one.
    expect(order).toEqual(['high', 'high', 'low', 'normal', 'normal', 'low']);
    expect((await look(sides.python, jobs[2]!.id)).is_finished).toBe(true);
  });

  it('what Python enqueues in shared!high is run here, and ends in our queue', async () => {
    const [normal, high] = await sides.python.run<string[]>(
      'return [queue().enqueue("tasks.add", 1).id, queue("shared!high").enqueue("tasks.add", 2).id]',
    );
    const order: unknown[] = [];
    await sides.nest.worker({ 'tasks.add': (_, job) => order.push(job.id) }, { concurrency: 1 });
    const queue = sides.nest.queue();
    await eventually(async () => (await queue.counts()).finished === 2, {
      what: 'both jobs',
      timeout: 20_000,
    });
    // The sweep looks when the worker starts, and then every ten seconds: the other one may be quicker than it.
    expect(order).toHaveLength(2);
    expect(order).toEqual(expect.arrayContaining([normal, high]));
    expect(await queue.getJob(high!)).toBeDefined();
    expect((await look(sides.python, high!)).is_finished).toBe(true);
  });

  it('cancel and delete of Python find ours in a level', async () => {
    const queue = sides.nest.queue();
    await queue.enqueueCall('tasks.add', { args: [1] });
    const options = { priority: 'high' } as const;
    const job = await queue.enqueueCall('tasks.add', { args: [1] }, options);
    await sides.python.run('fetch(given).cancel()', job.id);
    expect(await job.status()).toBe('canceled');
    const ran: string[] = [];
    await sides.nest.worker({ 'tasks.add': (_, one) => ran.push(one.id) }, { burst: true });
    await eventually(async () => (await queue.counts()).finished === 1, { what: 'the other' });
    expect(ran).not.toContain(job.id);
    expect(await queue.count()).toBe(0);
  });
});
