import { type Timer, after } from '../time/timer.js';
import { type NodeAddress, sameNode } from './cluster-slots.js';
import type { Connections } from './connections.js';

/**
 * The connections to the nodes of a cluster, each made when it is first needed. Those to a node that has left are closed
 * a moment later: what is under way there may still be answered.
 */
export class ClusterNodes {
  private readonly nodes = new Map<string, ClusterNode>();
  private readonly leaving = new Map<string, Timer>();

  constructor(
    private readonly open: (address: NodeAddress) => Connections,
    private readonly told: NodeWatcher,
  ) {}

  at(address: NodeAddress): Connections {
    const key = keyOf(address);
    this.leaving.get(key)?.cancel();
    this.leaving.delete(key);
    let node = this.nodes.get(key);
    if (!node) {
      const connections = this.open(address);
      node = { address, connections };
      this.nodes.set(key, node);
      connections.watch((what, error) => this.told(connections, what, error));
    }
    return node.connections;
  }

  /** The same, unless there are none. */
  find(address: NodeAddress): Connections | undefined {
    return this.nodes.get(keyOf(address))?.connections;
  }

  addressOf(connections: Connections): NodeAddress | undefined {
    return [...this.nodes.values()].find((node) => node.connections === connections)?.address;
  }

  keepOnly(addresses: readonly NodeAddress[]): void {
    for (const [key, { address, connections }] of this.nodes) {
      if (this.leaving.has(key) || addresses.some((one) => sameNode(one, address))) continue;
      const close = () => {
        this.leaving.delete(key);
        this.nodes.delete(key);
        void connections.close();
      };
      this.leaving.set(key, after(LEFT_AFTER, close).unref());
    }
  }

  async close(): Promise<void> {
    for (const timer of this.leaving.values()) timer.cancel();
    await Promise.all([...this.nodes.values()].map(({ connections }) => connections.close()));
  }
}

export interface ClusterNode {
  readonly address: NodeAddress;
  readonly connections: Connections;
}

type NodeWatcher = (node: Connections, what: 'ready' | 'lost' | 'error', error?: Error) => void;

function keyOf({ host, port }: NodeAddress): string {
  return `${host}:${port}`;
}

/** Milliseconds. */
const LEFT_AFTER = 10_000;
