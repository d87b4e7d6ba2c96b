import { type Observable, type Subscription, firstValueFrom, timeout, toArray } from 'rxjs';
import { FailJob, type JobEvent, type JobEventType, CancelJob } from '../../lib/job/index.js';
import type { ListeningOptions } from '../../lib/queue/index.js';
import type { RunningJob } from '../../lib/worker/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const subscriptions: Subscription[] = [];

afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
});

/** Subscribes from a connection of its own, as another process would; resolves when nothing is missed any more. */
async function listen(): Promise<Heard> {
  const queue = engine.queue('jobs', {}, await engine.openStore());
  return hear((options) => queue.events(options));
}

async function hear(events: (options: ListeningOptions) => Observable<JobEvent>): Promise<Heard> {
  const heard = new Heard();
  const listening = deferred<void>();
  const observable = events({ onListening: () => listening.resolve() });
  subscriptions.push(
    observable.subscribe({
      next: (event) => heard.events.push(event),
      complete: () => (heard.isComplete = true),
    }),
  );
  await listening.promise;
  return heard;
}

class Heard {
  readonly events: JobEvent[] = [];
  isComplete = false;

  get types(): JobEventType[] {
    return this.events.map(({ type }) => type);
  }

  until(type: JobEventType): Promise<JobEvent> {
    return eventually(() => this.events.find((event) => event.type === type), {
      what: `event ${type} (heard: ${this.types.join(', ') || 'nothing'})`,
    });
  }
}

