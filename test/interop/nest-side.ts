import {
  Connections,
  type Handler,
  HandlerRegistry,
  Queue,
  RedisJobStore,
  Worker,
  type WorkerObserver,
  type WorkerOptions,
} from '../../lib/index.js';

/** The Node half of the interoperability tests: this library's engine, without Nest, on the Redis at `url`. */
export class NestSide {
  private readonly started: Worker[] = [];

  private constructor(
    private readonly connections: Connections,
    readonly store: RedisJobStore,
  ) {}

  static async connect(
    url: string,
    options: { sharedWithPython?: boolean } = {},
  ): Promise<NestSide> {
    const connections = new Connections(url, { commandTimeout: 5000, connectTimeout: 5000 });
    await connections.connect();
    return new NestSide(connections, new RedisJobStore(connections, options));
  }

  queue(name = 'shared'): Queue {
    return new Queue(name, this.store);
  }

  /** Starts a worker whose handlers are these functions, all on one queue. */
  async worker(
    handlers: Record<string, Run | Partial<Handler>>,
    settings: WorkerSettings = {},
  ): Promise<Worker> {
    const { queue = 'shared', observer = {}, limits, ...options } = settings;
    const registry = new HandlerRegistry();
    if (limits) registry.limitQueue(queue, limits);
    for (const [name, handler] of Object.entries(handlers)) {
      const given = typeof handler === 'function' ? { run: handler } : handler;
      registry.register({ queue, name, owner: `Test.${name}`, run: () => undefined, ...given });
    }
    const worker = new Worker(this.store, registry, options, observer);
    this.started.push(worker);
    await worker.start();
    return worker;
  }

  /** Stops the workers that `worker` started. */
  async stopWorkers(): Promise<void> {
    await Promise.all(this.started.splice(0).map((worker) => worker.stop()));
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.connections.close();
  }
}

type Run = Handler['run'];

interface WorkerSettings extends WorkerOptions {
  /** The queue of the handlers. */
  readonly queue?: string;
  /** What holds for all of it. */
  readonly limits?: Parameters<HandlerRegistry['limitQueue']>[1];
  readonly observer?: WorkerObserver;
}
