// A real Redis Cluster of the test's own, on this machine: masters that share the slots, and replicas of them. Nodes may
// be killed, slots moved, nodes added; nothing of it outlives the test.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { slotOf, SLOTS } from '../../lib/wire/hash-slot.js';
import { freePort } from '../../scripts/redis-server.mjs';
import { type RedisServer, type StartRedisOptions, startRedis } from './redis-server.js';
import { certificate, key } from './tls-certificate.js';
import { eventually } from './wait.js';

export class RedisCluster {
  private constructor(readonly nodes: ClusterNode[]) {}

  /** Starts it, and waits until it takes commands. */
  static async start({
    masters = 3,
    replicas = 0,
    ...settings
  }: ClusterSettings = {}): Promise<RedisCluster> {
    const nodes = await Promise.all(
      Array.from({ length: masters + replicas }, () => ClusterNode.start(settings)),
    );
    const cluster = new RedisCluster(nodes);
    const share = Math.ceil(SLOTS / masters);
    await Promise.all(
      nodes.slice(0, masters).map(({ client }, index) => {
        const last = Math.min(SLOTS, (index + 1) * share) - 1;
        return client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
      }),
    );
    // Each needs an epoch of its own; otherwise they spend seconds to find that out.
    await Promise.all(
      nodes.map(({ client }, index) => client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)),
    );
    await cluster.introduce(nodes);
    for (const [index, node] of nodes.slice(masters).entries()) {
      const { client } = node;
      const { id } = nodes[index % masters] as ClusterNode;
      await eventually(() => client.cluster('REPLICATE', id).catch(() => false), {
        what: 'a replica that knows its master',
      });
    }
    await cluster.agreed(nodes.length);
    return cluster;
  }

  /** What `connection` is to be. */
  get connection(): { cluster: { nodes: { host: string; port: number }[] } } {
    return { cluster: { nodes: this.nodes.map(({ address }) => address) } };
  }

  /** The node that has the slot of a key, as a node says that lives. */
  async ownerOf(key: string): Promise<ClusterNode> {
    const [owner] = await this.homesOf(key);
    if (!owner) throw new Error(`nobody has the slot of ${key}`);
    return owner;
  }

  /** A replica of the node that has the slot of a key. */
  async replicaOf(key: string): Promise<ClusterNode> {
    const [, replica] = await this.homesOf(key);
    if (!replica) throw new Error(`there is no copy of the slot of ${key}`);
    // It reads, in place of sending elsewhere.
    await replica.client.readonly();
    return replica;
  }

  /** The master first. */
  private async homesOf(key: string): Promise<ClusterNode[]> {
    const slot = slotOf(key);
    for (const { client } of this.living) {
      const ranges = await client.cluster('SLOTS');
      const [, , ...homes] = ranges.find(([first, last]) => first <= slot && slot <= last) ?? [];
      const ports = homes.map((home) => (home as unknown as [string, number])[1]);
      const found = ports.flatMap(
        (port) => this.living.find(({ server }) => server.port === port) ?? [],
      );
      if (found[0]?.server.port === ports[0]) return found;
    }
    return [];
  }

  get living(): ClusterNode[] {
    return this.nodes.filter(({ isAway }) => !isAway);
  }

  /** Begins to move the slot of a key: from now on what is missing at its node may be at the other. */
  async beginMove(key: string, to: ClusterNode): Promise<SlotMove> {
    const from = await this.ownerOf(key);
    const slot = slotOf(key);
    await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    return new SlotMove(this, slot, from, to);
  }

  /** A further node, without slots. */
  async add(): Promise<ClusterNode> {
    const node = await ClusterNode.start({});
    this.nodes.push(node);
    await this.introduce([node]);
    await this.agreed(this.nodes.length);
    return node;
  }

  /** Empties all nodes. */
  async flush(): Promise<void> {
    await Promise.all(
      this.living.map(({ client }) => client.flushall().catch(() => undefined /* a replica */)),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** All nodes know so many, and each takes commands. */
  async agreed(count: number): Promise<void> {
    await eventually(
      async () => {
        const infos = await Promise.all(this.living.map(({ client }) => client.cluster('INFO')));
        return infos.every(
          (info) =>
            String(info).includes('cluster_state:ok') &&
            String(info).includes(`cluster_known_nodes:${count}`),
        );
      },
      { what: 'a cluster that takes commands', timeout: 20_000 },
    );
  }

  private async introduce(nodes: readonly ClusterNode[]): Promise<void> {
    const { host, port } = (this.living[0] as ClusterNode).address;
    for (const { client, address } of nodes) {
      if (address.port !== port) await client.call('CLUSTER', 'MEET', host, port);
    }
  }
}

interface ClusterSettings extends NodeSettings {
  readonly masters?: number;
  readonly replicas?: number;
}

interface NodeSettings {
  /** Of each node. */
  readonly options?: StartRedisOptions | undefined;
  /** Nodes talk to each other by TLS, and tell the ports for it to whoever does so, too. */
  readonly hasTls?: boolean;
}

export class ClusterNode {
  /** It is dead, or frozen. */
  isAway = false;

  private constructor(
    readonly server: RedisServer,
    /** Where applications reach it. */
    readonly address: { readonly host: string; readonly port: number },
    readonly client: Redis,
    readonly id: string,
    private readonly folder: string | undefined,
  ) {}

  static async start({ options = {}, hasTls = false }: NodeSettings): Promise<ClusterNode> {
    // A replica is served at once.
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
    args.push('--repl-diskless-sync-delay', '0');
    const tlsPort = hasTls ? await freePort() : undefined;
    const folder = hasTls ? await mkdtemp(join(tmpdir(), 'nestjs-rq-tls-')) : undefined;
    if (folder !== undefined) args.push(...(await tlsArguments(Number(tlsPort), folder)));
    const server = await startRedis({ ...options, args: [...args, ...(options.args ?? [])] });
    const { host, port } = server;
    const client = server.client();
    const id = String(await client.cluster('MYID'));
    return new ClusterNode(server, { host, port: tlsPort ?? port }, client, id, folder);
  }

  async stop(): Promise<void> {
    // Who is frozen cannot end.
    if (this.isAway) await this.server.kill();
    await this.server.stop();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true });
  }

  async kill(): Promise<void> {
    this.isAway = true;
    await this.server.kill();
  }

  /** It stands still, and its links stay open. */
  freeze(): void {
    this.isAway = true;
    process.kill(this.server.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.server.pid, 'SIGCONT');
    this.isAway = false;
  }

  /** A replica takes the place of its master, as planned. A busy master may let the time for it pass: it is asked again. */
  async takeOver(isDone: () => Promise<boolean>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await this.client.cluster('FAILOVER');
      try {
        await eventually(isDone, { what: 'the replica to have the slots' });
        return;
      } catch (error) {
        if (tries === 3) throw error;
      }
    }
  }

  /** Its replica has all that was written here before. */
  async isCopied(key: string): Promise<void> {
    // Redis waits for what this very link has written.
    await this.client.set(key, '1', 'PX', 1);
    await eventually(() => this.client.wait(1, 1000), { what: 'the replica to have all' });
  }
}

