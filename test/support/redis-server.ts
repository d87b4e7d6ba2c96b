// A real Redis of the test's own: `startRedis()` gives a server on a free port with an empty folder,
// which the test may stop, kill and start again as it likes. Nothing of it outlives the test.
import { Redis, type RedisOptions } from 'ioredis';
import {
  startRedisServer,
  type RunningRedis,
  type StartRedisOptions,
} from '../../scripts/redis-server.mjs';

export type { StartRedisOptions };

export interface RedisServer extends RunningRedis {
  /** Ends the server and all its clients, and removes its data. May be called more than once. */
  stop(): Promise<void>;
  /** A new ioredis client, closed by `stop()`. It reconnects by itself, as ioredis does. */
  client(options?: RedisOptions): Redis;
}

/** Starts a redis-server (or valkey-server) and waits until it answers. */
export async function startRedis(options?: StartRedisOptions): Promise<RedisServer> {
  return new ServerWithClients(await startRedisServer(options));
}

class ServerWithClients implements RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  private readonly clients = new Set<Redis>();

  constructor(private readonly server: RunningRedis) {
    this.url = server.url;
    this.host = server.host;
    this.port = server.port;
  }

  get pid(): number {
    return this.server.pid;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.disconnect();
    this.clients.clear();
    await this.server.stop();
  }

  kill(): Promise<void> {
    return this.server.kill();
  }

  restart(): Promise<void> {
    return this.server.restart();
  }

  client(options: RedisOptions = {}): Redis {
    // While ioredis is reconnecting, disconnect() leaves a timer of this length (2 s) behind, because
    // it waits for the end of the old connection, which has ended already.
    const client = new Redis(this.port, this.host, { disconnectTimeout: 50, ...options });
    // A test that kills its server expects connection errors: ioredis would print them.
    client.on('error', () => {});
    this.clients.add(client);
    return client;
  }
}
