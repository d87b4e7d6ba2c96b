// Redis that loses data while jobs run and wait: all of it, a database, single keys of ours, a queue under another name.
// What was lost is lost; what runs is told, workers serve on, and nothing of the past comes back.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { type ActingWorker, Scene } from './scene.js';

let scene: Scene;
let worker: ActingWorker | undefined;
const LEASE = 0.7;

beforeAll(async () => {
  scene = await Scene.open();
});

afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await scene.client.flushall();
});

afterAll(() => scene.close());

const queue = () => scene.queue();
let number = 0;

/**
 * One that runs until its signal aborts, one that runs until it is told to go on, one that waits, one that is due later.
 * The first two take all slots: the others wait until the test has done what it does.
 */
async function busy(): Promise<{
  label: string;
  endless: string;
  held: string;
  others: string[];
}> {
  const label = `worker-${++number}`;
  worker = await scene.worker(label, { concurrency: 2, lease: LEASE });
  const [endless, held, waits, later] = ['endless', 'held', 'waits', 'later'].map(
    (name) => `${name}-${number}`,
  ) as [string, string, string, string];
  const retry = { max: 3, interval: 0 };
  await queue().enqueue('act', { waits: true }, { id: endless, retry });
  await queue().enqueue('act', { holds: true }, { id: held, retry });
  await scene.when('run', { worker: label, count: 2 });
  await queue().enqueue('act', {}, { id: waits });
  await queue().enqueueIn(0.2, 'act', {}, { id: later });
  return { label, endless, held, others: [waits, later] };
}

async function servesOn(): Promise<void> {
  const job = await queue().enqueue('act', {}, { id: `next-${number}` });
  expect(await job.result({ timeout: 10 })).toMatchObject({ attempt: 1 });
  // The worker hears of it a moment later.
  await scene.when('finished', { id: job.id });
}

describe('a Redis that is emptied', () => {
  it.each([
    ['FLUSHALL', () => scene.client.flushall()],
    ['FLUSHDB', () => scene.client.flushdb()],
    [
      'FLUSHALL and SCRIPT FLUSH',
      () => scene.client.flushall().then(() => scene.client.script('FLUSH')),
    ],
  ])('by %s aborts what runs, and serves what comes', async (_, empty) => {
    const { label, endless, held, others } = await busy();
    await empty();
    worker?.go(held);

    await scene.when('aborted', { id: endless });
    await scene.when('end', { id: held });
    await servesOn();
    expect(scene.journal.of('finished', { worker: label }).map(({ id }) => id)).toEqual([
      `next-${number}`,
    ]);
    for (const id of others) expect(scene.journal.of('run', { id })).toEqual([]);
    // Nothing of the lost jobs was written again.
    const jobs = await scene.client.keys('rq:job:*');
    expect(jobs).toEqual([`rq:job:next-${number}`]);
    expect(await scene.audit([{ id: `next-${number}` }])).toEqual([]);
  });
});

describe('a key that is deleted', () => {
  it('of a job that runs: it is told, and its outcome writes nothing', async () => {
    const { endless, held, others } = await busy();
    await scene.client.del(`rq:job:${endless}`, `rq:job:${held}`);
    worker?.go(held);

    await scene.when('aborted', { id: endless });
    await servesOn();
    await scene.drained();
    expect(await scene.client.exists(`rq:job:${endless}`, `rq:job:${held}`)).toBe(0);
    expect(await scene.audit([...others, `next-${number}`].map((id) => ({ id })))).toEqual([]);
  });

  it('of a job that waits or is due: it is passed over, and told', async () => {
    const { others } = await busy();
    await scene.client.del(...others.map((id) => `rq:job:${id}`));
    worker?.go();

    await scene.when('dropped', { id: others[0] });
    await servesOn();
    for (const id of others) expect(scene.journal.of('run', { id })).toEqual([]);
  });

  it.each([
    ['the started registry', 'rq:wip:work'],
    ["the worker's own", 'rq:workers'],
    ['the set of queues', 'rq:queues'],
    ['notes of calls', 'rq:nrq:calls:work:*'],
    ['notes of life', 'rq:nrq:alive:work'],
    ["the schedulers' lock", 'rq:scheduler-lock:work'],
  ])('%s: each job still has one end, and what comes is served', async (_, pattern) => {
    const { endless, held, others } = await busy();
    const keys = await scene.client.keys(pattern);
    if (keys.length > 0) await scene.client.del(...keys);
    worker?.go(held);
    await scene.when('end', { id: held });
    worker?.go();

    await servesOn();
    await eventually(async () => (await scene.client.zcard('rq:scheduled:work')) === 0, {
      what: 'the due job to be promoted',
    });
    await scene.drained();
    for (const id of [endless, held, ...others]) {
      expect(scene.journal.of('finished', { id }).length).toBeLessThanOrEqual(1);
    }
    // Without its lease nobody knows that a job runs.
    const leased = pattern === 'rq:wip:work' ? [] : [endless, held];
    const known = [...leased, ...others, `next-${number}`];
    const planted = new Set([endless, held]);
    expect(
      await scene.audit(
        known.map((id) => ({ id, retries: 3 })),
        { planted },
      ),
    ).toEqual([]);
  });
});

describe('a queue that is renamed', () => {
  it('is served under its new name by whoever serves that, and the old one goes on', async () => {
    await queue().pause();
    worker = await scene.worker(`worker-${++number}`, { queues: ['work', 'moved'], lease: LEASE });
    const ids = Array.from({ length: 5 }, (_, job) => `moved-${number}-${job}`);
    for (const id of ids) await queue().enqueue('act', {}, { id });
    await scene.client.rename('rq:queue:work', 'rq:queue:moved');
    await scene.queue('moved').resume();
    await queue().resume();

    await scene.when('finished', { id: ids.at(-1) });
    await servesOn();
    await scene.drained({ queues: ['work', 'moved'] });
    expect(
      await scene.audit(
        [...ids, `next-${number}`].map((id) => ({ id })),
        { queues: ['work', 'moved'] },
      ),
    ).toEqual([]);
    for (const id of ids) expect(scene.journal.of('run', { id })).toHaveLength(1);
  });
});
