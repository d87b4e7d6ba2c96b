// A real Redis Cluster of the test's own, on this machine: masters that share the slots, and replicas of them. Nodes may
// be killed, slots moved, nodes added; nothing of it outlives the test.
import type { Redis } from 'ioredis';
import { slotOf, SLOTS } from '../../lib/wire/hash-slot.js';
import { type RedisServer, startRedis } from './redis-server.js';
import { eventually } from './wait.js';

export class RedisCluster {
  private constructor(readonly nodes: ClusterNode[]) {}

  /** Starts it, and waits until it takes commands. */
  static async start({ masters = 3, replicas = 0 } = {}): Promise<RedisCluster> {
    const nodes = await Promise.all(
      Array.from({ length: masters + replicas }, () => ClusterNode.start()),
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
      node.isReplica = true;
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
    return { cluster: { nodes: this.nodes.map(({ server: { host, port } }) => ({ host, port })) } };
  }

  /** The node that has the slot of a key, as a node says that lives. */
  async ownerOf(key: string): Promise<ClusterNode> {
    const slot = slotOf(key);
    for (const { client } of this.living) {
      const ranges = await client.cluster('SLOTS');
      const range = ranges.find(([first, last]) => first <= slot && slot <= last);
      const [, , master] = range ?? [];
      const owner = this.living.find(({ server }) => server.port === master?.[1]);
      if (owner) return owner;
    }
    throw new Error(`nobody has the slot of ${key}`);
  }

  /** A replica of that node; it reads, in place of sending elsewhere. */
  async replicaOf(key: string): Promise<ClusterNode> {
    const { server } = await this.ownerOf(key);
    for (const node of this.living) {
      const info = await node.client.info('replication');
      if (!info.includes(`master_port:${server.port}\r\n`)) continue;
      await node.client.readonly();
      return node;
    }
    throw new Error(`the node that has the slot of ${key} has no replica`);
  }

  get living(): ClusterNode[] {
    return this.nodes.filter(({ isDead }) => !isDead);
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
    const node = await ClusterNode.start();
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
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
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
    const { host, port } = (this.living[0] as ClusterNode).server;
    for (const { client, server } of nodes) {
      if (server.port !== port) await client.call('CLUSTER', 'MEET', host, port);
    }
  }
}

export class ClusterNode {
  isDead = false;
  isReplica = false;

  private constructor(
    readonly server: RedisServer,
    readonly client: Redis,
    readonly id: string,
  ) {}

  static async start(): Promise<ClusterNode> {
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
    // A replica is served at once.
    const server = await startRedis({ args: [...cluster, '--repl-diskless-sync-delay', '0'] });
    const client = server.client();
    return new ClusterNode(server, client, String(await client.cluster('MYID')));
  }

  async kill(): Promise<void> {
    this.isDead = true;
    await this.server.kill();
  }
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