describe('the events of a queue', () => {
  it('tell a job that succeeds, with its result', async () => {
    await engine.work({ add: (data) => (data as number[]).length });
    const heard = await listen();
    const job = await engine.queue().enqueue('add', [1, 2, 3]);
    await heard.until('finished');

    const about = { queue: 'jobs', jobId: job.id, name: 'add', attempt: 1, at: expect.any(Date) };
    expect(heard.events).toEqual([
      { type: 'started', ...about },
      { type: 'finished', ...about, result: 3, duration: expect.any(Number), repeatsLeft: 0 },
    ]);
  });

  it('tell each retry, that all are used up, and the failure', async () => {
    await engine.work({
      boom: () => {
        throw new RangeError('too far');
      },
    });
    const heard = await listen();
    await engine.queue().enqueue('boom', undefined, { retry: { max: 2, interval: [0, 0.05] } });
    await heard.until('failed');

    const error = { name: 'RangeError', message: 'too far' };
    expect(heard.events).toMatchObject([
      { type: 'started', attempt: 1 },
      { type: 'retrying', attempt: 1, error, delay: 0, retriesLeft: 1 },
      { type: 'started', attempt: 2 },
      { type: 'retrying', attempt: 2, error, delay: 50, retriesLeft: 0 },
      { type: 'started', attempt: 3 },
      { type: 'exhausted', attempt: 3, error },
      { type: 'failed', attempt: 3, error },
    ]);
  });

  it.each([
    ['FailJob', { retry: { max: 3, interval: 0 } }, () => Promise.reject(new FailJob('bad input'))],
    ['an error without a policy', {}, () => Promise.reject(new Error('boom'))],
  ])('do not call a job exhausted that had no retries to use up: %s', async (_, options, run) => {
    await engine.work({ boom: run });
    const heard = await listen();
    await engine.queue().enqueue('boom', undefined, options);
    await heard.until('failed');
    expect(heard.types).toEqual(['started', 'failed']);
  });

  it('tell who canceled: the handler, or somebody before, or while it ran', async () => {
    const began = deferred<void>();
    await engine.work({
      own: () => Promise.reject(new CancelJob('not needed')),
      slow: () => {
        began.resolve();
        return new Promise(() => undefined);
      },
    });
    const heard = await listen();
    const queue = engine.queue();
    await queue.enqueue('own');
    await heard.until('canceled');
    const later = await queue.enqueueIn(60, 'own');
    await later.cancel();
    const slow = await queue.enqueue('slow');
    await began.promise;
    await slow.cancel();
    await eventually(() => heard.events.filter(({ type }) => type === 'canceled').length === 3, {
      what: 'three cancellations',
    });

    expect(heard.events.filter(({ type }) => type === 'canceled')).toMatchObject([
      { name: 'own', attempt: 1, reason: 'not needed' },
      { name: 'own', attempt: 0, reason: 'canceled before it ran', jobId: later.id },
      { name: 'slow', attempt: 1, reason: 'canceled while it ran', jobId: slow.id },
    ]);
  });

  it('tell that a job was stopped or deleted', async () => {
    await engine.work({ slow: () => new Promise(() => undefined) });
    const heard = await listen();
    const queue = engine.queue();
    const stopped = await queue.enqueue('slow');
    await heard.until('started');
    await stopped.stop();
    await heard.until('canceled');
    const deleted = await queue.enqueueIn(60, 'slow');
    await deleted.delete();
    await eventually(() => heard.events.length === 3, { what: 'the deletion' });
    expect(heard.events.slice(1)).toMatchObject([
      { type: 'canceled', jobId: stopped.id, reason: 'stopped by command' },
      { type: 'canceled', jobId: deleted.id, reason: 'deleted before it ran' },
    ]);
  });

  it('are not repeated for a job that is settled already', async () => {
    await engine.work({ add: () => 1 });
    const heard = await listen();
    const job = await engine.queue().enqueue('add');
    await heard.until('finished');
    await job.delete();
    await engine.queue().enqueue('add');
    await eventually(() => heard.types.filter((type) => type === 'finished').length === 2, {
      what: 'the next job',
    });
    expect(heard.types).toEqual(['started', 'finished', 'started', 'finished']);
  });

  it.each([
    [3, ['lost', 'started', 'finished'], {}],
    [1, ['lost', 'failed'], { error: { name: 'PoisonJobError' } }],
  ])('tell that a worker died, with %d crash(es) allowed', async (maxCrashes, types, second) => {
    const heard = await listen();
    const job = await engine.queue().enqueue('add');
    // As a worker leaves it that died a while ago.
    await engine.client
      .multi()
      .lpop('rq:queue:jobs')
      .hset(`rq:job:${job.id}`, 'status', 'started', 'worker_name', 'gone')
      .zadd('rq:wip:jobs', Date.now() / 1000 - 60, `${job.id}:${'f'.repeat(64)}`)
      .exec();
    const worker = await engine.work({ add: () => 1 }, { maxCrashes });
    await heard.until(maxCrashes === 1 ? 'failed' : 'finished');

    expect(heard.types).toEqual(types);
    expect(heard.events[0]).toMatchObject({ jobId: job.id, name: 'add', attempt: 1 });
    expect(heard.events[1]).toMatchObject(second);
    expect(await worker.events.waitFor('jobRecovered')).toHaveLength(1);
  });

  it('leave out a result that is too long to be sent to everybody', async () => {
    await engine.work({ long: () => 'x'.repeat(70_000) });
    const heard = await listen();
    const job = await engine.queue().enqueue('long');
    expect(await heard.until('finished')).toMatchObject({ jobId: job.id, result: undefined });
    expect(await job.result()).toHaveLength(70_000);
  });

  it('come for jobs of any options, deleted at once among them', async () => {
    await engine.work({ add: () => ({ sum: 1 }) });
    const heard = await listen();
    await engine.queue().enqueue('add', undefined, { resultTtl: 0 });
    expect(await heard.until('finished')).toMatchObject({ name: 'add', result: { sum: 1 } });
  });

  it('are heard by a listener that comes while workers are busy', async () => {
    const gate = deferred<void>();
    const began = deferred<void>();
    await engine.work({
      slow: () => {
        began.resolve();
        return gate.promise;
      },
      quick: () => 1,
    });
    const slow = await engine.queue().enqueue('slow');
    await began.promise;
    const heard = await listen();
    await engine.queue().enqueue('quick');
    await heard.until('finished');
    gate.resolve();
    await eventually(() => heard.events.length === 3, { what: 'the end of the slow job' });
    expect(heard.events.at(-1)).toMatchObject({ type: 'finished', jobId: slow.id });
  });

  it('cost nothing while nobody listens: no message leaves Redis', async () => {
    const worker = await engine.work({ add: () => 1 });
    const subscription = await listen();
    subscriptions.splice(0).forEach((one) => one.unsubscribe());
    await eventually(
      async () => {
        const [, count] = await engine.client.pubsub('NUMSUB', 'rq:nrq:events:jobs');
        return count === 0;
      },
      { what: 'nobody listens' },
    );
    // The first one may still be told: the worker hears of it with an answer.
    await engine.queue().enqueue('add');
    await worker.events.waitFor('jobFinished');
    await engine.client.config('RESETSTAT');
    for (let count = 2; count <= 5; count += 1) {
      await engine.queue().enqueue('add');
      await worker.events.waitFor('jobFinished', count);
    }
    expect(await engine.client.info('commandstats')).not.toMatch(/cmdstat_publish:/);
    expect(subscription.events).toEqual([]);
  });

  it('survive what others publish on their channel', async () => {
    await engine.work({ add: () => 1 });
    const heard = await listen();
    const texts = [
      '',
      'x',
      '[]',
      'null',
      '{"type":"finished"}',
      '{"type":"__proto__","jobId":"a"}',
    ];
    const odd = { type: 'failed', jobId: 'a', name: 'n', attempt: 1, at: 1e99 };
    for (const text of [...texts, JSON.stringify(odd)]) {
      await engine.client.publish('rq:nrq:events:jobs', text);
    }
    await engine.queue().enqueue('add');
    await heard.until('finished');
    expect(heard.types).toEqual(['started', 'finished']);
  });

  it('go on after Redis was away', async () => {
    await engine.work({ add: () => 1 });
    const heard = await listen();
    await engine.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(
      async () => {
        await engine.queue().enqueue('add');
        return heard.types.includes('finished');
      },
      { what: 'events over a new link' },
    );
  });
});

