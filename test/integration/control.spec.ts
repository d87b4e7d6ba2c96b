import { type JobEvent, JobCanceledError, JobStoppedError } from '../../lib/job/index.js';
import type { RqJob } from '../../lib/queue/index.js';
import type { RunningJob } from '../../lib/worker/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

/** A handler that runs until its signal aborts, and tells the reason. */
function untilAborted() {
  const began = deferred<RunningJob>();
  const aborted = deferred<unknown>();
  const run = (_: unknown, job: RunningJob) => {
    job.signal.addEventListener('abort', () => aborted.resolve(job.signal.reason));
    began.resolve(job);
    return new Promise(() => undefined);
  };
  return { run, began: began.promise, aborted: aborted.promise };
}

/** A job in the state that is asked for. */
async function jobThatIs(status: string): Promise<RqJob> {
  const queue = engine.queue();
  switch (status) {
    case 'queued':
      return queue.enqueue('ok');
    case 'scheduled':
      return queue.enqueueIn(60, 'ok');
    case 'canceled': {
      const job = await queue.enqueue('ok');
      await job.cancel();
      return job;
    }
    default: {
      const slow = untilAborted();
      const worker = await engine.work({
        ok: () => 1,
        slow: slow.run,
        boom: () => {
          throw new Error('boom');
        },
      });
      const names = { finished: 'ok', failed: 'boom', started: 'slow', stopped: 'slow' };
      const job = await queue.enqueue(names[status as keyof typeof names]);
      if (status === 'finished') await worker.events.waitFor('jobFinished');
      if (status === 'failed') await worker.events.waitFor('jobFailed');
      if (status === 'started' || status === 'stopped') await slow.began;
      if (status === 'stopped') {
        await job.stop();
        await worker.events.waitFor('jobCanceled');
      }
      return job;
    }
  }
}

const STATUSES = ['queued', 'scheduled', 'started', 'finished', 'failed', 'stopped', 'canceled'];

describe('what a status does not allow', () => {
  const allowed: Record<string, string[]> = {
    cancel: ['queued', 'scheduled', 'started', 'canceled'],
    stop: ['started', 'stopped'],
    requeue: ['failed', 'stopped', 'canceled', 'queued'],
    delete: STATUSES,
  };

  it.each(STATUSES)('is refused and changes nothing: a %s job', async (status) => {
    for (const [action, statuses] of Object.entries(allowed)) {
      if (statuses.includes(status)) continue;
      const job = await jobThatIs(status);
      const before = [await engine.fields(job.id), await engine.places(job.id)];

      const act = job[action as 'cancel']();

      await expect(act).rejects.toMatchObject({
        code: 'RQ_INVALID_JOB_STATE',
        message: expect.stringContaining(
          `Cannot ${action} job "${job.id}": it is ${status}.`,
        ) as string,
      });
      expect([await engine.fields(job.id), await engine.places(job.id)]).toEqual(before);
      await engine.stopWorkers();
    }
  });
});

describe('a call that is repeated, since the answer to the first one was lost,', () => {
  it.each(['cancel', 'stop', 'requeue', 'delete'] as const)(
    'changes nothing more: %s()',
    async (action) => {
      const before = { cancel: 'queued', stop: 'started', requeue: 'failed', delete: 'queued' };
      const job = await jobThatIs(before[action]);
      const heard: JobEvent[] = [];
      await new Promise<void>((resolve) => {
        job.events({ onListening: resolve }).subscribe((event) => heard.push(event));
      });
      // With the answer that settles another job, the worker knows that somebody listens.
      if (action === 'stop') await (await engine.queue().enqueue('ok')).result({ timeout: 10 });
      else await engine.stopWorkers();
      await job[action]();
      if (action === 'stop') {
        await eventually(async () => (await job.status()) === 'stopped', {
          what: 'the job to stop',
        });
      }
      const state = async () => [
        await engine.fields(job.id),
        await engine.places(job.id),
        await engine.client.lrange('rq:queue:jobs', 0, -1),
        await engine.client.zrange('rq:canceled:jobs', '0', '-1', 'WITHSCORES'),
      ];
      const after = await state();
      for (let time = 1; time <= 2; time++) await job[action]();

      expect(await state()).toEqual(after);
      const canceled = () => heard.filter(({ type }) => type === 'canceled').length;
      if (action !== 'requeue') await eventually(canceled, { what: 'the event to be heard' });
      expect(canceled()).toBe(action === 'requeue' ? 0 : 1);
    },
  );

  it('is not counted by requeue() of many', async () => {
    const job = await jobThatIs('failed');
    await engine.stopWorkers();
    expect(await engine.queue().requeue([job.id])).toMatchObject({ done: 1 });
    expect(await engine.queue().requeue([job.id])).toMatchObject({ done: 0 });
    expect(await engine.client.llen('rq:queue:jobs')).toBe(1);
  });

  it('changes nothing more: pause(), resume(), empty(), saveMeta()', async () => {
    const queue = engine.queue();
    for (const isPaused of [true, true, false, false]) {
      await (isPaused ? queue.pause() : queue.resume());
      expect(await queue.isPaused()).toBe(isPaused);
    }
    const job = await queue.enqueue('ok');
    for (let time = 1; time <= 2; time++) {
      await job.saveMeta({ a: 1 });
      expect((await job.refresh()).meta).toEqual({ a: 1 });
    }
    expect([await queue.empty(), await queue.empty()]).toEqual([1, 0]);
  });
});

