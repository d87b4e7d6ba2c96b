import { jest } from '@jest/globals';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { NestSide } from './nest-side.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** What we note about a job beside RQ's data dies with its reason, whoever moves the job. */
describeInterop('our own marks', () => {
  const sides = useBothSides();

  /** The leases of what runs were renewed so often since. */
  async function renewed(times: number): Promise<void> {
    const lease = async () =>
      Number((await sides.client.zrange('rq:wip:shared', '0', '0', 'WITHSCORES'))[1]);
    for (let round = 0; round < times; round += 1) {
      const before = await lease();
      await eventually(async () => (await lease()) > before, { what: 'the lease to be renewed' });
    }
  }

  it('a stop that Python carried out does not end the next run, here, after rq requeue', async () => {
    const job = await sides.nest.queue().enqueueCall('tasks.wait_for', { args: ['never'] });
    const python = await sides.python.worker('shared');
    await eventually(() => sides.client.get('test:runs:never'), { what: 'the job to run' });
    await job.stop();
    await lookWhen(sides.python, job.id, 'stopped');
    await python.kill();
    await sides.python.rq(
      'requeue',
      '--queue',
      'shared',
      '-S',
      'rq.serializers.JSONSerializer',
      job.id,
    );
    const started = deferred();
    const end = deferred<string>();
    let aborted: unknown;
    await sides.nest.worker(
      {
        'tasks.wait_for': (_, { signal }) => {
          signal.addEventListener('abort', () => (aborted = signal.reason));
          started.resolve();
          return end.promise;
        },
      },
      { lease: 1.5, shutdownTimeout: 0.2 },
    );
    await started.promise;
    await renewed(3);
    end.resolve('ran to its end');

    expect(await job.result({ timeout: '10s' })).toBe('ran to its end');
    expect(aborted).toBeUndefined();
    expect(await sides.client.exists('rq:nrq:stops:shared')).toBe(0);
  });

  it('crashes are of no account after rq requeue of a job that then failed in Python', async () => {
    const { id } = await sides.nest.queue().enqueueCall('tasks.fail');
    const recover = async () => {
      await sides.client.zadd('rq:nrq:alive:shared', Date.now(), '15000');
      const { handled } = await sides.nest.store.recover('shared', {
        maxCrashes: 3,
        leaseMs: 15_000,
      });
      return handled.map(({ outcome }) => outcome);
    };
    const crash = async () => {
      await sides.client.del('rq:queue:shared');
      await sides.client.hset(`rq:job:${id}`, 'status', 'started');
      await sides.client.zadd('rq:wip:shared', 1, `${id}:dead`);
      return recover();
    };
    expect([await crash(), await crash()]).toEqual([['requeued'], ['requeued']]);
    await sides.python.worker('shared', { burst: true });
    await lookWhen(sides.python, id, 'failed');
    await sides.python.rq(
      'requeue',
      '--queue',
      'shared',
      '-S',
      'rq.serializers.JSONSerializer',
      id,
    );

    expect([await crash(), await crash(), await crash()]).toEqual([
      ['requeued'],
      ['requeued'],
      ['failed'],
    ]);
    expect(await look(sides.python, id)).toMatchObject({ places: ['failed'] });
  });

  it('an RQ worker whose work horse starts slowly keeps its job, for many leases of ours', async () => {
    const id = await sides.python.run<string>('return queue().enqueue("tasks.add", 1, 2).id');
    // As far as RQ's parent goes: popped, and entered as running.
    await sides.python.run(
      `
      rq.slow = Worker([queue()], connection=connection, serializer=JSONSerializer)
      rq.slow.register_birth()
      rq.slow_job, rq.slow_queue = Queue.dequeue_any(
          [queue()], None, connection=connection, serializer=JSONSerializer
      )
      rq.slow.prepare_execution(rq.slow_job)
      `,
    );
    expect(await sides.client.lrange('rq:queue:shared:intermediate', 0, -1)).toEqual([id]);
    const ran: string[] = [];
    const note = (_: unknown, job: { id: string }) => void ran.push(job.id);
    await sides.nest.worker({ 'tasks.add': note, note }, { lease: 1 });
    const other = await sides.nest.queue().enqueueIn('4s', 'note');
    await other.result({ timeout: '20s' });
    expect(ran).toEqual([other.id]);

    // The work horse.
    await sides.python.run('rq.slow.perform_job(rq.slow_job, rq.slow_queue)');

    expect(await look(sides.python, id)).toMatchObject({
      status: 'finished',
      return_value: 3,
      places: ['finished'],
    });
    expect(await sides.client.get('test:ran:add')).toBe('1');
    expect(ran).toEqual([other.id]);
    expect(await sides.client.llen('rq:queue:shared:intermediate')).toBe(0);
  });

  it('a stop of Python reaches a worker in a database of its own, and no other database', async () => {
    const third = await NestSide.connect(`${sides.redis.url}/3`);
    try {
      const signals: AbortSignal[] = [];
      const hold = (_: unknown, { signal }: { signal: AbortSignal }) => {
        signals.push(signal);
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      };
      await third.worker({ hold }, { shutdownTimeout: 0.2 });
      const job = await third.queue().enqueue('hold', null, { id: 'same' });
      await eventually(() => signals.length === 1, { what: 'the job to run' });
      await sides.nest.worker({ hold }, { shutdownTimeout: 0.2 });
      await sides.nest.queue().enqueue('hold', null, { id: 'same' });
      await eventually(() => signals.length === 2, { what: 'the other to run' });

      await sides.python.run(
        `
        own = Redis.from_url(os.environ['INTEROP_REDIS_URL'] + '/3')
        send_stop_job_command(own, given, serializer=JSONSerializer)
        `,
        job.id,
      );

      await expect(job.result({ timeout: '10s' })).rejects.toMatchObject({
        code: 'RQ_JOB_STOPPED',
      });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    } finally {
      await third.close();
    }
  });
});
