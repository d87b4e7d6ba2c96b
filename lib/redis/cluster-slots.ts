import { SLOTS } from '../wire/hash-slot.js';

/**
 * Which node of a cluster has which slots, as `CLUSTER SLOTS` tells. It is a hint: a node that is asked for a key that
 * it does not have says who has it, and that is noted here at once.
 */
export class ClusterSlots {
  private masters: readonly (NodeAddress | undefined)[] = [];
  private others: readonly NodeAddress[] = [];

  /** The master of a slot; undefined: nobody is known to have it. */
  masterOf(slot: number): NodeAddress | undefined {
    return this.masters[slot];
  }

  /** All nodes with slots. */
  get all(): readonly NodeAddress[] {
    const known = this.masters.filter((address) => address !== undefined);
    return distinct(known);
  }

  /** Nodes that only copy others. */
  get replicas(): readonly NodeAddress[] {
    return this.others;
  }

  /** A node has said that another one has the slot. Answers whether that is news. */
  learn(slot: number, address: NodeAddress): boolean {
    const known = this.masters[slot];
    if (known && sameNode(known, address)) return false;
    const masters = [...this.masters];
    masters[slot] = address;
    this.masters = masters;
    return true;
  }

  /** What a node has told. @param from its address: it may leave out its own */
  update(reply: unknown, from: NodeAddress): void {
    const masters = Array.from<NodeAddress | undefined>({ length: SLOTS });
    const others: NodeAddress[] = [];
    for (const range of reply as ClusterSlotsReply) {
      const [first, last, ...nodes] = range;
      const [master, ...replicas] = nodes.map((node) => addressIn(node, from));
      masters.fill(master, first, last + 1);
      others.push(...replicas);
    }
    this.masters = masters;
    this.others = distinct(others);
  }
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

export function sameNode(one: NodeAddress, other: NodeAddress): boolean {
  return one.port === other.port && one.host === other.host;
}

/** `host:port`, as nodes name each other; undefined when it is none. */
export function nodeAddress(text: string, from: NodeAddress): NodeAddress | undefined {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port)) return undefined;
  return { host: text.slice(0, colon) || from.host, port };
}

/** Per range of slots: first, last, and nodes, each a list of host, port, id ... */
type ClusterSlotsReply = readonly (readonly [number, number, ...ClusterNodeReply[]])[];
type ClusterNodeReply = readonly [string | null, number, ...unknown[]];

function addressIn([host, port]: ClusterNodeReply, from: NodeAddress): NodeAddress {
  // `?`: it is to be reached by a name that it does not know.
  return { host: host && host !== '?' ? host : from.host, port: Number(port) };
}

function distinct(addresses: readonly NodeAddress[]): readonly NodeAddress[] {
  return [...new Map(addresses.map((one) => [`${one.host}:${one.port}`, one])).values()];
}