describe('cancel()', () => {
  it.each(['queued', 'scheduled'])('takes a %s job out: it never runs', async (status) => {
    const job = await jobThatIs(status);

    await job.cancel();

    expect(await job.status()).toBe('canceled');
    expect(await engine.places(job.id)).toEqual(['canceled']);
    const worker = await engine.work({ ok: () => 1 });
    const next = await engine.queue().enqueue('ok');
    await next.result({ timeout: 5 });
    expect(worker.events.of('jobStarted').map(({ jobId }) => jobId)).toEqual([next.id]);
    await expect(job.result()).rejects.toBeInstanceOf(JobCanceledError);
  });

  it('aborts a running one, in whatever process, and records nothing of it', async () => {
    const slow = untilAborted();
    const worker = await engine.work({ slow: slow.run, ok: () => 'ok' }, { concurrency: 1 });
    const job = await engine.queue().enqueue('slow');
    await slow.began;

    await job.cancel();

    expect(await slow.aborted).toBeInstanceOf(JobCanceledError);
    expect(await worker.events.waitFor('jobCanceled')).toMatchObject([{ jobId: job.id }]);
    expect(await engine.places(job.id)).toEqual(['canceled']);
    const next = await engine.queue().enqueue('ok');
    expect(await next.result({ timeout: 5 })).toBe('ok');
  });

  it('keeps a job from running that was prefetched and has not begun', async () => {
    const gate = deferred();
    const ran: unknown[] = [];
    const worker = await engine.work(
      {
        note: (data) => {
          ran.push(data);
          return data === 'first' ? gate.promise : undefined;
        },
      },
      { concurrency: 1, prefetch: 5 },
    );
    const [first, second, third] = await engine
      .queue()
      .enqueueMany(['first', 'second', 'third'].map((data) => ({ name: 'note', data })));
    await eventually(() => ran.length === 1, { what: 'the first job', every: 1 });
    await eventually(async () => (await engine.client.zcard('rq:wip:jobs')) === 3, {
      what: 'the others to be prefetched',
    });

    await second?.cancel();
    await worker.events.waitFor('jobCanceled');
    gate.resolve();
    await first?.result({ timeout: 5 });
    await third?.result({ timeout: 5 });

    expect(ran).toEqual(['first', 'third']);
    expect(await engine.places(second?.id ?? '')).toEqual(['canceled']);
  });

  it('tells a waiter', async () => {
    const job = await jobThatIs('queued');
    const waiting = job.result({ timeout: 5 });
    await eventually(async () => (await engine.client.scard('rq:nrq:waiting:jobs')) === 1, {
      what: 'the waiter',
    });
    await job.cancel();
    await expect(waiting).rejects.toBeInstanceOf(JobCanceledError);
  });
});

describe('stop()', () => {
  it('ends a running job without a retry: it is a stopped one in the failed registry', async () => {
    const slow = untilAborted();
    const worker = await engine.work({ slow: slow.run });
    const job = await engine.queue().enqueue('slow', undefined, { retry: { max: 3, interval: 0 } });
    await slow.began;

    await job.stop();

    expect(await slow.aborted).toBeInstanceOf(JobStoppedError);
    await worker.events.waitFor('jobCanceled');
    expect(await job.status()).toBe('stopped');
    expect(await engine.places(job.id)).toEqual(['failed']);
    await expect(job.result()).rejects.toBeInstanceOf(JobStoppedError);
    expect(await job.results()).toMatchObject([{ outcome: 'stopped' }]);
  });

  it('reaches the worker at the next renewal when the message was lost', async () => {
    const slow = untilAborted();
    const worker = await engine.work({ slow: slow.run }, { lease: 3 });
    const job = await engine.queue().enqueue('slow');
    await slow.began;
    // As `stop` does, but nobody is told.
    const [execution = ''] = await engine.client.zrange('rq:wip:jobs', '0', '0');
    await engine.client.hset('rq:nrq:stops:jobs', execution, '1');

    expect(await slow.aborted).toBeInstanceOf(JobStoppedError);
    await worker.events.waitFor('jobCanceled');
    expect(await job.status()).toBe('stopped');
  });

  it("is understood when Python's send_stop_job_command sends it", async () => {
    const slow = untilAborted();
    const worker = await engine.work({ slow: slow.run });
    const job = await engine.queue().enqueue('slow');
    await slow.began;
    const channel = `rq:pubsub:${(await engine.fields(job.id))['worker_name']}`;
    expect(channel).toBe(`rq:pubsub:${worker.name}`);

    for (const noise of ['', 'x', '{}', '{"command":"stop-job"}', '{"command":"dance"}']) {
      await engine.client.publish(channel, noise);
    }
    const command = { command: 'stop-job', job_id: job.id };
    expect(await engine.client.publish(channel, JSON.stringify(command))).toBe(1);

    expect(await slow.aborted).toBeInstanceOf(JobStoppedError);
  });

  it('does not touch the other jobs of the worker', async () => {
    const [one, other] = [untilAborted(), untilAborted()];
    const worker = await engine.work({ one: one.run, other: other.run });
    const job = await engine.queue().enqueue('one');
    await engine.queue().enqueue('other');
    const untouched = await other.began;

    await job.stop();
    await worker.events.waitFor('jobCanceled');

    expect(untouched.signal.aborted).toBe(false);
    expect(await untouched.status()).toBe('started');
  });
});

