import { HandlerRegistry, Worker } from '../../lib/worker/index.js';
import { Queue } from '../../lib/queue/index.js';
import { least } from '../support/timing.js';
import { deferred, eventually, within } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { nameHere, wholeOf } from './support/layout.js';

const engine = Engine.forThisFile();

const names = (count: number) => Array.from({ length: count }, (_, index) => `queue${index}`);

/** Our connections as Redis sees them, by their purpose. */
async function connections(): Promise<string[]> {
  const list = (await engine.client.client('LIST')) as string;
  return [...list.matchAll(/ name=nestjs-rq:(\S+)/g)]
    .map(([, purpose]) => purpose ?? '')
    .toSorted();
}

/**
 * How many timers and sockets keep this process alive for good: the fewest that are seen before the numbers have
 * stopped to fall. What earlier tests have left to run out, and what jest does now and then, does not count.
 */
async function handles(): Promise<{ timers: number; sockets: number }> {
  const fewest = { timers: Infinity, sockets: Infinity };
  let since = performance.now();
  const look = () => {
    const all = process.getActiveResourcesInfo();
    const timers = all.filter((name) => name === 'Timeout').length;
    const sockets = all.filter((name) => name === 'TCPSocketWrap').length;
    if (timers < fewest.timers || sockets < fewest.sockets) since = performance.now();
    fewest.timers = Math.min(fewest.timers, timers);
    fewest.sockets = Math.min(fewest.sockets, sockets);
    return performance.now() - since > 1500;
  };
  await eventually(look, { what: 'the fewest handles', timeout: 20_000 });
  return fewest;
}

describe('an idle worker', () => {
  it('sends next to nothing: at most a command per queue in 5 seconds', async () => {
    const worker = await engine.work(
      names(5).map((queue) => ({ queue, name: 'f', run: () => 'done' })),
    );
    // All queues have been used, and are empty now.
    const jobs = await Promise.all(names(5).map((queue) => engine.queue(queue).enqueue('f')));
    await Promise.all(jobs.map((job) => job.result({ timeout: 5 })));
    await eventually(
      async () =>
        ((await engine.client.client('LIST')) as string).match(/cmd=blmove/g)?.length === 5,
      { what: 'all queues to be waited for' },
    );

    const commandsIn3Seconds = async () => {
      const monitor = await engine.redis.client().monitor();
      const commands: string[] = [];
      const watched = deferred();
      monitor.on('monitor', (_: string, [command = '', ...rest]: string[], source: string) => {
        if (command.toLowerCase() === 'set' && rest[0] === nameHere('rq:end-of-watch'))
          watched.resolve();
        // What a script does inside of Redis is no command that was sent.
        else if (source !== 'lua') commands.push(`${command} ${rest[0] ?? ''}`);
      });
      // Not a wait for something: the time over which commands are counted.
      const end = performance.now() + 3000;
      await eventually(() => performance.now() > end, { what: '3 seconds', every: 100 });
      await engine.client.set('rq:end-of-watch', '1');
      await watched.promise;
      monitor.disconnect();
      return commands.length;
    };
    // Each 7.5 seconds the worker looks after all five queues at once: not in two such times of three.
    expect(await least(commandsIn3Seconds, { enough: 4, rounds: 3 })).toBeLessThanOrEqual(3);
    expect(worker.events.of('problem')).toEqual([]);
  });

  it('is woken at once all the same', async () => {
    const began: number[] = [];
    await engine.work({ f: () => void began.push(performance.now()) });
    const took = await least(
      async (round) => {
        await eventually(
          async () => ((await engine.client.client('LIST')) as string).includes('cmd=blmove'),
          { what: 'the worker to wait' },
        );
        const enqueuedAt = performance.now();
        await engine.queue().enqueue('f');
        await eventually(() => began.length === round, { what: 'the job', every: 1 });
        return (began.at(-1) ?? Infinity) - enqueuedAt;
      },
      { enough: 150 },
    );
    expect(took).toBeLessThan(150);
  });
});

describe('connections', () => {
  it.each([1, 5])('are two and one per consumed queue: %d queue(s)', async (count) => {
    const before = await connections();
    const worker = await engine.work(
      names(count).map((queue) => ({ queue, name: 'f', run: () => 1 })),
    );
    const expected = [...before, 'commands', 'messages', ...names(count).map(() => 'blocking')];
    await eventually(async () => (await connections()).length === expected.length, {
      what: 'all connections',
    });
    expect(await connections()).toEqual(expected.toSorted());

    const listened = async () => (await engine.client.pubsub('CHANNELS')) as string[];
    expect(await listened()).toContain(`rq:pubsub:${worker.name}`);

    await worker.stop();

    await eventually(async () => !(await connections()).includes('blocking'), {
      what: 'the blocking ones to be closed',
    });
    const isSilent = async () =>
      !(await listened()).some((channel) => /^rq:(pubsub|nrq:wake):/.test(channel));
    await eventually(isSilent, { what: 'the worker to listen to nothing' });
  });

  it('of a producer is one, two when it waits for results, however many queues it uses', async () => {
    const store = await engine.openStore();
    const before = (await connections()).length;
    const queues = names(20).map((name) => engine.queue(name, {}, store));
    const jobs = await Promise.all(queues.map((queue) => queue.enqueue('f')));
    expect((await connections()).length).toBe(before);

    await Promise.allSettled(jobs.map((job) => job.result({ timeout: 0.05 })));
    await eventually(async () => (await connections()).length === before + 1, {
      what: 'the connection for messages',
    });
  });
});

