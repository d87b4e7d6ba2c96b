// Callbacks as Python stores them: what a worker tells of them, and what a producer may write.
import type { JobCallback, WorkerObserver } from '../../lib/worker/index.js';
import { HandlerRegistry, Worker } from '../../lib/worker/index.js';
import type { CallOptions } from '../../lib/queue/index.js';
import { deferred, eventually, within } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

/** A worker on a store of its own, and the callbacks that it tells of. */
async function work(run: () => unknown, observer: WorkerObserver = {}, maxCrashes = 3) {
  const told: JobCallback[] = [];
  const handlers = new HandlerRegistry();
  handlers.register({ queue: 'jobs', name: 'tasks.f', owner: 'Tests.f', run });
  const jobCallback = (callback: JobCallback) => void told.push(callback);
  const store = await engine.openStore();
  const options = { maxCrashes, shutdownTimeout: 0.2 };
  const worker = new Worker(store, handlers, options, { jobCallback, ...observer });
  workers.push(worker);
  await worker.start();
  return told;
}

const ALL = { onSuccess: 'tasks.good', onFailure: 'tasks.bad', onStopped: 'tasks.stopped' };
const call = (options?: CallOptions) => engine.queue().enqueueCall('tasks.f', {}, options);

it('a call is stored with the names as RQ has them, and without a place for others', async () => {
  const { id } = await call({ ...ALL, timeout: 5 });
  expect(await engine.fields(id)).toMatchObject({
    success_callback_name: 'tasks.good',
    failure_callback_name: 'tasks.bad',
    stopped_callback_name: 'tasks.stopped',
    timeout: '5',
  });
  const one = await engine.fields((await call({ onFailure: 'tasks.bad' })).id);
  expect(Object.keys(one).filter((name) => name.includes('callback'))).toEqual([
    'failure_callback_name',
  ]);
});

it.each([
  ['report', 'no dot'],
  ['ts.onFail()', 'a call'],
  ['a..b', 'an empty part'],
  ['a.b\n', 'a line break'],
  ['.b', 'no module'],
  ['a.1b', 'a digit'],
  [`a.${'b'.repeat(500)}`, 'too long'],
  [() => 1, 'a function'],
  [null, 'null'],
])('a callback that is no dotted name is refused: %j (%s)', async (name, _why) => {
  await expect(call({ onFailure: name as string })).rejects.toThrow(
    /^enqueueCall\("tasks.f"\) on queue "jobs": onFailure must be the dotted name of a Python function/,
  );
  expect(await engine.client.keys('rq:job:*')).toEqual([]);
});

it('a job that Python does not run has no callbacks', async () => {
  const options = { onSuccess: 'tasks.good' } as object;
  await expect(engine.queue().enqueue('f', undefined, options)).rejects.toThrow(
    /onSuccess is not an option here/,
  );
});

it('its moment is told after the outcome is written, and only then', async () => {
  const statuses: Promise<string>[] = [];
  const told = await work(() => 'result', {
    jobFinished: ({ jobId }) => void statuses.push(engine.queue().job(jobId).status()),
  });
  const job = await call(ALL);
  await eventually(() => told.length === 1, { what: 'the callback' });
  expect(told).toMatchObject([
    {
      callback: 'tasks.good',
      on: 'success',
      event: { type: 'finished', queue: 'jobs', jobId: job.id, name: 'tasks.f', result: 'result' },
    },
  ]);
  expect(await Promise.all(statuses)).toEqual(['finished']);
});

it('of a job that repeats it is told after each round', async () => {
  const told = await work(() => 'result');
  await call({ ...ALL, repeat: { times: 2, interval: 0 } });
  await eventually(() => told.length === 3, { what: 'a callback for each round' });
  expect(told.map(({ callback, event }) => [callback, event.type])).toEqual(
    Array(3).fill(['tasks.good', 'finished']),
  );
});

it('nothing is told of a job whose outcome was refused', async () => {
  const lost: string[] = [];
  const told = await work(
    async () => {
      await engine.client.del('rq:wip:jobs');
    },
    { jobLost: ({ jobId }) => void lost.push(jobId) },
  );
  const job = await call(ALL);
  await eventually(() => lost.includes(job.id), { what: 'the job to be lost' });
  expect(told).toEqual([]);
});

it('a job that is failed as poison has its callback told by the one that finds it', async () => {
  const job = await call({ onFailure: 'tasks.bad' });
  await engine.client.lrem('rq:queue:jobs', 0, job.id);
  await engine.client.hset(`rq:job:${job.id}`, 'status', 'started');
  await engine.client.zadd('rq:wip:jobs', 1, `${job.id}:${'0'.repeat(32)}`);
  const told = await work(() => 1, {}, 1);
  await eventually(() => told.length > 0, { what: 'the callback' });
  expect(told).toMatchObject([
    {
      callback: 'tasks.bad',
      on: 'failure',
      event: { type: 'failed', jobId: job.id, name: 'tasks.f', error: { name: 'PoisonJobError' } },
    },
  ]);
});

it('a name of absurd length is none', async () => {
  const job = await call({ onSuccess: 'a.b', delay: 0.1 });
  await engine.client.hset(`rq:job:${job.id}`, 'success_callback_name', 'x'.repeat(100_000));
  const finished = deferred();
  const told = await work(() => 1, { jobFinished: () => finished.resolve() });
  await within(finished.promise, { what: 'the job to finish' });
  expect(told).toEqual([]);
});