/** The certificate signs itself. */
async function tlsArguments(port: number, folder: string): Promise<string[]> {
  const [certificateFile, keyFile] = [join(folder, 'certificate'), join(folder, 'key')];
  await Promise.all([writeFile(certificateFile, certificate), writeFile(keyFile, key)]);
  return Object.entries({
    port,
    'cert-file': certificateFile,
    'key-file': keyFile,
    'ca-cert-file': certificateFile,
    'auth-clients': 'no',
    cluster: 'yes',
    replication: 'yes',
  }).flatMap(([name, value]) => [`--tls-${name}`, String(value)]);
}

/** A slot on its way, key by key, as `redis-cli --cluster reshard` does it. */
export class SlotMove {
  constructor(
    private readonly cluster: RedisCluster,
    private readonly slot: number,
    private readonly from: ClusterNode,
    private readonly to: ClusterNode,
  ) {}

  /** Moves so many keys; answers how many there were. */
  async keys(count: number): Promise<number> {
    const { from, to, slot } = this;
    const keys = (await from.client.cluster('GETKEYSINSLOT', slot, count)) as string[];
    const { host, port } = to.server;
    if (keys.length > 0) {
      await from.client.call('MIGRATE', host, port, '', 0, 5000, 'KEYS', ...keys);
    }
    return keys.length;
  }

  /** Moves the rest, and gives the slot away. */
  async finish(): Promise<void> {
    const { from, to, slot } = this;
    while ((await this.keys(10)) > 0);
    for (const { client } of [to, from, ...this.cluster.living]) {
      await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id).catch(() => undefined);
    }
  }
}
