import { jest } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';

jest.setTimeout(90_000);

const QUEUES = Array.from({ length: 10 }, (_, number) => `phase-${number}`);
const PER_SECOND = 15;
const SECONDS = 2;

/** RQ's scheduler moves due jobs without looking whether somebody else just has; ours must not be that somebody. */
describeInterop("RQ's scheduler beside our workers", () => {
  const sides = useBothSides();
  let runs: string[];

  beforeEach(() => {
    runs = [];
  });

  afterEach(() => stopSchedulers());

  /** Real schedulers, a process for each queue, each at its own phase of the second (in milliseconds). */
  async function startSchedulers(phases: Readonly<Record<string, number>>): Promise<void> {
    await sides.python.run(
      `
      import multiprocessing, time
      def schedule(name, phase):
          own = Redis.from_url(os.environ['INTEROP_REDIS_URL'])
          scheduler = RQScheduler([name], own, logging_level='ERROR', serializer=JSONSerializer)
          scheduler.acquire_locks()
          time.sleep((phase / 1000 - time.time()) % 1)
          scheduler.work()
      context = multiprocessing.get_context('fork')
      rq.schedulers = [
          context.Process(target=schedule, args=item, daemon=True) for item in given.items()
      ]
      for process in rq.schedulers:
          process.start()
      `,
      phases,
    );
  }

  /** SIGKILL: their locks stay. */
  function stopSchedulers(): Promise<unknown> {
    return sides.python.run(`
      for process in getattr(rq, 'schedulers', []):
          process.kill()
          process.join()
      rq.schedulers = []
    `);
  }

  const lock = (queue: string) => sides.client.get(`rq:scheduler-lock:${queue}`);

  async function startWorkers(queues: readonly string[]): Promise<void> {
    const note = (_: unknown, { id }: { id: string }) => void runs.push(id);
    await Promise.all(queues.map((queue) => sides.nest.worker({ note }, { queue, lease: 3 })));
  }

  /** Jobs that are due in whole seconds, as those of cron are: the next ones but one. Gives how many. */
  async function enqueueAligned(queues: readonly string[]): Promise<number> {
    const first = Math.ceil(Date.now() / 1000) + 1;
    await Promise.all(
      queues.map((queue) =>
        sides.nest.queue(queue).enqueueMany(
          Array.from({ length: SECONDS * PER_SECOND }, (_, number) => ({
            name: 'note',
            options: {
              id: `${queue}-${number}`,
              at: new Date((first + (number % SECONDS)) * 1000),
            },
          })),
        ),
      ),
    );
    return queues.length * SECONDS * PER_SECOND;
  }

  async function expectOneRunEach(count: number): Promise<void> {
    await eventually(() => new Set(runs).size === count, {
      what: 'all jobs to run',
      timeout: 15_000,
    });
    // Whatever was moved twice is in a queue, or has run.
    for (const queue of QUEUES) {
      await eventually(async () => (await sides.client.llen(`rq:queue:${queue}`)) === 0, {
        what: 'the queue to be empty',
      });
    }
    expect(runs).toHaveLength(count);
  }

  it('that was there first, in every phase of the second: due jobs run once each', async () => {
    await startSchedulers(Object.fromEntries(QUEUES.map((queue, number) => [queue, number * 100])));
    for (const queue of QUEUES) {
      await eventually(() => lock(queue), { what: 'the scheduler to hold its lock' });
    }
    await startWorkers(QUEUES);
    await expectOneRunEach(await enqueueAligned(QUEUES));
    for (const queue of QUEUES) expect(await lock(queue)).not.toBe('0');
  });

  it('that comes later finds the lock taken: due jobs run once each, and on time', async () => {
    const queues = QUEUES.filter((_, number) => number % 3 === 0);
    await startWorkers(queues);
    for (const queue of queues) {
      await eventually(async () => (await lock(queue)) === '0', { what: 'our lock' });
    }
    await startSchedulers(Object.fromEntries(queues.map((queue, number) => [queue, number * 300])));
    await expectOneRunEach(await enqueueAligned(queues));
    for (const queue of queues) expect(await lock(queue)).toBe('0');
  });

  it('that is killed: what it left behind runs once, also before its lock is free', async () => {
    const [queue = ''] = QUEUES;
    await startSchedulers({ [queue]: 0 });
    await eventually(() => lock(queue), { what: 'the scheduler to hold its lock' });
    await stopSchedulers();
    await startWorkers([queue]);
    const count = await enqueueAligned([queue]);
    // As if the time had passed: ten seconds beyond when they were due.
    const key = `rq:scheduled:${queue}`;
    for (const id of await sides.client.zrange(key, '0', '9')) {
      await sides.client.zadd(key, Date.now() / 1000 - 9, id);
    }
    // Their worker has a timer for the earliest that it knew of.
    await sides.nest.queue(queue).enqueueIn(1, 'note', undefined, { id: 'last' });
    await eventually(() => runs.length === 10, { what: 'those to run', timeout: 20_000 });
    expect(await lock(queue)).not.toBe('0');
    // The lock is over after 61 seconds.
    await sides.client.del(`rq:scheduler-lock:${queue}`);
    await expectOneRunEach(count + 1);
    expect(await lock(queue)).toBe('0');
  });
});
