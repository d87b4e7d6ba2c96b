import type { Outcome } from '../../lib/job/index.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const TOKEN = 'a'.repeat(16);
let executions = 0;

/** One exchange of a worker that does nothing by itself. */
async function exchange(
  want: number,
  settled?: { job: ClaimedJob; outcome: Outcome },
  takes = true,
): Promise<readonly ClaimedJob[]> {
  const times = { startedAt: Date.now(), endedAt: Date.now() };
  const { claimed } = await engine.store.exchange('jobs', {
    worker: 'w',
    token: TOKEN,
    leaseMs: 60_000,
    nextExecution: (executions += 10),
    call: undefined,
    want,
    woken: [],
    suspects: { from: 2, takes, delay: 1 },
    outcomes: settled ? [{ ...settled, ...times }] : [],
    events: [],
  });
  return claimed;
}

async function claim(): Promise<ClaimedJob> {
  const [job] = await exchange(1);
  if (!job) throw new Error('there was no job to claim');
  return job;
}

async function sweep(leaseMs = 15_000): Promise<readonly { id: string; outcome: string }[]> {
  // As if workers with leases of 15 seconds, and no others, had been here all the time.
  await engine.client.del('rq:nrq:alive:jobs');
  await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
  return (await engine.store.recover('jobs', { maxCrashes: 3, leaseMs })).handled;
}

/** The worker of a running job dies. Gives what becomes of the job. */
async function crash(): Promise<string | undefined> {
  const job = await claim();
  await engine.client.zadd('rq:wip:jobs', 1, `${job.id}:${job.execution}`);
  return (await sweep()).find(({ id }) => id === job.id)?.outcome;
}

/** What RQ writes when it puts a job into its queue: \`queue._enqueue_job\`. */
async function enqueueInPython(id: string): Promise<void> {
  const enqueued_at = new Date(Date.now() + 1000).toISOString().replace('Z', '123Z');
  await engine.client.hset(`rq:job:${id}`, { status: 'queued', enqueued_at });
  await engine.client.rpush('rq:queue:jobs', id);
}

const FAILURE = { name: 'Error', message: 'm', stack: '' };

describe('how often workers died of a job', () => {
  beforeEach(async () => {
    await engine.queue().enqueue('f', null, { id: 'J', retry: { max: 9, interval: 0 } });
    for (const count of [1, 2]) {
      if ((await crash()) !== 'requeued') throw new Error(`crash ${count} was not found`);
    }
  });

  it('is still known after it was put back without having run', async () => {
    await exchange(0, { job: await claim(), outcome: { type: 'released' } });
    expect((await claim()).crashes).toBe(2);
  });

  it('is still known after it was put off since another suspect runs', async () => {
    await exchange(1, undefined, false);
    expect(await engine.places('J')).toEqual(['scheduled']);
    await engine.client.zadd('rq:scheduled:jobs', 1, 'J');
    expect(await crash()).toBe('failed');
  });

  it('is still known after it stayed in the hands of a worker that never claimed it', async () => {
    await engine.client.lmove('rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT');
    await sweep(1);
    while ((await engine.places('J')).includes('intermediate')) await sweep(1);
    expect(await engine.places('J')).toEqual(['queue']);
    expect(await crash()).toBe('failed');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['Python puts it into the queue', () => enqueueInPython('J')],
    [
      'it fails by itself and runs again',
      async () => {
        const retrying = { failure: FAILURE, delay: 0, front: false, policy: undefined };
        const outcome: Outcome = { type: 'retrying', ...retrying, returned: false };
        await exchange(0, { job: await claim(), outcome });
      },
    ],
    [
      'it is canceled and requeued',
      async () => {
        const job = await engine.queue().getJob('J');
        await job?.cancel();
        await job?.requeue();
      },
    ],
    [
      'it fails as poison and is requeued',
      async () => {
        expect(await crash()).toBe('failed');
        await engine.queue().requeue({ in: 'failed' });
      },
    ],
    [
      'it fails as poison and Python requeues it',
      async () => {
        expect(await crash()).toBe('failed');
        await engine.client.zrem('rq:failed:jobs', 'J');
        await enqueueInPython('J');
      },
    ],
    [
      'it is deleted and another job gets its id',
      async () => {
        await (await engine.queue().getJob('J'))?.delete();
        await engine.queue().enqueue('f', null, { id: 'J' });
      },
    ],
  ])('is of no account once %s', async (_, act) => {
    await act();
    // Once, whoever put it there.
    await engine.client.del('rq:queue:jobs');
    await engine.client.rpush('rq:queue:jobs', 'J');
    expect([await crash(), await crash(), await crash()]).toEqual([
      'requeued',
      'requeued',
      'failed',
    ]);
  });
});

describe('when an id was first seen in the hands of a worker that has not claimed it', () => {
  const lists = ['rq:queue:jobs', 'rq:queue:jobs:intermediate', 'LEFT', 'RIGHT'] as const;

  it.each<[string, () => Promise<unknown>]>([
    ['it ran, and was enqueued again', () => enqueueInPython('J')],
    [
      'it ran and failed, and was requeued',
      async () => {
        await engine.client.rpush('rq:queue:jobs', 'J');
        await exchange(0, { job: await claim(), outcome: { type: 'failed', failure: FAILURE } });
        await (await engine.queue().getJob('J'))?.requeue();
      },
    ],
  ])('is forgotten when %s: it is a new case', async (_, act) => {
    await engine.queue().enqueue('f', null, { id: 'J' });
    await engine.client.lmove(...lists);
    await sweep();
    // As if that had been long ago.
    const noted = (await engine.client.hget('rq:nrq:popped:jobs', 'J')) ?? '';
    await engine.client.hset('rq:nrq:popped:jobs', 'J', noted.replace(/^\d+/, '1'));
    await engine.client.del('rq:queue:jobs:intermediate');
    await act();
    await engine.client.lmove(...lists);

    expect(await sweep()).toEqual([]);
    expect(await engine.places('J')).toEqual(['intermediate']);
  });

  it('does not matter while a lease says that it runs, as for an RQ worker whose work horse starts slowly', async () => {
    await engine.queue().enqueue('f', null, { id: 'J' });
    await engine.client.lmove(...lists);
    // RQ's parent enters it; its work horse takes it out of the list, and makes it `started`.
    await engine.client.zadd('rq:wip:jobs', Date.now() / 1000 + 90, 'J:0123456789abcdef');
    for (let round = 0; round < 5; round += 1) {
      expect(await sweep(1)).toEqual([]);
      const noted = (await engine.client.hget('rq:nrq:popped:jobs', 'J')) ?? '';
      await engine.client.hset('rq:nrq:popped:jobs', 'J', noted.replace(/^\d+/, '1'));
    }
    expect(await engine.places('J')).toEqual(['intermediate', 'started']);
    expect((await engine.fields('J')).status).toBe('queued');
  });
});
