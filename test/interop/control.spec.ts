import { jest } from '@jest/globals';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

const JSON_OPTION = ['-S', 'rq.serializers.JSONSerializer'];

/** Each side controls the jobs and the workers of the other with its ordinary means. */
describeInterop('control across the languages', () => {
  const sides = useBothSides();

  /** A handler that runs until the test lets it go on, and tells whether its signal was aborted. */
  function held() {
    const started = deferred();
    const release = deferred();
    const aborted = deferred<unknown>();
    const run = async (_data: unknown, job: { signal: AbortSignal }) => {
      job.signal.addEventListener('abort', () => aborted.resolve(job.signal.reason), {
        once: true,
      });
      started.resolve();
      await Promise.race([release.promise, aborted.promise]);
      job.signal.throwIfAborted();
      return 'released';
    };
    return {
      run,
      started: started.promise,
      aborted: aborted.promise,
      release: () => release.resolve(),
    };
  }

  describe('Python cancels and deletes', () => {
    it('a waiting job of ours never runs', async () => {
      const ran: unknown[] = [];
      const canceled = await sides.nest.queue().enqueue('note', 'canceled');
      const other = await sides.nest.queue().enqueue('note', 'other');
      await sides.python.run('fetch(given).cancel()', canceled.id);
      await sides.nest.worker({ note: (data) => void ran.push(data) }, { concurrency: 1 });
      await other.result({ timeout: '10s' });
      expect(ran).toEqual(['other']);
      expect(await canceled.status()).toBe('canceled');
      expect((await look(sides.python, canceled.id)).places).toEqual(['canceled']);
      await expect(canceled.result({ timeout: '1s' })).rejects.toMatchObject({
        code: 'RQ_JOB_CANCELED',
      });
    });

    it('a scheduled job of ours never runs', async () => {
      const ran: unknown[] = [];
      const canceled = await sides.nest.queue().enqueueIn('200ms', 'note', 'canceled');
      await sides.python.run('fetch(given).cancel()', canceled.id);
      await sides.nest.worker({ note: (data) => void ran.push(data) });
      const later = await sides.nest.queue().enqueueIn('400ms', 'note', 'later');
      await later.result({ timeout: '10s' });
      expect(ran).toEqual(['later']);
    });

    it('a canceled job that Python pushes again by mistake does not run here', async () => {
      const ran: unknown[] = [];
      const job = await sides.nest.queue().enqueue('note', 'canceled');
      await sides.python.run('fetch(given).cancel(); queue().push_job_id(given)', job.id);
      const other = await sides.nest.queue().enqueue('note', 'other');
      await sides.nest.worker({ note: (data) => void ran.push(data) }, { concurrency: 1 });
      await other.result({ timeout: '10s' });
      expect(ran).toEqual(['other']);
    });

    it('a job that is running here is told, and stays canceled', async () => {
      const job = await sides.nest.queue().enqueue('hold');
      const hold = held();
      await sides.nest.worker({ hold: hold.run }, { lease: '1s' });
      await hold.started;
      await sides.python.run('fetch(given).cancel()', job.id);
      await hold.aborted;
      await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
        what: 'the started registry to be empty',
      });
      expect(await look(sides.python, job.id)).toMatchObject({
        is_canceled: true,
        places: ['canceled'],
      });
    });

    it('a job that is deleted while it runs here leaves nothing behind', async () => {
      const job = await sides.nest.queue().enqueue('hold');
      const hold = held();
      await sides.nest.worker({ hold: hold.run }, { lease: '1s' });
      await hold.started;
      await sides.python.run('fetch(given).delete()', job.id);
      await hold.aborted;
      await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
        what: 'the started registry to be empty',
      });
      expect(await sides.client.keys(`*${job.id}*`)).toEqual([]);
      expect(await sides.client.zcard('rq:finished:shared')).toBe(0);
    });
  });

  describe("RQ's command line works on our jobs", () => {
    async function failTwo() {
      const jobs = await sides.nest
        .queue()
        .enqueueMany([1, 2].map((n) => ({ name: 'flaky', data: n, options: { meta: { n } } })));
      const worker = await sides.nest.worker({
        flaky: () => Promise.reject(new Error('first time')),
      });
      for (const job of jobs) await lookWhen(sides.python, job.id, 'failed');
      await worker.stop();
      return jobs;
    }

    it('rq requeue --all', async () => {
      const jobs = await failTwo();
      expect(
        await sides.python.rq('requeue', ...JSON_OPTION, '--queue', 'shared', '--all'),
      ).toContain('Requeueing 2 jobs');
      expect(await sides.client.zcard('rq:failed:shared')).toBe(0);
      await sides.nest.worker({ flaky: (data, job) => [data, job.meta] });
      expect(await Promise.all(jobs.map((job) => job.result({ timeout: '10s' })))).toEqual([
        [1, { n: 1 }],
        [2, { n: 2 }],
      ]);
      expect(await look(sides.python, jobs[0]!.id)).toMatchObject({ places: ['finished'] });
    });

    it('rq requeue ID, without the serializer option', async () => {
      const [job] = await failTwo();
      await sides.python.rq('requeue', '--queue', 'shared', job!.id);
      await sides.nest.worker({ flaky: (data, running) => [data, running.meta] });
      expect(await job!.result({ timeout: '10s' })).toEqual([1, { n: 1 }]);
    });

    it('the time limit of a failed job does not end one that Python requeued and that runs here', async () => {
      const job = await sides.nest.queue().enqueue('flaky', 1, { failureTtl: '100s' });
      const worker = await sides.nest.worker({ flaky: () => Promise.reject(new Error('no')) });
      await lookWhen(sides.python, job.id, 'failed');
      await worker.stop();
      await sides.python.run('fetch(given).requeue()', job.id);
      await sides.nest.worker({ flaky: (_, running) => sides.client.ttl(`rq:job:${running.id}`) });
      expect(await job.result({ timeout: '10s' })).toBe(-1);
    });

    it('rq empty', async () => {
      const queue = sides.nest.queue();
      const jobs = await queue.enqueueMany([1, 2, 3].map((n) => ({ name: 'note', data: n })));
      expect(await sides.python.rq('empty', ...JSON_OPTION, 'shared')).toContain('3 jobs removed');
      expect(await queue.count()).toBe(0);
      expect(await queue.getJob(jobs[0]!.id)).toBeUndefined();
      await expect(jobs[0]!.result({ timeout: '1s' })).rejects.toMatchObject({
        code: 'RQ_JOB_NOT_FOUND',
      });
    });

    it('rq enqueue', async () => {
      await sides.python.rq(
        'enqueue',
        ...JSON_OPTION,
        '-q',
        'shared',
        '--job-id',
        'cli',
        'sendMail',
        'to=x',
        'n:=2',
      );
      await sides.nest.worker({ sendMail: (data) => data });
      expect((await lookWhen(sides.python, 'cli', 'finished')).return_value).toEqual({
        to: 'x',
        n: 2,
      });
    });

    it('rq suspend keeps our worker from taking jobs until rq resume', async () => {
      const queue = sides.nest.queue();
      await sides.nest.worker({ note: () => Date.now() });
      await (await queue.enqueue('note')).result({ timeout: '10s' });
      await sides.python.rq('suspend');
      const jobs = await queue.enqueueMany([1, 2, 3].map((n) => ({ name: 'note', data: n })));
      await sides.python.rq('info');
      // A worker that was asleep at the queue may have one in its hands, and puts it back.
      await eventually(
        async () => (await look(sides.python, jobs[0]!.id)).places.join() === 'queue',
        { what: 'the first one to be in the queue' },
      );
      const resumed = Date.now();
      await sides.python.rq('resume');
      for (const job of jobs) {
        expect(await job.result({ timeout: '10s' })).toBeGreaterThanOrEqual(resumed);
      }
    });

    it('rq suspend --duration ends by itself', async () => {
      await sides.python.rq('suspend', '--duration', '600');
      const job = await sides.nest.queue().enqueue('note', 1);
      await sides.nest.worker({ note: () => Date.now() });
      expect(await job.status()).toBe('queued');
      // As if the time had passed.
      expect(await sides.client.ttl('rq:suspended')).toBeGreaterThan(0);
      await sides.client.pexpire('rq:suspended', 1);
      expect(await job.result({ timeout: '15s' })).toBeGreaterThan(0);
    });

    it('a job that is running when RQ is suspended ends as usual', async () => {
      const job = await sides.nest.queue().enqueue('hold');
      const hold = held();
      await sides.nest.worker({ hold: hold.run });
      await hold.started;
      await sides.python.rq('suspend');
      hold.release();
      expect(await job.result({ timeout: '10s' })).toBe('released');
    });
  });

  describe("RQ's commands to our workers", () => {
    it('shutdown: the running job ends first', async () => {
      const hold = held();
      const worker = await sides.nest.worker({ hold: hold.run });
      const job = await sides.nest.queue().enqueue('hold');
      await hold.started;
      await sides.python.run('send_shutdown_command(connection, given)', worker.name);
      hold.release();
      expect(await job.result({ timeout: '10s' })).toBe('released');
      await eventually(
        async () => !(await sides.client.sismember('rq:workers', `rq:worker:${worker.name}`)),
        {
          what: 'the worker to be gone',
        },
      );
      expect(await sides.client.hexists(`rq:worker:${worker.name}`, 'death')).toBe(1);
      expect(worker.running).toBe(0);
    });

    it('stop-job: the signal is aborted, no retry follows', async () => {
      const hold = held();
      await sides.nest.worker({ hold: hold.run });
      const job = await sides.nest
        .queue()
        .enqueue('hold', null, { retry: { max: 3, interval: 0 } });
      await hold.started;
      await sides.python.run(
        'send_stop_job_command(connection, given, serializer=JSONSerializer)',
        job.id,
      );
      await hold.aborted;
      expect(await lookWhen(sides.python, job.id, 'stopped')).toMatchObject({
        is_stopped: true,
        retries_left: 3,
        places: ['failed'],
      });
      await expect(job.result({ timeout: '1s' })).rejects.toMatchObject({ code: 'RQ_JOB_STOPPED' });
    });

    it('a stopped job that Python requeues runs to its end', async () => {
      const stopped = held();
      const second = held();
      let runs = 0;
      await sides.nest.worker(
        { hold: (data, job) => (++runs === 1 ? stopped : second).run(data, job) },
        { lease: '1500ms' },
      );
      const job = await sides.nest.queue().enqueue('hold');
      await stopped.started;
      await job.stop();
      await lookWhen(sides.python, job.id, 'stopped');
      await sides.python.run('fetch(given).requeue()', job.id);
      await second.started;
      const lease = () =>
        sides.client
          .zrangebyscore('rq:wip:shared', '-inf', '+inf', 'WITHSCORES')
          .then(([, end]) => Number(end));
      let told = false;
      void second.aborted.then(() => (told = true));
      // A renewal is what would bring the order to stop; the second one shows that the first brought none.
      for (let renewals = 0; renewals < 2; renewals++) {
        const before = await lease();
        await eventually(async () => told || (await lease()) > before, {
          what: 'the lease to be renewed',
        });
      }
      expect(told).toBe(false);
      second.release();
      expect(await job.result({ timeout: '10s' })).toBe('released');
    });

    it('stop-job for a job that does not run here is ignored', async () => {
      const hold = held();
      const worker = await sides.nest.worker({ hold: hold.run });
      const job = await sides.nest.queue().enqueue('hold');
      await hold.started;
      await sides.python.run(
        `
        from rq.command import send_command
        send_command(connection, given, 'stop-job', job_id='another')
        `,
        worker.name,
      );
      hold.release();
      expect(await job.result({ timeout: '10s' })).toBe('released');
    });

    it.each([
      'not json',
      '{}',
      '[]',
      'null',
      '{"command":"reboot"}',
      '{"command":["stop-job"]}',
      '{"command":"stop-job"}',
      '',
    ])('the message %j is ignored', async (message) => {
      const hold = held();
      const worker = await sides.nest.worker({ hold: hold.run });
      const job = await sides.nest.queue().enqueue('hold');
      await hold.started;
      await sides.client.publish(`rq:pubsub:${worker.name}`, message);
      hold.release();
      expect(await job.result({ timeout: '10s' })).toBe('released');
    });
  });

  describe('Nest controls jobs in Python', () => {
    it('cancel() before the start is seen by Python and obeyed by its worker', async () => {
      const canceled = await sides.nest.queue().enqueueCall('tasks.add', { args: [1] });
      const other = await sides.nest.queue().enqueueCall('tasks.add', { args: [2] });
      await canceled.cancel();
      expect(await look(sides.python, canceled.id)).toMatchObject({
        is_canceled: true,
        places: ['canceled'],
      });
      await sides.python.worker('shared');
      expect(await other.result({ timeout: '10s' })).toBe(2);
      expect(await sides.client.get('test:ran:add')).toBe('1');
    });

    it('cancel() of a job that Python enqueued and scheduled', async () => {
      const id = await sides.python.run<string>(
        'return queue().enqueue_in(timedelta(hours=1), "tasks.add", 1).id',
      );
      await (await sides.nest.queue().getJob(id))!.cancel();
      expect(await look(sides.python, id)).toMatchObject({
        is_canceled: true,
        places: ['canceled'],
      });
    });

    it('requeue() of a job that failed in Python', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.fail_n_times', { args: [1, 'once'] });
      const worker = await sides.python.worker('shared');
      await expect(job.result({ timeout: '10s' })).rejects.toThrow('run 1 fails');
      await worker.stop();
      await job.requeue();
      expect(await look(sides.python, job.id)).toMatchObject({
        is_queued: true,
        places: ['queue'],
      });
      expect(await sides.client.ttl(`rq:job:${job.id}`)).toBe(-1);
      await sides.python.worker('shared');
      await lookWhen(sides.python, job.id, 'finished');
      expect(await job.result({ timeout: '10s' })).toBe(2);
    });

    it('stop() of a job that runs in Python', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.wait_for', { args: ['never'] }, { retry: { max: 2, interval: 0 } });
      const worker = await sides.python.worker('shared');
      await eventually(() => sides.client.get('test:runs:never'), { what: 'the job to run' });
      await job.stop();
      await expect(job.result({ timeout: '10s' })).rejects.toMatchObject({
        code: 'RQ_JOB_STOPPED',
      });
      expect(await look(sides.python, job.id)).toMatchObject({
        is_stopped: true,
        retries_left: 2,
        places: ['failed'],
      });
      await eventually(() => worker.output().includes('stopped by user'), { what: 'its line' });
    });

    it('delete() leaves nothing that Python would find', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.add', { args: [1] });
      await sides.python.worker('shared');
      await job.result({ timeout: '10s' });
      await job.delete();
      expect(await sides.python.run('return Job.exists(given, connection)', job.id)).toBe(false);
      expect(await sides.python.run('return registry("finished").get_job_ids()')).toEqual([]);
      expect(await sides.client.keys(`*${job.id}*`)).toEqual([]);
    });

    it('empty() empties a queue that Python filled', async () => {
      await sides.python.run('[queue().enqueue("tasks.add", n) for n in range(3)]');
      await sides.nest.queue().empty();
      expect(await sides.python.run('return queue().count')).toBe(0);
      expect(await sides.client.keys('rq:job:*')).toEqual([]);
    });
  });
});