describe('requeue()', () => {
  it.each(['failed', 'stopped', 'canceled'])('runs a %s job again', async (status) => {
    const job = await jobThatIs(status);
    await engine.stopWorkers();

    await job.requeue();

    expect(await job.status()).toBe('queued');
    expect(await engine.places(job.id)).toEqual(['queue']);
    const names = ['ok', 'slow', 'boom'];
    await engine.work(Object.fromEntries(names.map((name) => [name, () => `${name} again`])));
    expect(await job.result({ timeout: 5 })).toMatch(/ again$/);
    expect(await engine.places(job.id)).toEqual(['finished']);
  });

  it('goes to the tail, or to the head', async () => {
    const [tail, head] = [await jobThatIs('canceled'), await jobThatIs('canceled')];
    const waiting = await jobThatIs('queued');

    await tail.requeue();
    await head.requeue({ front: true });

    const order = await engine.queue().jobs();
    expect(order.map(({ id }) => id)).toEqual([head.id, waiting.id, tail.id]);
  });

  it('of many: those that failed, or some of them', async () => {
    let fails = true;
    const worker = await engine.work({
      boom: () => {
        if (fails) throw new Error('boom');
      },
    });
    const queue = engine.queue();
    const jobs = await queue.enqueueMany(Array.from({ length: 250 }, () => ({ name: 'boom' })));
    await worker.events.waitFor('jobFailed', 250);
    fails = false;

    const some = jobs.slice(0, 2).map(({ id }) => id);
    expect(await queue.requeue([...some, 'nosuchjob'])).toMatchObject({ done: 2 });
    expect(await queue.requeue({ in: 'failed' })).toMatchObject({ done: 248 });
    expect(await queue.requeue({ in: 'failed' })).toMatchObject({ done: 0 });

    await worker.events.waitFor('jobFinished', 250);
    expect(await queue.counts()).toMatchObject({ failed: 0, finished: 250 });
  });
});

describe('delete()', () => {
  it.each(STATUSES)('leaves nothing of a %s job', async (status) => {
    const job = await jobThatIs(status);

    await job.delete();

    await eventually(async () => (await engine.places(job.id)).length === 0, { what: 'the end' });
    expect(await engine.client.keys(`*${job.id}*`)).toEqual([]);
    expect(await engine.queue().getJob(job.id)).toBeUndefined();
  });

  it('aborts a running one and leaves nothing behind, whatever it does afterwards', async () => {
    const slow = untilAborted();
    const worker = await engine.work({ slow: slow.run });
    const job = await engine.queue().enqueue('slow');
    await slow.began;
    const waiting = job.result({ timeout: 5 });
    waiting.catch(() => undefined);

    await job.delete();

    expect(await slow.aborted).toBeInstanceOf(JobCanceledError);
    await worker.events.waitFor('jobCanceled');
    expect(await engine.client.keys(`*${job.id}*`)).toEqual([]);
    expect(await engine.places(job.id)).toEqual([]);
    await expect(waiting).rejects.toMatchObject({ jobId: job.id });
  });
});

describe('position()', () => {
  it('is the place in the queue, and none for others', async () => {
    const queue = engine.queue();
    const [first, second] = [await queue.enqueue('ok'), await queue.enqueue('ok')];
    const later = await queue.enqueueIn(60, 'ok');

    const positions = [first, second, later].map((job) => job.position());
    expect(await Promise.all(positions)).toEqual([0, 1, undefined]);
    await first.cancel();
    expect(await second.position()).toBe(0);
  });
});

describe('saveMeta()', () => {
  it('replaces the meta, and nothing else', async () => {
    const job = await engine.queue().enqueue('ok', { a: 1 }, { meta: { old: true } });
    const before = await engine.fields(job.id);

    await job.saveMeta({ user: 'Ada', list: [1] });

    expect((await job.refresh()).meta).toEqual({ user: 'Ada', list: [1] });
    expect(await engine.fields(job.id)).toEqual({ ...before, meta: '{"user":"Ada","list":[1]}' });
  });

  it('refuses what is no JSON', async () => {
    const job = await engine.queue().enqueue('ok');
    await expect(job.saveMeta({ big: 1n })).rejects.toMatchObject({
      code: 'RQ_UNSERIALIZABLE_DATA',
    });
    expect((await job.refresh()).meta).toEqual({});
  });
});
