import { CancelJob, type JobOptions } from '../../lib/job/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const YEAR = 365 * 86_400;

type FailureTtl = NonNullable<JobOptions['failureTtl']>;

/** How long a canceled job is kept: seconds, -1 for ever, -2 not at all. */
const KEPT: [string, FailureTtl | undefined, number][] = [
  ['the default, a year', undefined, YEAR],
  ['its own', '2h', 7200],
  ['for ever', 'forever', -1],
  ['0', 0, -2],
];

const WAYS: [string, (id: string) => Promise<unknown>][] = [
  [
    'by its handler',
    async () => {
      const worker = await engine.work({
        f: () => {
          throw new CancelJob('not needed');
        },
      });
      await worker.events.waitFor('jobCanceled');
    },
  ],
  ['from outside, while it waits', async (id) => (await engine.queue().getJob(id))?.cancel()],
  [
    'from outside, while it runs',
    async (id) => {
      const aborted = (signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      const worker = await engine.work({ f: (_, { signal }) => aborted(signal) });
      await worker.events.waitFor('jobStarted');
      await (await engine.queue().getJob(id))?.cancel();
      await worker.events.waitFor('jobCanceled');
    },
  ],
];

describe.each(WAYS)('a job that is canceled %s', (_, cancel) => {
  it.each(KEPT)('is kept for as long as failureTtl says: %s', async (__, failureTtl, seconds) => {
    await engine.queue().enqueue('f', null, { id: 'C', failureTtl });

    await cancel('C');

    const left = await engine.client.ttl('rq:job:C');
    expect(left).toBeLessThanOrEqual(seconds);
    expect(left).toBeGreaterThan(seconds < 0 ? seconds - 1 : seconds - 10);
    expect(await engine.places('C')).toEqual(seconds === -2 ? [] : ['canceled']);
    expect(await engine.client.hget('rq:job:C', 'status')).toBe(seconds === -2 ? null : 'canceled');
    expect(await engine.client.llen('rq:queue:jobs')).toBe(0);
  });

  it('leaves its id free when its time is over', async () => {
    const options = { id: 'C', failureTtl: 1 };
    await engine.queue().enqueue('f', null, options);
    await cancel('C');
    await engine.stopWorkers();
    await eventually(async () => (await engine.client.exists('rq:job:C')) === 0, {
      what: 'the job to expire',
    });

    const again = await engine.queue().enqueue('f', 'again', options);
    await engine.work({ f: (data) => data });

    expect(await again.result({ timeout: 5 })).toBe('again');
    await eventually(async () => (await engine.client.zcard('rq:canceled:jobs')) === 0, {
      what: 'the registry to be swept',
    });
    expect(await engine.places('C')).toEqual(['finished']);
  });
});

/** As RQ's \`job.cancel()\` leaves a waiting job: entered with the time of the cancel, for ever. */
async function cancelInPython(id: string, fields: Record<string, string> = {}): Promise<void> {
  await engine.client.hset(`rq:job:${id}`, {
    data: '["f",null,[],{}]',
    origin: 'jobs',
    status: 'canceled',
    ...fields,
  });
  await engine.client.zadd('rq:canceled:jobs', Math.floor(Date.now() / 1000) - 1, id);
}

describe('a job that Python has canceled', () => {
  it('gets an end, too', async () => {
    await cancelInPython('default');
    await cancelInPython('own', { failure_ttl: '7200' });
    await cancelInPython('ever', { failure_ttl: '-1' });
    await cancelInPython('none', { failure_ttl: '0' });
    await engine.client.zadd('rq:canceled:jobs', 1, 'ghost');

    await engine.work({ f: () => 'ran' });

    await eventually(async () => (await engine.client.ttl('rq:job:default')) > 0, {
      what: 'the sweep',
    });
    const ttl = (id: string) => engine.client.ttl(`rq:job:${id}`);
    expect(await ttl('default')).toBeGreaterThan(YEAR - 10);
    expect(await ttl('own')).toBeGreaterThan(7190);
    expect(await ttl('own')).toBeLessThanOrEqual(7200);
    expect(await ttl('ever')).toBe(-1);
    expect(await ttl('none')).toBeLessThanOrEqual(1);
    expect(await engine.client.zscore('rq:canceled:jobs', 'ever')).toBe('inf');
    expect(await engine.client.zscore('rq:canceled:jobs', 'ghost')).toBeNull();
  });

  it('and that is over leaves the registry, and its id is free', async () => {
    await cancelInPython('short', { failure_ttl: '1' });
    await engine.work({ f: () => 'ran' }, { lease: 1 });

    await eventually(async () => (await engine.client.exists('rq:job:short')) === 0, {
      what: 'the job to expire',
    });
    await eventually(async () => (await engine.client.zcard('rq:canceled:jobs')) === 0, {
      what: 'the registry to be swept',
    });
    const again = await engine.queue().enqueue('f', null, { id: 'short' });
    expect(await again.result({ timeout: 5 })).toBe('ran');
  });

  it('is brought back by a requeue, and is then kept as any other', async () => {
    await cancelInPython('back');
    await engine.client.zadd('rq:canceled:jobs', 1, 'ghost-1', 2, 'ghost-2');

    expect(await engine.queue().requeue({ in: 'canceled' })).toMatchObject({ done: 1 });

    expect(await engine.places('back')).toEqual(['queue']);
    expect(await engine.client.ttl('rq:job:back')).toBe(-1);
    await engine.work({ f: () => 'ran' });
    expect(await (await engine.queue().getJob('back'))?.result({ timeout: 5 })).toBe('ran');
  });
});
