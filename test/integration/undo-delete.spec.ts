// A delete that was a mistake: for an hour, jobs that had ended can be had back.
import { RqInspector } from '../../lib/observe/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();
const inspector = () => new RqInspector(engine.store);

async function endedJobs() {
  const worker = await engine.work({
    boom: () => Promise.reject(new RangeError('no')),
    fine: () => 'done',
  });
  const failed = await engine
    .queue()
    .enqueueMany(Array.from({ length: 3 }, () => ({ name: 'boom' })));
  const finished = await engine.queue().enqueue('fine');
  await worker.events.waitFor('jobFailed', 3);
  await worker.events.waitFor('jobFinished', 1);
  await worker.stop();
  return { failed: failed.map(({ id }) => id), finished };
}

it('gives jobs back as they were, where they were, from any process', async () => {
  const { failed, finished } = await endedJobs();
  const [id = ''] = failed;
  await engine.client.rpush(`rq:nrq:log:${id}`, 'a line');
  const before = await engine.fields(id);
  const score = await engine.client.zscore('rq:failed:jobs', id);
  const ttl = await engine.client.pttl(`rq:job:${id}`);

  const operation = inspector().delete('jobs', { in: 'failed' });
  expect(await operation.report()).toMatchObject({ done: 3, undoable: 3 });
  expect(await engine.places(id)).toEqual([]);
  expect(await inspector().job(id)).toBeUndefined();
  expect(await engine.client.ttl(`rq:nrq:trash:${id}`)).toBeGreaterThan(3500);

  const other = new RqInspector(await engine.openStore());
  expect(await other.undoDelete('jobs', operation.undoId ?? '')).toEqual({
    restored: 3,
    refused: 0,
  });
  expect(await engine.fields(id)).toEqual(before);
  expect(await engine.client.zscore('rq:failed:jobs', id)).toBe(score);
  expect(Math.abs((await engine.client.pttl(`rq:job:${id}`)) - ttl)).toBeLessThan(60_000);
  expect(await engine.queue().job(id).logs()).toEqual(['a line']);
  expect(await engine.client.keys('rq:nrq:trash*')).toEqual([]);
  expect(await engine.client.keys('rq:nrq:deleted*')).toEqual([]);
  // A second time there is nothing to give back.
  expect(await operation.undo()).toEqual({ restored: 0, refused: 0 });

  const one = inspector().delete('jobs', [finished.id]);
  await one.report();
  expect(await one.undo()).toEqual({ restored: 1, refused: 0 });
  expect(await finished.result()).toBe('done');
});

it('does not give back what had not ended, what others waited for, and ids that are taken', async () => {
  const { failed } = await endedJobs();
  const [first = '', second = '', third = ''] = failed;
  const child = await engine.queue().enqueue('later', {}, { dependsOn: first });
  const waiting = await engine.queue().enqueue('waits');
  const operation = inspector().delete('jobs', [...failed, waiting.id]);
  expect(await operation.report()).toMatchObject({ done: 4, undoable: 2 });
  expect(await engine.client.exists(`rq:nrq:trash:${first}`)).toBe(0);
  await engine.queue().enqueue('again', {}, { id: second });
  expect(await operation.undo()).toEqual({ restored: 1, refused: 1 });
  expect(await engine.places(third)).toEqual(['failed']);
  expect(await engine.places(second)).toEqual(['queue']);
  expect(await child.status()).toBe('canceled');
});

it('keeps nothing when it is told not to, or for a plain delete', async () => {
  const { failed } = await endedJobs();
  const operation = inspector().delete('jobs', failed.slice(0, 1), { undoable: false });
  await operation.report();
  await expect(operation.undo()).rejects.toThrow('undoable: false');
  await engine.queue().delete(failed.slice(1));
  expect(await engine.client.keys('rq:nrq:trash*')).toEqual([]);
  expect(() => inspector().undoDelete('jobs', '*')).toThrow('undoId');
});

it('an operation on many jobs is given back in slices', async () => {
  const handles = await engine
    .queue()
    .enqueueMany(Array.from({ length: 600 }, () => ({ name: 'x' })));
  await engine.queue().cancel({ in: 'queued' });
  const operation = inspector().delete('jobs', { in: 'canceled' });
  expect(await operation.report()).toMatchObject({ done: 600, undoable: 600 });
  expect(await operation.undo()).toEqual({ restored: 600, refused: 0 });
  await eventually(async () => (await engine.queue().counts()).canceled === 600, {
    what: 'all back',
  });
  expect(await engine.places(handles[599]?.id ?? '')).toEqual(['canceled']);
});
