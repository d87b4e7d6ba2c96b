import { Connections } from '../../lib/redis/index.js';
import { Queue } from '../../lib/queue/index.js';
import { RedisJobStore } from '../../lib/store/index.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine, type TestWorker } from './support/engine.js';
import { LAYOUT, itInSharedLayout } from './support/layout.js';

const engine = Engine.forThisFile();

/** A set of data in the one Redis, with a worker of the same name in each. */
class DataSet {
  readonly runs: Run[] = [];
  readonly told: string[] = [];
  readonly queue: Queue;
  worker!: TestWorker;

  private constructor(readonly store: RedisJobStore) {
    this.queue = new Queue('jobs', store);
  }

  static async open({ database, prefix }: Place): Promise<DataSet> {
    const set = new DataSet(
      LAYOUT === 'shared'
        ? await storeOfDatabase(database, prefix)
        : await engine.openStore({ prefix }),
    );
    set.worker = await engine.work(
      {
        hold: (_, { signal }) => {
          const run = { ...deferred<string>(), signal };
          set.runs.push(run);
          signal.addEventListener('abort', () => run.reject(signal.reason));
          return run.promise;
        },
        quick: () => 'quick',
      },
      { store: set.store, name: 'same-name', lease: 30 },
    );
    set.queue.events().subscribe(({ type, jobId }) => set.told.push(`${type} ${jobId}`));
    await eventually(
      async () =>
        (await engine.client.pubsub('NUMSUB', set.store.keys.queue('jobs').events))[1] === 1,
      { what: 'somebody to listen' },
    );
    return set;
  }

  run(): Promise<Run> {
    return eventually(() => this.runs.at(-1), { what: 'the job to run' });
  }

  async close(): Promise<void> {
    for (const run of this.runs) run.resolve('over');
    await this.worker.stop();
    await this.store.connections.close();
  }
}

async function storeOfDatabase(database: number, prefix?: string): Promise<RedisJobStore> {
  const connections = new Connections(`${engine.redis.url}/${database}`);
  await connections.connect();
  return new RedisJobStore(connections, { prefix });
}

type Run = ReturnType<typeof deferred<string>> & { readonly signal: AbortSignal };

interface Place {
  readonly database: number;
  readonly prefix?: string;
}

/** In the layout of a cluster there is one database. */
const DATABASES: readonly [string, Place, Place][] = [
  ['the databases 0 and 1', { database: 0 }, { database: 1 }],
  ['the databases 1 and 11', { database: 1 }, { database: 11 }],
];

describe.each<[string, Place, Place]>([
  ...(LAYOUT === 'shared' ? DATABASES : []),
  ['two prefixes', { database: 0, prefix: 'one:' }, { database: 0, prefix: 'two:' }],
  ["RQ's prefix and one that begins so", { database: 2 }, { database: 2, prefix: 'rq:nrq:' }],
])('of %s, with queues, ids and workers of the same names', (_, first, second) => {
  let here: DataSet;
  let there: DataSet;

  beforeEach(async () => {
    [here, there] = [await DataSet.open(first), await DataSet.open(second)];
  });

  afterEach(async () => {
    await Promise.all([here, there].map((set) => set.close()));
  });

  /** Whatever is published there has been heard here, if it is heard at all. */
  async function allHeard(): Promise<void> {
    await (await there.queue.enqueue('quick')).result({ timeout: 5 });
    await (await here.queue.enqueue('quick')).result({ timeout: 5 });
  }

  it('one hears no results and events of the other', async () => {
    const [job, twin] = [
      await here.queue.enqueue('hold', null, { id: 'J' }),
      await there.queue.enqueue('hold', null, { id: 'J' }),
    ];
    const result = job.result({ timeout: 10 });
    let isOver = false;
    void result.then(() => (isOver = true));
    await here.run();
    (await there.run()).resolve('there');
    expect(await twin.result({ timeout: 5 })).toBe('there');
    await allHeard();
    expect(isOver).toBe(false);
    expect(here.told.filter((one) => one === 'finished J')).toEqual([]);

    (await here.run()).resolve('here');

    expect(await result).toBe('here');
    await eventually(() => here.told.includes('finished J'), { what: 'the event' });
    expect(there.told.filter((one) => one === 'finished J')).toHaveLength(1);
  });

  it.each(['cancel', 'stop', 'delete'] as const)(
    '%s in one leaves the other alone',
    async (act) => {
      await here.queue.enqueue('hold', null, { id: 'J' });
      const twin = await there.queue.enqueue('hold', null, { id: 'J' });
      const [run, other] = [await here.run(), await there.run()];
      other.promise.catch(() => undefined);

      await twin[act]();

      await eventually(() => other.signal.aborted, { what: 'the run to be aborted' });
      await allHeard();
      expect(run.signal.aborted).toBe(false);
      run.resolve('here');
      expect(await (await here.queue.getJob('J'))?.result({ timeout: 5 })).toBe('here');
    },
  );

  it('one is not woken by the other', async () => {
    const { wake } = here.store.keys.queue('jobs');
    const heard: string[] = [];
    const subscriber = engine.subscriber();
    subscriber.on('message', (channel: string) => heard.push(channel));
    await subscriber.subscribe(wake, there.store.keys.queue('jobs').wake);

    await (await there.queue.enqueueIn(0.01, 'quick')).result({ timeout: 5 });
    await there.queue.pause();
    await there.queue.resume();

    await eventually(() => heard.length >= 2, { what: 'the wake-ups' });
    await subscriber.ping();
    expect(heard).not.toContain(wake);
    expect(await here.queue.isPaused()).toBe(false);
    subscriber.disconnect();
  });
});

itInSharedLayout('database 0 keeps the names of channels that older versions know', async () => {
  const set = await DataSet.open({ database: 0 });
  try {
    const names = [
      'rq:nrq:commands:same-name',
      'rq:nrq:events:jobs',
      'rq:nrq:wake:jobs',
      'rq:pubsub:same-name',
    ];
    // Those of the test before may be closed a moment later, and the worker's wake-up be asked for.
    let channels: string[] = [];
    const areThese = async () => {
      channels = ((await engine.client.pubsub('CHANNELS')) as string[]).toSorted();
      return channels.join() === names.join();
    };
    await eventually(areThese, { what: 'these channels' }).catch(() => undefined);
    expect(channels).toEqual(names);
  } finally {
    await set.close();
  }
});
