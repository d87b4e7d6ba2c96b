// The engine as these tests use it: a real Redis per test file and on it queues and workers, without
// Nest. Every worker and every extra store has connections of its own, as in another process.
import type { Redis } from 'ioredis';
import { Queue, type QueueOptions } from '../../../lib/queue/index.js';
import type { RedisJobStore, RedisJobStoreOptions } from '../../../lib/store/index.js';
import {
  type Handler,
  HandlerRegistry,
  Worker,
  type WorkerObserver,
  type WorkerOptions,
} from '../../../lib/worker/index.js';
import type { RedisServer, StartRedisOptions } from '../../support/redis-server.js';
import { eventually } from '../../support/wait.js';
import {
  type Login,
  type TestServers,
  clientHere,
  openStoreOn,
  startServers,
  wholeOf,
  wholes,
} from './layout.js';

export class Engine {
  /** On a cluster the node that has all that tests look at. */
  redis!: RedisServer;
  /** A plain client, to look at what is stored and to write as somebody else would. */
  client!: Redis;
  /** The store of the producers. */
  store!: RedisJobStore;
  private servers!: TestServers;
  /** Those of a test, and those of all tests of the file. */
  private readonly connections = new Set<{ close(): Promise<void> }>();
  private readonly kept = new Set<{ close(): Promise<void> }>();
  private readonly workers = new Set<Worker>();

  /** To be called at the top of a test file: its Redis is emptied after each test. */
  static forThisFile(options?: StartRedisOptions): Engine {
    const engine = new Engine();
    beforeAll(async () => {
      engine.servers = await startServers(options);
      engine.redis = engine.servers.redis;
      engine.client = engine.servers.client;
      engine.store = await engine.openStore(undefined, { isKept: true });
    }, 40_000);
    afterEach(async () => {
      await engine.stopWorkers();
      await engine.client.flushall();
      wholes.get(engine.store)?.hashTags.forget();
    });
    afterAll(async () => {
      await engine.close();
    });
    return engine;
  }

  /** A store with connections of its own, which are closed after the test, or after all of them. */
  async openStore(
    options?: RedisJobStoreOptions,
    { login, isKept = false, ...settings }: ConnectSettings = {},
  ): Promise<RedisJobStore> {
    const { store, connections } = await openStoreOn(this.connection(login), options, settings);
    (isKept ? this.kept : this.connections).add(connections);
    return store;
  }

  /** What `connection` is to be. */
  connection(login?: Login): ReturnType<TestServers['connection']> {
    return this.servers.connection(login);
  }

  /** A client as `client`, for messages. */
  subscriber(): Redis {
    return clientHere(this.redis.client());
  }

  /** A queue, by default of the producers' store and called `jobs`. */
  queue(name = 'jobs', options: QueueOptions = {}, store = this.store): Queue {
    return new Queue(name, store, options);
  }

  /** Starts a worker on a store of its own. Handlers are given by job name, or as a list for several queues. */
  async work(
    handlers: Readonly<Record<string, Run | HandlerParts>> | readonly ListedHandler[],
    options: WorkerOptions & { readonly store?: RedisJobStore } = {},
  ): Promise<TestWorker> {
    const { store = await this.openStore(), ...workerOptions } = options;
    const registry = new HandlerRegistry();
    const list = Array.isArray(handlers)
      ? (handlers as readonly ListedHandler[])
      : Object.entries(handlers).map(([name, handler]) => ({
          name,
          ...(typeof handler === 'function' ? { run: handler } : (handler as HandlerParts)),
        }));
    for (const handler of list) {
      registry.register({ queue: 'jobs', owner: `Tests.${handler.name}`, ...handler });
    }
    const events = new WorkerEvents();
    // A handler that never ends must not hold up the end of its test.
    const settings = { shutdownTimeout: 0.2, ...workerOptions };
    const worker = new Worker(wholeOf(store), registry, settings, events.observer);
    this.workers.add(worker);
    await worker.start();
    return Object.assign(worker, { events });
  }

  /** Names and values of a job's hash as text. */
  fields(id: string): Promise<Record<string, string>> {
    return this.client.hgetall(`rq:job:${id}`);
  }

  /** Where an id is, by the names of RQ's structures; a job at rest is in exactly one. */
  async places(id: string, queue = 'jobs'): Promise<string[]> {
    const places: string[] = [];
    for (const list of ['queue', 'intermediate']) {
      const key = list === 'queue' ? `rq:queue:${queue}` : `rq:queue:${queue}:intermediate`;
      if ((await this.client.lpos(key, id)) !== null) places.push(list);
    }
    const running = await this.client.zrange(`rq:wip:${queue}`, '0', '-1');
    if (running.some((member) => member.startsWith(`${id}:`))) places.push('started');
    for (const registry of ['scheduled', 'deferred', 'finished', 'failed', 'canceled']) {
      const score = await this.client.zscore(`rq:${registry}:${queue}`, id);
      if (score !== null) places.push(registry);
    }
    return places;
  }

  async stopWorkers(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.stop()));
    this.workers.clear();
    await Promise.all([...this.connections].map((one) => one.close()));
    this.connections.clear();
  }

  private async close(): Promise<void> {
    await this.stopWorkers();
    await Promise.all([...this.kept].map((one) => one.close()));
    await this.servers.stop();
  }
}

interface ConnectSettings {
  readonly login?: Login;
  readonly commandTimeout?: number;
  readonly isKept?: boolean;
}

export type Run = Handler['run'];
export type HandlerParts = Omit<Handler, 'name' | 'owner' | 'queue'> & { readonly queue?: string };
export type ListedHandler = HandlerParts & Pick<Handler, 'name'>;
export type TestWorker = Worker & { readonly events: WorkerEvents };

type EventName = keyof WorkerObserver;
type EventOf<Name extends EventName> = Parameters<NonNullable<WorkerObserver[Name]>>[0];

const EVENT_NAMES = [
  'jobStarted',
  'jobFinished',
  'jobRetrying',
  'jobFailed',
  'jobReleased',
  'jobSnoozed',
  'jobCanceled',
  'jobLost',
  'jobRecovered',
  'jobDropped',
  'problem',
  'problemSolved',
] as const satisfies readonly EventName[];

/** Everything that a worker has told its observer. */
export class WorkerEvents {
  readonly observer: WorkerObserver = {};
  private readonly seen: { readonly name: EventName; readonly event: unknown }[] = [];

  constructor() {
    for (const name of EVENT_NAMES) {
      this.observer[name] = (event: unknown) => void this.seen.push({ name, event });
    }
  }

  /** All events of a kind, oldest first. */
  of<Name extends EventName>(name: Name): EventOf<Name>[] {
    return this.seen.filter((one) => one.name === name).map(({ event }) => event as EventOf<Name>);
  }

  /** Waits until there are so many events of a kind, and gives them. */
  waitFor<Name extends EventName>(name: Name, count = 1): Promise<EventOf<Name>[]> {
    return eventually(() => this.of(name).length >= count && this.of(name), {
      what: `${count} event(s) ${name}`,
    });
  }
}
