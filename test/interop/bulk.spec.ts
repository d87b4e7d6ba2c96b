import { jest } from '@jest/globals';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** What is done here to many jobs, RQ sees as if it had been done to each. */
describeInterop('bulk actions', () => {
  const sides = useBothSides();

  const info = () => sides.python.rq('info', '--raw', '-Q');
  const registry = (kind: string) =>
    sides.python.run<string[]>(`return registry(given).get_job_ids()`, kind);
  /** Jobs of both languages. */
  async function enqueueBoth(): Promise<string[]> {
    const ours = await sides.nest
      .queue()
      .enqueueMany([1, 2, 3].map((n) => ({ name: 'note', data: n })));
    const theirs = await sides.python.run<string[]>(
      `return [queue('shared').enqueue('note', n, retry=Retry(max=2)).id for n in range(3)]`,
    );
    return [...ours.map(({ id }) => id), ...theirs];
  }

  it('fail, requeue with fresh retries, finish, requeue again', async () => {
    const ids = await enqueueBoth();
    const failing = await sides.nest.worker({ note: () => Promise.reject(new Error('no')) });
    for (const id of ids) await lookWhen(sides.python, id, 'failed');
    await failing.stop();
    expect(await info()).toBe('queue shared 0, 0 executing, 0 finished, 6 failed\n');

    const report = await sides.nest.queue().requeue({ in: 'failed' }, { retries: 'fresh' });
    expect(report).toMatchObject({ done: 6, skipped: { state: 0 } });
    expect(await info()).toBe('queue shared 6, 0 executing, 0 finished, 0 failed\n');
    expect(await registry('failed')).toEqual([]);
    const [ours, theirs] = [await look(sides.python, ids[0]!), await look(sides.python, ids[5]!)];
    expect(ours).toMatchObject({ is_queued: true, places: ['queue'], retries_left: null });
    expect(theirs).toMatchObject({ is_queued: true, places: ['queue'], retries_left: 2 });

    const working = await sides.nest.worker({ note: () => 1 });
    for (const id of ids) await lookWhen(sides.python, id, 'finished');
    await working.stop();
    expect(await sides.nest.queue().requeue({ in: 'finished' }, { retries: 4 })).toMatchObject({
      done: 6,
    });
    expect(await look(sides.python, ids[0]!)).toMatchObject({ places: ['queue'], retries_left: 4 });
    expect(await info()).toBe('queue shared 6, 0 executing, 0 finished, 0 failed\n');
  });

  it('cancel by name, Python having deflated it; delete', async () => {
    await enqueueBoth();
    const other = await sides.python.run<string>(`return queue('shared').enqueue('other', 1).id`);
    const queue = sides.nest.queue();
    expect(await queue.cancel({ in: 'queued', name: 'note' })).toMatchObject({ done: 6 });
    expect(await info()).toBe('queue shared 1, 0 executing, 0 finished, 0 failed\n');
    expect(await look(sides.python, other)).toMatchObject({ places: ['queue'] });
    expect(await registry('canceled')).toHaveLength(6);
    expect(await queue.delete({ in: 'canceled' })).toMatchObject({ done: 6 });
    expect(await registry('canceled')).toEqual([]);
  });

  it('what Python scheduled or canceled is promoted and requeued', async () => {
    const [scheduled, canceled] = await sides.python.run<[string, string]>(`
from datetime import timedelta
job = queue('shared').enqueue('note', 2)
job.cancel()
return [queue('shared').enqueue_in(timedelta(hours=1), 'note', 1).id, job.id]
`);
    const queue = sides.nest.queue();
    expect(await queue.promote({ in: 'scheduled' })).toMatchObject({ done: 1 });
    expect(await queue.requeue({ in: 'canceled', after: new Date(0) })).toMatchObject({ done: 1 });
    for (const id of [scheduled, canceled]) {
      expect(await look(sides.python, id)).toMatchObject({ is_queued: true, places: ['queue'] });
    }
  });

  it("a deferred job of Python's that is promoted here runs once, whatever its parent does", async () => {
    const [parent, child] = await sides.python.run<[string, string]>(`
parent = queue('shared').enqueue('tasks.add', 1, 2)
return [parent.id, queue('children').enqueue('tasks.add', 3, 4, depends_on=parent).id]
`);
    const promoted = await sides.nest.queue('children').promote({ in: 'deferred' });
    expect(promoted).toMatchObject({ done: 1 });
    expect((await look(sides.python, child)).places).toEqual(['queue']);
    await sides.python.worker('shared');
    await lookWhen(sides.python, parent, 'finished');
    expect(await sides.client.lrange('rq:queue:children', 0, -1)).toEqual([child]);
    await sides.python.worker('children');
    expect(await lookWhen(sides.python, child, 'finished')).toMatchObject({ return_value: 7 });
  });
});
