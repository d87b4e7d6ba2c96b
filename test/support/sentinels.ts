// Three Sentinels that watch a primary and its replica, all of them real: what happens at a failover is theirs.
import { Redis } from 'ioredis';
import { type RedisServer, type StartRedisOptions, startRedis } from './redis-server.js';
import { eventually } from './wait.js';

/** By this name the Sentinels know the primary. */
export const PRIMARY = 'jobs';

export class SentinelGroup {
  private readonly clients = new Map<RedisServer, Redis>();

  private constructor(
    /** The first is the primary at the start. */
    readonly servers: readonly RedisServer[],
    private readonly sentinels: readonly RedisServer[],
  ) {}

  /** Resolves when a failover is possible. @param options of the servers; how many replicas, default 1 */
  static async start({
    replicas = 1,
    ...options
  }: StartRedisOptions & { replicas?: number } = {}): Promise<SentinelGroup> {
    // A replica is served at once.
    const args = [...(options.args ?? []), '--repl-diskless-sync-delay', '0'];
    const start = (settings: StartRedisOptions, count: number) =>
      Promise.all(Array.from({ length: count }, () => startRedis(settings)));
    const servers = await start({ ...options, args }, 1 + replicas);
    const [primary] = servers as [RedisServer];
    await Promise.all(servers.slice(1).map((replica) => follow(replica, primary)));
    const config = [
      `sentinel monitor ${PRIMARY} ${primary.host} ${primary.port} 2`,
      `sentinel down-after-milliseconds ${PRIMARY} 500`,
      `sentinel failover-timeout ${PRIMARY} 3000`,
      `sentinel parallel-syncs ${PRIMARY} 2`,
      '',
    ].join('\n');
    const sentinels = await start({ config, args: ['--sentinel'] }, 3);
    const group = new SentinelGroup(servers, sentinels);
    try {
      // They speak with each other more often than others do, so that tests are quick; and they ask the replicas what these
      // have between the death of a primary and the election, as those do that wait for longer before they elect.
      const debug = ['DEBUG', 'info-period', '100', 'publish-period', '300'];
      await Promise.all(sentinels.map((one) => group.client(one).call('SENTINEL', ...debug)));
      await group.agreed();
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  /** As ioredis options, and so as our own `connection`. */
  get connection(): { sentinels: { host: string; port: number }[]; name: string } {
    return { sentinels: this.sentinels.map(({ host, port }) => ({ host, port })), name: PRIMARY };
  }

  /** The server that the Sentinels call the primary. */
  async primary(): Promise<RedisServer> {
    const words = ['GET-MASTER-ADDR-BY-NAME', PRIMARY];
    const address = (await this.anySentinel().call('SENTINEL', ...words)) as string[];
    const found = this.servers.find(({ port }) => port === Number(address[1]));
    if (!found) throw new Error('the Sentinels name a server that is not ours');
    return found;
  }

  /** Resolves when the Sentinels call another server the primary, with that server. */
  async switched(from: RedisServer, timeout = 40_000): Promise<RedisServer> {
    return eventually(
      async () => {
        const primary = await this.primary();
        return primary !== from && primary;
      },
      { what: 'the Sentinels to have elected a new primary', timeout, every: 5 },
    );
  }

  /** Begins a planned failover: the primary lives, and becomes a replica. */
  async failOver(): Promise<void> {
    await eventually(() => this.anySentinel().call('SENTINEL', 'FAILOVER', PRIMARY), {
      what: 'the Sentinels to begin a failover',
      timeout: 15_000,
      every: 100,
    });
  }

  /** A planned failover to its end; Sentinels that were too busy have given it up, and are asked again. */
  async handOver(from: RedisServer): Promise<RedisServer> {
    for (let tries = 1; ; tries += 1) {
      await this.failOver();
      try {
        return await this.switched(from, 10_000);
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  /** Resolves when the Sentinels see a primary with all its replicas, and each other. */
  async agreed(): Promise<void> {
    await eventually(
      async () => {
        const primary = await this.primary();
        const replicas = String(this.servers.length - 1);
        const info = await this.client(primary).info('replication');
        if (info.split('state=online').length - 1 < Number(replicas)) return false;
        const views = await Promise.all(this.sentinels.map((sentinel) => this.viewOf(sentinel)));
        return views.every(
          (view) =>
            view.get('num-slaves') === replicas &&
            view.get('num-other-sentinels') === '2' &&
            view.get('flags') === 'master' &&
            view.get('port') === String(primary.port),
        );
      },
      { what: 'the Sentinels to agree on a primary and its replicas', timeout: 40_000, every: 50 },
    );
  }

  /** Who is what, by each Sentinel and each server: for the message of a test that has waited in vain. */
  async views(): Promise<string> {
    const told = (what: Promise<unknown>) => what.then(String, (error: unknown) => String(error));
    const bySentinels = this.sentinels.map((sentinel) =>
      told(
        this.viewOf(sentinel).then((view) =>
          ['ip', 'port', 'flags', 'num-slaves', 'config-epoch'].map((key) => view.get(key)),
        ),
      ),
    );
    const byServers = this.servers.map(async (server) => {
      const role = await told(this.client(server).info('replication'));
      return `${server.port}: ${role.replaceAll(/\s+/g, ' ')}`;
    });
    return (await Promise.all([...bySentinels, ...byServers])).join('\n');
  }

  /** A client of one of the servers or Sentinels. */
  client(server: RedisServer): Redis {
    let client = this.clients.get(server);
    if (!client) this.clients.set(server, (client = server.client()));
    return client;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()));
  }

  private anySentinel(): Redis {
    return this.client(this.sentinels[0] as RedisServer);
  }

  private async viewOf(sentinel: RedisServer): Promise<Map<string, string>> {
    const words = (await this.client(sentinel).call('SENTINEL', 'MASTER', PRIMARY)) as string[];
    const pairs = words.flatMap((word, index): [string, string][] =>
      index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [],
    );
    return new Map(pairs);
  }
}

/** Makes a server the replica of another (or of what leads to it), and waits until it has all data. */
export async function follow(
  replica: RedisServer,
  primary: { readonly host: string; readonly port: number },
): Promise<void> {
  await replica.client().replicaof(primary.host, primary.port);
  const asked = new Redis(primary.port, primary.host);
  try {
    // What the replica says of the link comes first: `WAIT` counts it from when its primary calls it online.
    await eventually(
      async () =>
        new RegExp(`port=${replica.port},state=online`).test(await asked.info('replication')),
      { what: 'the replica to follow', timeout: 20_000 },
    );
  } finally {
    asked.disconnect();
  }
}
