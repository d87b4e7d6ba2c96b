import { RqConnectionError } from '../../lib/job/index.js';
import { Queue, ResultWaiter, RqJob } from '../../lib/queue/index.js';
import { Connections } from '../../lib/redis/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { HandlerRegistry, Worker } from '../../lib/worker/index.js';
import { LATENESS } from '../support/timing.js';
import { within } from '../support/wait.js';

/** Nobody listens on port 1. */
const url = 'redis://user:hunter2@127.0.0.1:1';
const settings = { commandTimeout: 60, connectTimeout: 60 };

let store: RedisJobStore;

beforeEach(() => {
  store = new RedisJobStore(new Connections(url, settings));
});

afterEach(() => within(store.connections.close(), { what: 'close()', timeout: LATENESS }));

describe('without a Redis', () => {
  const job = () => new RqJob('jobs', 'id1', store, new ResultWaiter(store));
  const queue = () => new Queue('jobs', store);

  it.each<[string, () => Promise<unknown>]>([
    ['connect', () => store.connections.connect()],
    ['queue.enqueue', () => queue().enqueue('f')],
    ['queue.enqueueIn', () => queue().enqueueIn(1, 'f')],
    ['queue.enqueueMany', () => queue().enqueueMany([{ name: 'f' }, { name: 'f' }])],
    ['queue.getJob', () => queue().getJob('id1')],
    ['queue.count', () => queue().count()],
    ['queue.jobs', () => queue().jobs()],
    ['queue.pause', () => queue().pause()],
    ['queue.resume', () => queue().resume()],
    ['queue.isPaused', () => queue().isPaused()],
    ['queue.empty', () => queue().empty()],
    ['queue.requeue', () => queue().requeue({ in: 'failed' })],
    ['job.status', () => job().status()],
    ['job.refresh', () => job().refresh()],
    ['job.result', () => job().result({ timeout: 60 })],
    ['job.results', () => job().results()],
    ['job.cancel', () => job().cancel()],
    ['job.stop', () => job().stop()],
    ['job.requeue', () => job().requeue()],
    ['job.delete', () => job().delete()],
    ['job.position', () => job().position()],
    ['job.saveMeta', () => job().saveMeta({})],
  ])('%s fails in time, with an error of ours that keeps the password', async (_, act) => {
    const startedAt = performance.now();
    const error = await act().catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(RqConnectionError);
    expect(performance.now() - startedAt).toBeLessThan(settings.commandTimeout + LATENESS);
    expect(JSON.stringify(error) + (error as Error).stack).not.toMatch(/hunter2|user:/);
  });

  it('a worker fails to start, and stops at once', async () => {
    const handlers = new HandlerRegistry();
    handlers.register({ queue: 'jobs', name: 'f', owner: 'T.f', run: () => 1 });
    const worker = new Worker(store, handlers);

    await expect(worker.start()).rejects.toBeInstanceOf(RqConnectionError);
    await within(worker.stop(), { what: 'the worker to stop', timeout: LATENESS });
  });
});
