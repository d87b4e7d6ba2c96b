import { jest } from '@jest/globals';
import { type Child, startChild } from '../support/children.js';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** A worker of either language is killed in the middle of a job; the job is run again by either side, once. */
describeInterop('workers that are killed', () => {
  const sides = useBothSides();

  /** A worker process of ours is killed while it runs the job. @param meanwhile is done before it is killed */
  async function killNestWorker(
    jobId: string,
    lease: string,
    meanwhile?: () => Promise<void>,
  ): Promise<void> {
    const child: Child = startChild(new URL('./nest-worker.mjs', import.meta.url), {
      usesEngine: true,
      env: { REDIS_URL: sides.redis.url, LEASE: lease },
    });
    await child.waitFor<{ started?: string }>(({ started }) => started === jobId, {
      what: 'the job to run in the child',
      timeout: 30_000,
    });
    await meanwhile?.();
    await child.kill();
  }

  /** A Python worker and its work horse are killed while it runs the job. */
  async function killPythonWorker(counter: string): Promise<void> {
    const worker = await sides.python.worker('shared');
    await eventually(() => sides.client.get(`test:runs:${counter}`), {
      what: 'the job to run in Python',
    });
    await worker.kill();
  }

  /** Seconds since the epoch until which the job's execution holds. */
  async function deadline(): Promise<{ member: string; score: number }> {
    const [member, score] = await sides.client.zrangebyscore(
      'rq:wip:shared',
      '-inf',
      '+inf',
      'WITHSCORES',
    );
    return { member: member!, score: Number(score) };
  }

  describe('ours', () => {
    it('its job is run again by another of ours, spending a retry', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.add', { args: [1] }, { retry: { max: 2, interval: 0 } });
      await killNestWorker(job.id, '1s');
      const killed = performance.now();
      let runs = 0;
      await sides.nest.worker({ 'tasks.add': () => ++runs }, { lease: '1s' });
      expect(await job.result({ timeout: '30s' })).toBe(1);
      expect(performance.now() - killed).toBeLessThan(30_000);
      expect(await look(sides.python, job.id)).toMatchObject({
        retries_left: 1,
        places: ['finished'],
      });
    });

    it('its job is run again by a Python worker, once', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall(
          'tasks.add',
          { args: [1], kwargs: { b: 1 } },
          { retry: { max: 2, interval: 0 } },
        );
      await killNestWorker(job.id, '1s');
      await eventually(async () => (await deadline()).score < Date.now() / 1000 - 1, {
        what: 'the lease to be over',
      });
      // A Python worker cleans the registries when it starts, and every ten minutes.
      await sides.python.worker('shared');
      expect(await job.result({ timeout: '15s' })).toBe(2);
      expect(await sides.client.get('test:ran:add')).toBe('1');
      expect(await look(sides.python, job.id)).toMatchObject({
        retries_left: 1,
        places: ['finished'],
      });
    });

    it('its job is run again once when workers of both languages are there', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.add', { args: [1] }, { retry: { max: 5, interval: 0 } });
      // RQ's worker cleans up when it starts, and looks at a job and writes it in two steps: that is over before the crash.
      await killNestWorker(job.id, '1s', async () => {
        await sides.python.worker('shared');
        const run = () => sides.client.incr('test:ran:add');
        await sides.nest.worker({ 'tasks.add': run }, { lease: '1s' });
      });
      await job.result({ timeout: '30s' });
      await sides.python.worker('shared', { burst: true });
      expect(await sides.client.get('test:ran:add')).toBe('1');
      expect(await look(sides.python, job.id)).toMatchObject({
        retries_left: 4,
        places: ['finished'],
      });
    });

    it('a job that Python enqueued too', async () => {
      const id = await sides.python.run<string>(
        'return queue().enqueue("tasks.add", 1, retry=Retry(max=1)).id',
      );
      await killNestWorker(id, '1s');
      await sides.nest.worker({ 'tasks.add': (_, job) => job.attempt }, { lease: '1s' });
      const view = await lookWhen(sides.python, id, 'finished');
      expect(view).toMatchObject({ return_value: 2, retries_left: 0, places: ['finished'] });
    });

    it('Python sees why a job that kills every worker has failed', async () => {
      const id = await sides.python.run<string>(
        'return queue().enqueue("tasks.add", 1, retry=Retry(max=9)).id',
      );
      await killNestWorker(id, '1s');
      await sides.nest.worker({ 'tasks.add': () => 'ran' }, { lease: '1s', maxCrashes: 1 });
      const view = await lookWhen(sides.python, id, 'failed');
      expect(view).toMatchObject({ is_failed: true, result_type: 'FAILED', places: ['failed'] });
      expect(view.exc_string).toContain('PoisonJobError');
    });

    it('without a retry Python fails it, and we see why', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.add', { args: [1] });
      await killNestWorker(job.id, '1s');
      await eventually(async () => (await deadline()).score < Date.now() / 1000 - 1, {
        what: 'the lease to be over',
      });
      await sides.python.worker('shared', { burst: true });
      await expect(job.result({ timeout: '5s' })).rejects.toThrow('AbandonedJobError');
      expect(await look(sides.python, job.id)).toMatchObject({
        is_failed: true,
        places: ['failed'],
      });
    });
  });

  describe("Python's", () => {
    it("its job is not touched before RQ's own deadline, and recovered at it, spending a retry", async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.wait_for', { args: ['never'] }, { retry: { max: 2, interval: 1 } });
      await killPythonWorker('never');
      const { member, score } = await deadline();
      expect(member).toMatch(new RegExp(`^${job.id}:[0-9a-f]{32}$`));
      expect(score - Date.now() / 1000).toBeGreaterThan(80);

      const ran: string[] = [];
      const handlers = { 'tasks.wait_for': () => 'ran in Nest', note: () => undefined };
      const observer = { jobStarted: ({ name }: { name: string }) => void ran.push(name) };
      const worker = await sides.nest.worker(handlers, { lease: '1s', observer });
      // This worker has gone through its sweep when its own job is over.
      await (await sides.nest.queue().enqueueIn('2s', 'note')).result({ timeout: '20s' });
      expect(ran).toEqual(['note']);
      expect(await job.status()).toBe('started');
      await worker.stop();

      // RQ's deadline is 90 seconds after the last heartbeat: here it is brought forward.
      const brought = Date.now() + 500;
      await sides.client.zadd('rq:wip:shared', brought / 1000, member);
      await sides.nest.worker(handlers, { lease: '1s', observer });
      expect(await job.result({ timeout: '20s' })).toBe('ran in Nest');
      expect(Date.now()).toBeGreaterThanOrEqual(brought);
      expect(Date.now() - brought).toBeLessThan(20_000);
      expect(ran).toEqual(['note', 'tasks.wait_for']);
      expect(await look(sides.python, job.id)).toMatchObject({
        retries_left: 1,
        places: ['finished'],
      });
      expect(await sides.client.zcard('rq:wip:shared')).toBe(0);
    });

    it('a job that it enqueued itself', async () => {
      const id = await sides.python.run<string>(
        'return queue().enqueue("tasks.wait_for", "never", retry=Retry(max=1)).id',
      );
      await killPythonWorker('never');
      await sides.client.zadd('rq:wip:shared', Date.now() / 1000 - 1, (await deadline()).member);
      await sides.nest.worker({ 'tasks.wait_for': () => 'ran in Nest' }, { lease: '1s' });
      const view = await lookWhen(sides.python, id, 'finished');
      expect(view).toMatchObject({
        return_value: 'ran in Nest',
        retries_left: 0,
        places: ['finished'],
      });
    });

    it('an id that it had taken but not started goes back to the head of the queue', async () => {
      const job = await sides.nest.queue().enqueue('note', 'first', { id: 'taken' });
      await sides.nest.queue().enqueue('note', 'second', { id: 'waiting' });
      // What a single-queue worker does before anything else, and dies.
      await sides.client.lmove('rq:queue:shared', 'rq:queue:shared:intermediate', 'LEFT', 'RIGHT');
      const order: unknown[] = [];
      const options = { concurrency: 1, lease: 2 };
      await sides.nest.worker({ note: (data) => void order.push(data) }, options);
      await job.result({ timeout: '15s' });
      expect(order).toContain('first');
      expect(await sides.client.llen('rq:queue:shared:intermediate')).toBe(0);
      expect((await look(sides.python, 'taken')).places).toEqual(['finished']);
    });

    it('a work horse that is killed is a failure of its job, and a retry of it runs here', async () => {
      const job = await sides.nest
        .queue()
        .enqueueCall('tasks.wait_for', { args: ['never'] }, { retry: { max: 1, interval: 0 } });
      const worker = await sides.python.worker('shared', { args: ['--max-jobs', '1'] });
      await eventually(() => sides.client.get('test:runs:never'), {
        what: 'the job to run in Python',
      });
      process.kill(await worker.horse(), 'SIGKILL');
      await worker.done();
      expect(await look(sides.python, job.id)).toMatchObject({
        retries_left: 0,
        places: ['queue'],
      });
      await sides.nest.worker({ 'tasks.wait_for': () => 'ran in Nest' });
      expect(await job.result({ timeout: '10s' })).toBe('ran in Nest');
    });
  });
});
