import { RqConnectionError, ShortForm, hideFields } from '../job/index.js';
import { slotOf } from '../wire/hash-slot.js';
import { type Timer, after } from '../time/timer.js';
import type { RedisAccess } from './access.js';
import { type ClusterInput, readCluster } from './cluster-input.js';
import { type ClusterNode, ClusterNodes } from './cluster-nodes.js';
import { ClusterSlots, nodeAddress } from './cluster-slots.js';
import { Connections, type ConnectionSettings, type ConnectionWatcher } from './connections.js';
import { MissingRights } from './missing-rights.js';
import { SlotAccess } from './slot-access.js';

/**
 * The connections to a Redis Cluster or Valkey Cluster: a `Connections` for each node that has slots, and the map of who
 * has which. The map is asked for anew when a node is lost or says that a slot is elsewhere, and each ten seconds.
 */
export class ClusterConnections extends ShortForm {
  readonly database = 0;
  readonly layout = 'cluster';
  /** Clauses for the log: which options of the connection are not obeyed, and why. */
  readonly warnings: readonly string[];
  /** Milliseconds, as of {@link Connections}. */
  readonly commandTimeout: number;
  /** What our user may not do, by what the process needs on each node. */
  readonly rights: MissingRights;

  private readonly input: ClusterInput;
  private readonly connectTimeout: number;
  private readonly nodes: ClusterNodes;
  private readonly slots = new ClusterSlots();
  private readonly accesses = new Map<number, SlotAccess>();
  private readonly watchers = new Set<ConnectionWatcher>();
  private readonly movers = new Set<() => void>();
  private lastError: unknown;
  private refreshing: Promise<void> | undefined;
  private refreshedAt = -Infinity;
  private nextRefresh: Timer | undefined;
  private isClosed = false;

  /** @throws InvalidOptionError when it cannot be used, naming the key */
  constructor(
    connection: object,
    private readonly settings: ConnectionSettings = {},
  ) {
    super();
    this.input = readCluster(connection, settings.where);
    this.warnings = this.input.warnings;
    this.commandTimeout = settings.commandTimeout ?? 5000;
    this.connectTimeout = settings.connectTimeout ?? 10_000;
    this.nodes = new ClusterNodes(
      (address) => this.openNode(address),
      (node, what, error) => this.told(node, what, error),
    );
    this.rights = new MissingRights({
      run: (action, command) => this.access('').run(action, command),
    });
    hideFields(this);
  }

  /** What JSON and logs show of it: neither where the nodes are nor how to get in. */
  toJSON(): { readonly nodes: number } {
    return { nodes: this.slots.all.length };
  }

  get isOpen(): boolean {
    return !this.isClosed;
  }

  /** @internal What went wrong last. */
  get lastTrouble(): unknown {
    return this.lastError;
  }

  /** The way to whoever has the slot of a key. */
  access(key: string): RedisAccess {
    const slot = slotOf(key);
    let access = this.accesses.get(slot);
    if (!access) this.accesses.set(slot, (access = new SlotAccess(this, slot)));
    return access;
  }

  /** The nodes that have slots. */
  masters(): Connections[] {
    return this.slots.all.map((address) => this.nodes.at(address));
  }

  /** The node that has a slot; undefined: that is not known. */
  nodeOf(slot: number): Connections | undefined {
    const address = this.slots.masterOf(slot);
    return address && this.nodes.at(address);
  }

  /** A node has said that another one has the slot. */
  learn(slot: number, address: string, from: Connections): void {
    const known = nodeAddress(address, this.nodes.addressOf(from) ?? this.input.nodes[0]!);
    if (known && this.slots.learn(slot, known)) this.tellMoved();
    void this.refresh();
  }

  /**
   * Opens connections to all nodes with slots.
   * @throws RqConnectionError when the cluster is not there within `connectTimeout`
   */
  async connect(): Promise<void> {
    const end = performance.now() + this.connectTimeout;
    let reason: unknown;
    for (;;) {
      await this.refresh();
      const masters = this.masters();
      const left = Math.max(1, end - performance.now());
      try {
        if (masters.length > 0) {
          await Promise.all(masters.map((node) => node.ready(left, 'connect to Redis Cluster')));
          return;
        }
      } catch (error) {
        reason = error;
      }
      if (performance.now() >= end || this.isClosed) break;
      await pause(Math.min(PAUSE, left));
    }
    if (reason instanceof RqConnectionError) throw reason;
    throw new RqConnectionError({ action: 'connect to Redis Cluster', reason: this.lastError });
  }