describe('after stop() and close()', () => {
  it('no timer, no socket, no connection is left', async () => {
    const before = [await handles(), await connections()];
    for (let round = 0; round < 3; round += 1) {
      const store = await engine.openStore();
      const handlers = new HandlerRegistry();
      for (const queue of names(3)) {
        handlers.register({ queue, name: 'ok', owner: 'T.ok', run: () => 1 });
        handlers.register({
          queue,
          name: 'slow',
          owner: 'T.slow',
          run: () => new Promise(() => undefined),
        });
      }
      const worker = new Worker(wholeOf(store), handlers, { shutdownTimeout: 0.05 });
      await worker.start();
      const queue = new Queue('queue0', store);
      // In every state that has a timer: running, delayed, waited for in vain.
      await queue.enqueue('slow');
      await queue.enqueueIn(60, 'ok');
      const never = (await queue.enqueueIn(60, 'ok')).result({ timeout: 0.01 });
      await expect(never).rejects.toMatchObject({ code: 'RQ_RESULT_TIMEOUT' });
      expect(await (await queue.enqueue('ok')).result({ timeout: 5 })).toBe(1);

      await worker.stop();
      await store.connections.close();
    }

    expect([await handles(), await connections()]).toEqual(before);
  });

  it('what ran goes back to the head of its queue, in order, and spends no retry', async () => {
    const reasons: unknown[] = [];
    const worker = await engine.work(
      {
        slow: (_, { signal }) => {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          return new Promise(() => undefined);
        },
      },
      { concurrency: 3, shutdownTimeout: 0.05 },
    );
    const queue = engine.queue();
    const options = { retry: { max: 1, interval: 0 } };
    const jobs = await queue.enqueueMany(
      Array.from({ length: 5 }, () => ({ name: 'slow', options })),
    );
    await worker.events.waitFor('jobStarted', 3);

    await worker.stop();

    expect(reasons).toMatchObject(Array.from({ length: 3 }, () => ({ code: 'RQ_SHUTDOWN' })));
    expect((await queue.jobs()).map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
    for (const job of jobs) {
      expect(await engine.fields(job.id)).toMatchObject({ status: 'queued', retries_left: '1' });
    }
    const attempts: number[] = [];
    await engine.work({ slow: (_, { attempt }) => void attempts.push(attempt) });
    await eventually(() => attempts.length === 5, { what: 'all jobs' });
    expect(attempts).toEqual([1, 1, 1, 1, 1]);
  });

  it('running jobs have finished, when they do so within the time that is given', async () => {
    const gate = deferred();
    const worker = await engine.work({ slow: () => gate.promise }, { shutdownTimeout: 10 });
    const [job, waiting] = await engine.queue().enqueueMany([{ name: 'slow' }]);
    await worker.events.waitFor('jobStarted');
    expect(waiting).toBeUndefined();

    const stopped = worker.stop();
    const late = await engine.queue().enqueue('slow');
    gate.resolve();
    await within(stopped, { what: 'the worker to stop' });

    expect(await job?.status()).toBe('finished');
    expect(await late.status()).toBe('queued');
    expect(worker.running).toBe(0);
  });

  it('stop() may be called at any time, again and again', async () => {
    const handlers = new HandlerRegistry();
    handlers.register({ queue: 'jobs', name: 'f', owner: 'T.f', run: () => 1 });
    const store = await engine.openStore();

    const neverStarted = new Worker(store, handlers);
    await within(neverStarted.stop(), { what: 'a worker that never started' });

    const starting = new Worker(store, handlers);
    const started = starting.start();
    await within(Promise.all([starting.stop(), starting.stop()]), { what: 'the stop' });
    await within(
      started.catch(() => undefined),
      { what: 'the start' },
    );
    await within(starting.stop(), { what: 'a third stop' });

    await engine.queue().enqueue('f');
    expect(await engine.queue().count()).toBe(1);
    expect(starting.running).toBe(0);
  });
});

describe("RQ's shutdown command", () => {
  it('stops the worker in good order', async () => {
    const worker = await engine.work({ f: () => 1 });
    const command = JSON.stringify({ command: 'shutdown' });
    await engine.client.publish(`rq:pubsub:${worker.name}`, command);

    await eventually(async () => (await engine.client.scard('rq:workers')) === 0, {
      what: 'the worker to be gone',
    });
    await engine.queue().enqueue('f');
    expect(await engine.queue().count()).toBe(1);
  });
});