describe('the events of one job', () => {
  it('end with the one that settles it', async () => {
    const gate = deferred<void>();
    await engine.work({ add: () => gate.promise, other: () => 2 });
    const queue = engine.queue();
    const job = await queue.enqueue('add');
    const heard = await hear((options) => job.events(options));
    // With the answer that settles another job, the worker knows that somebody listens.
    await (await queue.enqueue('other')).result({ timeout: 10 });
    gate.resolve();
    await eventually(() => heard.isComplete, { what: 'the end of the events' });
    expect(heard.events.every(({ jobId }) => jobId === job.id)).toBe(true);
    expect(heard.types.at(-1)).toBe('finished');
  });

  it('end at once when it is settled, or gone', async () => {
    await engine.work({ add: () => 1 });
    const job = await engine.queue().enqueue('add');
    await job.result();
    expect(await all(job.events())).toEqual([]);
    await job.delete();
    expect(await all(job.events())).toEqual([]);
  });
});

describe('progress', () => {
  it('is told, and kept with the job', async () => {
    const gate = deferred<void>();
    await engine.work({
      report: async (_, job: RunningJob) => {
        await job.progress({ percent: 10 });
        await job.progress({ percent: 20 });
        await gate.promise;
      },
    });
    const heard = await listen();
    const job = await engine.queue().enqueue('report');
    await eventually(() => heard.events.length === 3, { what: 'two reports' });
    expect(heard.events).toMatchObject([
      { type: 'started' },
      { type: 'progress', jobId: job.id, name: 'report', attempt: 1, progress: { percent: 10 } },
      { type: 'progress', progress: { percent: 20 } },
    ]);
    expect((await job.refresh()).progress).toEqual({ percent: 20 });
    gate.resolve();
  });

  it('may be reported as often as one likes: the newest is written, few commands are sent', async () => {
    await engine.work({
      report: async (_, job: RunningJob) => {
        for (let count = 1; count < 1000; count += 1) void job.progress(count);
        await job.progress(1000);
      },
    });
    await engine.client.config('RESETSTAT');
    const job = await engine.queue().enqueue('report');
    await job.result();
    expect((await job.refresh()).progress).toBe(1000);
    const calls = /cmdstat_hset:calls=(\d+)/.exec(await engine.client.info('commandstats'))?.[1];
    expect(Number(calls)).toBeLessThan(10);
  });

  it('that is no JSON is refused where it is reported', async () => {
    await engine.work({ report: (_, job: RunningJob) => void job.progress(() => 1) });
    const job = await engine.queue().enqueue('report');
    await expect(job.result()).rejects.toThrow(/UnserializableDataError.*progress/);
  });

  it('of a run whose job was canceled is not written any more', async () => {
    const began = deferred<RunningJob>();
    await engine.work({
      slow: (_, job: RunningJob) => {
        began.resolve(job);
        return new Promise(() => undefined);
      },
    });
    const job = await engine.queue().enqueue('slow');
    const running = await began.promise;
    await job.cancel();
    await running.progress(50);
    expect((await job.refresh()).progress).toBeUndefined();
    await job.delete();
    await running.progress(60);
    expect(await engine.client.exists(`rq:job:${job.id}`)).toBe(0);
  });
});

function all(events: Observable<JobEvent>): Promise<JobEvent[]> {
  return firstValueFrom(events.pipe(toArray(), timeout(20_000)));
}
