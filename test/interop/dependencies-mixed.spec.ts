import { jest } from '@jest/globals';
import { type Deferred, deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { type Expected, Family, QUEUES, enqueueChild, stateOf, sweep } from './families.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** Every row of "Together with Python" in docs/dependencies.md. */
describeInterop('jobs that wait for each other, in both languages', () => {
  const sides = useBothSides();

  const OURS = ['cancel', 'run', 'wait'] as const;
  const ours = (cancel: string, run: string, wait: string): Expected => ({ cancel, run, wait });

  /** A Python job that nobody runs yet. */
  const pythonJob = (call: string, options = '') =>
    sides.python.run<string>(`return queue('parents').enqueue(${call}${options}).id`);
  const burst = () => sides.python.worker('parents', { burst: true });

  describe('a parent that Python runs, and children of ours', () => {
    it('finishes: Python releases them, once, with all that is ours', async () => {
      const parent = await pythonJob("'tasks.add', 1, 2");
      const family = await Family.of(sides, [parent], OURS);
      const [retried] = await sides.nest.queue().enqueueMany([
        {
          name: 'sum',
          data: { a: 1 },
          options: { dependsOn: parent, retry: { max: 3, interval: 0 }, timeout: '10.5s' },
        },
      ]);
      await burst();
      await family.becomes(ours('queued', 'queued', 'queued'));
      await sweep(sides);
      await family.becomes(ours('queued', 'queued', 'queued'));

      let runs = 0;
      await sides.nest.worker({
        sum: async (_data, job) => {
          runs += 1;
          if (runs === 1) throw new Error('again');
          return { results: await job.parentResults(), retriesLeft: job.retriesLeft };
        },
        'tasks.note': () => 'noted',
      });
      expect(await retried!.result({ timeout: '10s' })).toEqual({ results: [3], retriesLeft: 2 });
      expect(runs).toBe(2);
      // Python has saved it, so it looks for the result in its stream.
      expect((await look(sides.python, retried!.id)).return_value).toEqual({
        results: [3],
        retriesLeft: 2,
      });
      expect(await family.runInPython()).toHaveLength((QUEUES.length - 1) * OURS.length);
    });

    it('fails: those that run are released by Python, the others by the sweep', async () => {
      const parent = await pythonJob("'tasks.fail'");
      const family = await Family.of(sides, [parent], OURS);
      await burst();
      await lookWhen(sides.python, parent, 'failed');
      await family.becomes({ run: 'queued', wait: 'deferred' });
      await family.becomes(ours('canceled', 'queued', 'deferred'), { sweeps: true });
      for (const id of family.ids('cancel')) {
        expect(await sides.client.hget(`rq:job:${id}`, 'nrq_reason')).toContain(parent);
      }
      // Requeued by Python and finished by Node.
      await sides.python.run('fetch(given).requeue()', parent);
      await sides.nest.worker({ 'tasks.fail': () => 'now' }, { queue: 'parents' });
      await family.becomes(ours('queued', 'queued', 'queued'));
    });

    it('one of two vanishes before anybody has looked: canceled, and the reason says so', async () => {
      const gone = await pythonJob("'tasks.add', 1", ', result_ttl=0');
      const other = await sides.nest
        .queue('parents')
        .enqueueCall('tasks.later', {}, { delay: '1h' });
      const family = await Family.of(sides, [gone, other.id]);
      await burst();
      expect(await sides.client.exists(`rq:job:${gone}`)).toBe(0);
      await family.becomes(ours('canceled', 'deferred', 'canceled'), { sweeps: true });
      for (const id of [...family.ids('cancel'), ...family.ids('wait')]) {
        const reason = await sides.client.hget(`rq:job:${id}`, 'nrq_reason');
        expect(reason).toContain(`${gone}`);
        expect(reason).toMatch(/gone/);
      }
      await other.delete();
      await family.becomes(
        { run: 'queued', python: 'queued', allowing: 'queued' },
        { sweeps: true },
      );
    });

    it('repeats: a child that was released runs once', async () => {
      const parent = await pythonJob("'tasks.add', 1, 2", ', repeat=Repeat(times=2)');
      const family = await Family.of(sides, [parent], OURS);
      await burst();
      expect(await sides.client.get('test:ran:add')).toBe('3');
      expect(await family.runInPython()).toHaveLength(QUEUES.length * OURS.length);
      await sides.python.run('queue("parents").enqueue_job(fetch(given))', parent);
      await burst();
      expect(await family.runInPython()).toHaveLength(QUEUES.length * OURS.length);
    });

    it('repeats in Python although Node has run it, and released the child', async () => {
      const parent = await pythonJob("'tasks.add', 1, 2", ', repeat=Repeat(times=1)');
      const family = await Family.of(sides, [parent]);
      await sides.nest.worker({ 'tasks.add': () => 3 }, { queue: 'parents' });
      await lookWhen(sides.python, parent, 'finished');
      const count = (await family.runInPython()).length;
      await sides.nest.stopWorkers();
      await sides.python.run('queue("parents").enqueue_job(fetch(given))', parent);
      await burst();
      expect(await family.runInPython()).toHaveLength(count);
    });
  });

  describe('a parent that Node runs, and a child of Python', () => {
    it('the child finds its result, whoever runs it and wherever', async () => {
      const parent = await sides.nest.queue('parents').enqueueCall('tasks.parent', {});
      const child = (queue: string) =>
        sides.python.run<string>(
          `return queue(given['queue']).enqueue('tasks.of_parent', depends_on=given['parent']).id`,
          { queue, parent: parent.id },
        );
      const ids = [await child('python-only'), await child('other')];
      await sides.nest.worker({ 'tasks.parent': () => ({ a: [1, 'ü'] }) }, { queue: 'parents' });
      await parent.result({ timeout: '10s' });
      await sides.python.worker(['python-only', 'other'], { burst: true });
      for (const id of ids) {
        expect((await lookWhen(sides.python, id, 'finished')).return_value).toEqual({
          status: 'finished',
          value: { a: [1, 'ü'] },
        });
      }
    });

    it('is released in the step that ends the parent, never before', async () => {
      // Known to workers, from when it was used before. A worker that waits there takes a job the moment it is there.
      await sides.python.run('queue("python-only").enqueue("tasks.nothing")');
      await sides.python.worker('python-only');
      await sides.nest.worker({ 'tasks.parent': (data) => data }, { queue: 'parents' });
      const children: string[] = [];
      for (let round = 0; round < 20; round += 1) {
        const parent = await sides.nest
          .queue('parents')
          .enqueueIn('1s', 'tasks.parent', round, { id: `parent-${round}` });
        children.push(
          await sides.python.run<string>(
            `return queue('python-only').enqueue('tasks.of_parent', depends_on=given).id`,
            parent.id,
          ),
        );
      }
      for (const [round, id] of children.entries()) {
        expect((await lookWhen(sides.python, id, 'finished')).return_value).toEqual({
          status: 'finished',
          value: round,
        });
      }
    });

    // DEPENDENT_PAIRS=10000 is the long round.
    const pairs = Number(process.env['DEPENDENT_PAIRS'] ?? 60);
    it.each([500, 0])(
      'that ends while Python enqueues the child (result_ttl %d): each child runs once',
      async (resultTtl) => {
        await sides.nest.worker({ 'tasks.parent': () => 1 }, { queue: 'parents', concurrency: 10 });
        const children = await sides.python.run<string[]>(
          `
          import random, time
          children = []
          for number in range(given['pairs']):
              parent = queue('parents').enqueue('tasks.parent', result_ttl=given['ttl'])
              time.sleep(random.random() * 0.002)
              children.append(queue('python-only').enqueue('tasks.note', number, depends_on=parent).id)
          return children
          `,
          { pairs, ttl: resultTtl },
        );
        // Python may store a child after its parent was settled, and nobody tells it then: in RQ, too.
        await eventually(
          async () => {
            await sweep(sides);
            return (await sides.client.zcard('rq:deferred:python-only')) === 0;
          },
          { what: 'no child to wait', every: 20, timeout: 20_000 },
        );
        const queued = await sides.client.lrange('rq:queue:python-only', 0, -1);
        expect(queued.toSorted()).toEqual(children.toSorted());
        expect(await sides.client.keys('rq:job:*:dependents')).toEqual([]);
      },
      60_000 + pairs * 20,
    );

    it('ours finds results of both languages', async () => {
      const python = await pythonJob("'tasks.echo', 'x'");
      const node = await sides.nest.queue('node').enqueue('parent');
      const child = await sides.nest.queue().enqueue('child', null, { dependsOn: [node, python] });
      await burst();
      await sides.nest.worker({ parent: () => ({ from: 'node' }) }, { queue: 'node' });
      await sides.nest.worker({ child: (_data, job) => job.parentResults() });
      expect(await child.result({ timeout: '10s' })).toEqual([
        { from: 'node' },
        { args: ['x'], kwargs: {} },
      ]);
    });
  });

  describe('Python puts an end to a parent of ours', () => {
    it.each<[string, string, Expected]>([
      ['cancels', 'fetch(given).cancel()', ours('canceled', 'queued', 'deferred')],
      ['deletes', 'fetch(given).delete()', ours('canceled', 'queued', 'canceled')],
      ['empties away', 'queue("parents").empty()', ours('canceled', 'queued', 'canceled')],
    ])("%s it: found by the sweep of the child's queue", async (_what, code, expected) => {
      const parent = await sides.nest.queue('parents').enqueueCall('tasks.parent', {});
      const family = await Family.of(sides, [parent.id], OURS);
      await sides.python.run(code, parent.id);
      await family.becomes(expected, { sweeps: true });
    });

    it('cancels it and enqueues what waits: those run', async () => {
      const parent = await sides.nest.queue('parents').enqueueCall('tasks.parent', {});
      const family = await Family.of(sides, [parent.id], OURS);
      await sides.python.run('fetch(given).cancel(enqueue_dependents=True)', parent.id);
      await family.becomes(ours('queued', 'queued', 'queued'));
      await sweep(sides);
      await family.becomes(ours('queued', 'queued', 'queued'));
    });
  });

  describe('a child comes to an end while it waits', () => {
    it.each<[string, (id: string) => Promise<unknown>]>([
      ['is canceled here', (id) => sides.nest.queue('other').job(id).cancel()],
      ['is canceled by Python', (id) => sides.python.run('fetch(given).cancel()', id)],
      ['is deleted here', (id) => sides.nest.queue('other').job(id).delete()],
      ['is deleted by Python', (id) => sides.python.run('fetch(given).delete()', id)],
    ])('%s: its own children are told, and it never runs', async (what, end) => {
      const parent = await sides.nest.queue('parents').enqueueCall('tasks.parent', {});
      const child = await enqueueChild(sides, 'other', 'wait', [parent.id]);
      const family = await Family.of(sides, [child], OURS);
      await end(child);
      const isDeleted = what.includes('deleted');
      await family.becomes(ours('canceled', 'queued', isDeleted ? 'canceled' : 'deferred'), {
        sweeps: true,
      });
      await sides.nest.worker({ 'tasks.parent': () => 1 }, { queue: 'parents' });
      await parent.result({ timeout: '10s' });
      await sweep(sides);
      expect(await sides.client.llen('rq:queue:other')).toBe(1); // the one that runs whatever becomes of it
      expect(await sides.client.exists(`rq:job:${parent.id}:dependents`)).toBe(0);
    });

    it('expires: its own children are told by the sweep', async () => {
      const parent = await sides.nest.queue('parents').enqueueCall('tasks.parent', {});
      const child = await sides.nest
        .queue('other')
        .enqueue('child', null, { dependsOn: parent, ttl: '10m' });
      const family = await Family.of(sides, [child.id], OURS);
      // As if the time had passed.
      expect(await sides.client.ttl(`rq:job:${child.id}`)).toBeGreaterThan(0);
      await sides.client.pexpire(`rq:job:${child.id}`, 1);
      await eventually(async () => (await sides.client.exists(`rq:job:${child.id}`)) === 0, {
        what: 'the child to expire',
      });
      await family.becomes(ours('canceled', 'queued', 'canceled'), { sweeps: true });
      expect(await sides.client.zscore('rq:deferred:other', child.id)).toBeNull();
    });
  });

  it('both parents end at once, one here, one in Python: one release', async () => {
    const rounds = 15;
    await sides.python.worker('parents');
    const gates = new Map<string, Deferred<void>>();
    await sides.nest.worker(
      { hold: (_data, job) => gates.get(job.id)?.promise },
      { queue: 'node', concurrency: rounds },
    );
    for (let round = 0; round < rounds; round += 1) {
      const id = `here-${round}`;
      gates.set(id, deferred());
      const here = await sides.nest.queue('node').enqueue('hold', null, { id });
      const there = await pythonJob(`'tasks.wait_for', 'go-${round}'`);
      const family = await Family.of(sides, [here.id, there]);
      await eventually(() => sides.client.get(`test:runs:go-${round}`), { what: 'it to run' });
      await sides.client.set(`go-${round}`, '1');
      gates.get(id)!.resolve();
      await family.becomes({
        cancel: 'queued',
        run: 'queued',
        wait: 'queued',
        python: 'queued',
        allowing: 'queued',
      });
    }
    for (const queue of QUEUES) {
      const ids = await sides.client.lrange(`rq:queue:${queue}`, 0, -1);
      expect(ids).toHaveLength(rounds * 5);
      expect(new Set(ids).size).toBe(ids.length);
      expect(await stateOf(sides.client, queue, ids[0]!)).toBe('queued');
    }
  });
});
