import { jest } from '@jest/globals';
import { type JobOptions, RetryJob, type RqJob, SnoozeJob } from '../../lib/index.js';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { type Expected, Family, KINDS, QUEUES, stateOf, sweep } from './families.js';
import { describeInterop } from './python-rq.js';
import { lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** Every row of the table of docs/dependencies.md, with children of both languages in three queues. */
describeInterop('what becomes of jobs that wait for one that Node runs', () => {
  const sides = useBothSides();

  const released: Expected = {
    cancel: 'queued',
    run: 'queued',
    wait: 'queued',
    python: 'queued',
    allowing: 'queued',
  };
  const waiting: Expected = {
    cancel: 'deferred',
    run: 'deferred',
    wait: 'deferred',
    python: 'deferred',
    allowing: 'deferred',
  };
  /** RQ: one that was stopped or canceled is never met. */
  const afterCancel: Expected = {
    cancel: 'canceled',
    run: 'queued',
    wait: 'deferred',
    python: 'deferred',
    allowing: 'deferred',
  };
  const afterFailure: Expected = { ...afterCancel, allowing: 'queued' };
  /** RQ: what is missing is met. */
  const afterDelete: Expected = {
    cancel: 'canceled',
    run: 'queued',
    wait: 'canceled',
    python: 'queued',
    allowing: 'queued',
  };

  const enqueueParent = (options: JobOptions = {}) =>
    sides.nest.queue('parents').enqueueCall('tasks.parent', {}, options);

  /** A worker for parents only: what is released stays where it is. */
  const runParents = (run: (attempt: number) => unknown) =>
    sides.nest.worker(
      { 'tasks.parent': (_data, job) => run(job.attempt) },
      { queue: 'parents', shutdownTimeout: 0.2 },
    );

  const failed = () => Promise.reject(new Error('no luck'));

  it('finishes: all of them run, each once, by either language', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await family.becomes(waiting);
    await runParents(() => 'result');
    await family.becomes(released);
    await sweep(sides);
    await family.becomes(released);
    expect(await family.runInPython()).toEqual(
      QUEUES.flatMap((queue) => KINDS.map((kind) => `${queue} ${kind}`)).toSorted(),
    );
    expect(await sides.client.exists(`rq:job:${parent.id}:dependents`)).toBe(0);
  });

  it('is the last of several that finishes', async () => {
    const [first, second] = [await enqueueParent(), await enqueueParent()];
    const family = await Family.of(sides, [first.id, second.id]);
    const gate = deferred();
    let runs = 0;
    await runParents(() => (runs++ === 0 ? 'first' : gate.promise));
    expect(await first.result({ timeout: '10s' })).toBe('first');
    await family.becomes(waiting);
    gate.resolve();
    await family.becomes(released);
  });

  it('fails for good', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await runParents(failed);
    await family.becomes(afterFailure);
    for (const id of family.ids('cancel')) {
      expect(await sides.client.hget(`rq:job:${id}`, 'nrq_reason')).toContain(parent.id);
    }
    await sweep(sides);
    await family.becomes(afterFailure);
  });

  it('kills its workers', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await sides.client.del('rq:queue:parents');
    await sides.client.hset(`rq:job:${parent.id}`, 'status', 'started');
    await sides.client.zadd('rq:wip:parents', 1, `${parent.id}:dead`);
    await sides.client.zadd('rq:nrq:alive:parents', Date.now(), '15000');
    const { handled } = await sides.nest.store.recover('parents', {
      maxCrashes: 1,
      leaseMs: 15_000,
    });
    expect(handled.map(({ outcome }) => outcome)).toEqual(['failed']);
    await family.becomes(afterFailure);
  });

  it('is stopped', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    const started = deferred();
    await runParents(() => (started.resolve(), new Promise(() => undefined)));
    await started.promise;
    await parent.stop();
    await lookWhen(sides.python, parent.id, 'stopped');
    await family.becomes(afterCancel);
  });

  it('is canceled', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await parent.cancel();
    await family.becomes(afterCancel);
  });

  it('is canceled, and those that wait are released', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await parent.cancel({ dependents: 'release' });
    await family.becomes(released);
  });

  it('is deleted', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await parent.delete();
    await family.becomes(afterDelete, { sweeps: true });
    expect(await sides.client.exists(`rq:job:${parent.id}:dependents`)).toBe(0);
  });

  it('is deleted with all that wait for it', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    await parent.delete({ dependents: 'delete' });
    for (const id of KINDS.flatMap((kind) => family.ids(kind))) {
      expect(await sides.client.exists(`rq:job:${id}`)).toBe(0);
    }
    for (const queue of QUEUES) expect(await sides.client.zcard(`rq:deferred:${queue}`)).toBe(0);
  });

  it('is emptied away', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    expect(await sides.nest.queue('parents').empty()).toBe(1);
    await family.becomes(afterDelete, { sweeps: true });
  });

  it('expires before it has run', async () => {
    const parent = await enqueueParent({ ttl: '10m' });
    const family = await Family.of(sides, [parent.id]);
    // As if the time had passed.
    expect(await sides.client.ttl(`rq:job:${parent.id}`)).toBeGreaterThan(0);
    await sides.client.pexpire(`rq:job:${parent.id}`, 1);
    await eventually(async () => (await sides.client.exists(`rq:job:${parent.id}`)) === 0, {
      what: 'the parent to expire',
    });
    await family.becomes(afterDelete, { sweeps: true });
  });

  it.each<[string, () => unknown]>([
    [
      'is retried at once',
      () => {
        throw new RetryJob({ in: 0 });
      },
    ],
    [
      'is retried later',
      () => {
        throw new RetryJob({ in: '0.3s' });
      },
    ],
    [
      'is snoozed',
      () => {
        throw new SnoozeJob({ for: '0.3s' });
      },
    ],
  ])('%s: nothing, until it finishes', async (_what, putOff) => {
    const parent = await enqueueParent({ retry: { max: 1, interval: 0 } });
    const family = await Family.of(sides, [parent.id]);
    const again = deferred();
    let runs = 0;
    await runParents(() => (runs++ === 0 ? putOff() : again.promise));
    await eventually(() => runs === 2, { what: 'the second run' });
    await family.becomes(waiting);
    again.resolve();
    await family.becomes(released);
  });

  it('repeats: they run after its first round, each once', async () => {
    const parent = await enqueueParent({ repeat: { times: 1, interval: 0 } });
    const family = await Family.of(sides, [parent.id]);
    const again = deferred();
    let runs = 0;
    await runParents(() => (runs++ === 0 ? 'first' : again.promise));
    await eventually(() => runs === 2, { what: 'the second round' });
    await family.becomes(released);
    again.resolve();
    await lookWhen(sides.python, parent.id, 'finished');
    await sweep(sides);
    await family.becomes(released);
    for (const queue of QUEUES) {
      expect(await sides.client.llen(`rq:queue:${queue}`)).toBe(KINDS.length);
    }
  });

  it('is given back by a worker that stops: nothing, until it finishes', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    const started = deferred();
    const worker = await runParents(() => (started.resolve(), new Promise(() => undefined)));
    await started.promise;
    await worker.stop();
    expect(await stateOf(sides.client, 'parents', parent.id)).toBe('queued');
    await family.becomes(waiting);
    await runParents(() => 'done');
    await family.becomes(released);
  });

  it('is requeued here after it failed: canceled ones wait again, and run when it finishes', async () => {
    const parent = await enqueueParent();
    const family = await Family.of(sides, [parent.id]);
    const worker = await runParents(failed);
    await family.becomes(afterFailure);
    await worker.stop();
    await parent.requeue();
    await family.becomes({ ...afterFailure, cancel: 'deferred' });
    await runParents(() => 'now');
    await family.becomes(released);
    expect(await family.runInPython()).toHaveLength(QUEUES.length * KINDS.length);
  });

  describe('it is requeued by rq requeue', () => {
    async function requeuedFamily(): Promise<{ parent: RqJob; family: Family }> {
      const parent = await enqueueParent();
      const family = await Family.of(sides, [parent.id]);
      const worker = await runParents(failed);
      await family.becomes(afterFailure);
      await worker.stop();
      const json = ['-S', 'rq.serializers.JSONSerializer'];
      await sides.python.rq('requeue', '--queue', 'parents', ...json, parent.id);
      return { parent, family };
    }

    it('and finished by a Node worker: all run', async () => {
      const { family } = await requeuedFamily();
      await runParents(() => 'now');
      await family.becomes(released);
    });

    it('and finished by a Python worker: what was canceled stays so', async () => {
      const { parent, family } = await requeuedFamily();
      await sides.client.hset(`rq:job:${parent.id}`, 'data', '["tasks.nothing",null,[],{}]');
      await sides.python.worker('parents', { burst: true });
      await family.becomes({ ...released, cancel: 'canceled' });
      await sweep(sides);
      await family.becomes({ ...released, cancel: 'canceled' });
    });
  });

  describe('when they are enqueued', () => {
    it('has finished: they run at once', async () => {
      const parent = await enqueueParent();
      const worker = await runParents(() => 'early');
      await parent.result({ timeout: '10s' });
      await worker.stop();
      const family = await Family.of(sides, [parent.id]);
      await family.becomes(released);
    });

    it.each<[string, (parent: RqJob) => Promise<void>]>([
      [
        'failed',
        async (parent) => {
          const worker = await runParents(failed);
          await lookWhen(sides.python, parent.id, 'failed');
          await worker.stop();
        },
      ],
      [
        'stopped',
        async (parent) => {
          const started = deferred();
          const worker = await runParents(() => (started.resolve(), new Promise(() => undefined)));
          await started.promise;
          await parent.stop();
          await lookWhen(sides.python, parent.id, 'stopped');
          await worker.stop();
        },
      ],
      ['canceled', (parent) => parent.cancel()],
    ])('has %s: ours as when it had ended later, Python as RQ does', async (_status, end) => {
      const parent = await enqueueParent();
      await end(parent);
      const family = await Family.of(sides, [parent.id], ['cancel', 'run', 'wait', 'python']);
      const { cancel, run, wait, python } = afterCancel;
      await family.becomes({ cancel, run, wait, python });
      for (const id of family.ids('cancel')) {
        expect(await sides.client.hget(`rq:job:${id}`, 'nrq_reason')).toContain(parent.id);
      }
      // It does not matter who was quicker: a requeue finds them.
      await parent.requeue();
      await family.becomes({ cancel: 'deferred', run, wait, python });
      await runParents(() => 'now');
      await family.becomes({ cancel: 'queued', run, wait: 'queued', python: 'queued' });
    });

    it("does not exist: they run at once, by RQ's rule", async () => {
      const family = await Family.of(sides, ['nobody'], ['cancel', 'run', 'wait']);
      await family.becomes({ cancel: 'queued', run: 'queued', wait: 'queued' });
    });

    it('is made by Python and not enqueued: they wait', async () => {
      const parent = await sides.python.run<string>(
        `
        job = queue('parents').create_job('tasks.nothing')
        job.save()
        return job.id
        `,
      );
      const family = await Family.of(sides, [parent], ['cancel', 'run', 'wait']);
      await family.becomes({ cancel: 'deferred', run: 'deferred', wait: 'deferred' });
      await sweep(sides);
      await family.becomes({ cancel: 'deferred', run: 'deferred', wait: 'deferred' });
      await sides.python.run('queue("parents").enqueue_job(fetch(given))', parent);
      await sides.python.worker('parents', { burst: true });
      await family.becomes({ cancel: 'queued', run: 'queued', wait: 'queued' });
    });
  });
});
