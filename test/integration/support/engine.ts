// The engine as these tests use it: a real Redis per test file and on it queues and workers, without
// Nest. Every worker and every extra store has connections of its own, as in another process.
import type { Redis } from 'ioredis';
import { Queue, type QueueOptions } from '../../../lib/queue/index.js';
import { Connections } from '../../../lib/redis/index.js';
import { RedisJobStore, type RedisJobStoreOptions } from '../../../lib/store/index.js';
import {
  type Handler,
  HandlerRegistry,
  Worker,
  type WorkerObserver,
  type WorkerOptions,
} from '../../../lib/worker/index.js';
import {
  type RedisServer,
  type StartRedisOptions,
  startRedis,
} from '../../support/redis-server.js';
import { eventually } from '../../support/wait.js';
import { LAYOUT, SERVER_ARGS, openTagged, prepareServer, taggedClient, wholes } from './layout.js';

export class Engine {
  redis!: RedisServer;
  /** A plain client, to look at what is stored and to write as somebody else would. */
  client!: Redis;
  /** The store of the producers. */
  store!: RedisJobStore;
  private readonly connections = new Set<{ close(): Promise<void> }>();
  /** Of the producers' store. */
  private own: { close(): Promise<void> } | undefined;
  private readonly workers = new Set<Worker>();

  /** To be called at the top of a test file: its Redis is emptied after each test. */
  static forThisFile(options?: StartRedisOptions): Engine {
    const engine = new Engine();
    beforeAll(async () => {
      engine.redis = await startRedis({ ...options, args: SERVER_ARGS });
      await prepareServer(engine.redis);
      const client = engine.redis.client();
      engine.client = LAYOUT === 'shared' ? client : taggedClient(client);
      engine.store = await engine.openStore();
    });
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

  /** A store with connections of its own. */
  async openStore(options?: RedisJobStoreOptions): Promise<RedisJobStore> {
    if (LAYOUT !== 'shared') {
      const tagged = await openTagged(this.redis.url, options);
      this.connections.add(tagged.connections);
      this.own ??= tagged.connections;
      return tagged.store;
    }
    const connections = new Connections(this.redis.url);
    this.own ??= connections;
    this.connections.add(connections);
    await connections.connect();
    return new RedisJobStore(connections, options);
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
    const whole = wholes.get(store) ?? store;
    const worker = new Worker(whole, registry, settings, events.observer);
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
    const others = [...this.connections].filter((one) => one !== this.own);
    await Promise.all(others.map((one) => one.close()));
    this.connections.clear();
    if (this.own) this.connections.add(this.own);
  }

  private async close(): Promise<void> {
    await this.stopWorkers();
    await this.own?.close();
    await this.redis.stop();
  }
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