  /** Hears when a node is reachable, lost, or an attempt has failed. Returns the way to stop listening. */
  watch(watcher: ConnectionWatcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Hears that slots may be on other nodes now. Returns the way to stop listening. */
  onMoved(listener: () => void): () => void {
    this.movers.add(listener);
    return () => this.movers.delete(listener);
  }

  /** Asks who has which slot; many who ask at once get one answer. Never rejects. */
  refresh(): Promise<void> {
    this.refreshing ??= this.lookAtSlots().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  /** Closes everything; never waits for a node that does not answer. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.nextRefresh?.cancel();
    await this.nodes.close();
  }

  private openNode(address: ClusterNode['address']): Connections {
    const { host, port } = this.input.natMap[`${address.host}:${address.port}`] ?? address;
    const { where } = this.settings;
    const node = new Connections(
      { ...this.input.options, host, port },
      {
        connectTimeout: this.connectTimeout,
        commandTimeout: this.commandTimeout,
        layout: 'cluster',
        ...(where !== undefined && { where }),
      },
    );
    node.rights.noteAs(this.rights);
    return node;
  }

  private told(node: Connections, what: 'ready' | 'lost' | 'error', error?: Error): void {
    if (error) this.lastError = error;
    if (this.isClosed) return;
    if (what !== 'ready') void this.refresh();
    for (const watcher of this.watchers) watcher(what, error);
    for (const access of this.accesses.values()) access.told(node, what, error);
  }

  private async lookAtSlots(): Promise<void> {
    const wait = this.refreshedAt + SHORTEST_PAUSE - performance.now();
    if (wait > 0) await pause(wait);
    if (this.isClosed) return;
    this.refreshedAt = performance.now();
    const found = await this.askAnyNode();
    if (this.isClosed) return;
    this.nextRefresh?.cancel();
    this.nextRefresh = after(REFRESH, () => void this.refresh()).unref();
    if (!found) return;
    const before = this.mapText();
    this.slots.update(found.reply, found.from);
    this.nodes.keepOnly([...this.slots.all, ...this.slots.replicas]);
    if (this.mapText() !== before) this.tellMoved();
  }

  /** One after the other, so that a node that is silent holds up nobody. */
  private async askAnyNode(): Promise<
    { reply: unknown; from: ClusterNode['address'] } | undefined
  > {
    const asked: Promise<{ reply: unknown; from: ClusterNode['address'] }>[] = [];
    for (const from of this.candidates()) {
      const node = this.nodes.at(from);
      const answer = node
        .run('look at the cluster', (redis) => redis.cluster('SLOTS'))
        .then((reply) => ({ reply, from }));
      answer.catch((error: unknown) => (this.lastError = error));
      asked.push(answer);
      const first = await Promise.race([Promise.any(asked).catch(() => undefined), pause(HEDGE)]);
      if (first) return first;
      if (this.isClosed) return undefined;
    }
    return Promise.any(asked).catch(() => undefined);
  }

  /** Those that are connected first, in an order that changes: one that is cut off from the others is not always asked. */
  private candidates(): ClusterNode['address'][] {
    const masters = [...this.slots.all].toSorted(() => Math.random() - 0.5);
    const isReady = (address: ClusterNode['address']) => this.nodes.find(address)?.isReady ?? false;
    const all = [
      ...masters.filter(isReady),
      ...masters.filter((address) => !isReady(address)),
      ...this.slots.replicas,
      ...this.input.nodes,
    ];
    return [...new Map(all.map((one) => [`${one.host}:${one.port}`, one])).values()];
  }

  private mapText(): string {
    return [...this.accesses.keys()]
      .map((slot) => {
        const address = this.slots.masterOf(slot);
        return address ? `${address.host}:${address.port}` : '';
      })
      .join();
  }

  private tellMoved(): void {
    for (const listener of this.movers) listener();
    for (const access of this.accesses.values()) access.mayHaveMoved();
  }
}

function pause(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => after(milliseconds, () => resolve(undefined)));
}

// Milliseconds.
const PAUSE = 100;
/** Between two looks at the map, however many ask for one. */
const SHORTEST_PAUSE = 100;
/** For which a node may be silent before another one is asked, too. */
const HEDGE = 300;
const REFRESH = 10_000;
