import type { Redis } from 'ioredis';
import { type Durability, RqConnectionError } from '../job/index.js';
import { after } from '../time/timer.js';
import type { RedisAccess } from './access.js';
import { replyText } from './client-errors.js';
import type { ClusterConnections } from './cluster-connections.js';
import type { Connections, ConnectionWatcher } from './connections.js';
import type { MissingRights } from './missing-rights.js';
import * as troubles from './troubles.js';

/**
 * The way to the keys of one slot of a cluster, wherever they are.
 *
 * 1. A call goes to the node that has the slot, as far as we know.
 * 2. The node says that it does not have it (`MOVED`): the call goes to the one that has.
 * 3. The slot is just on its way from one node to another (`ASK`, `TRYAGAIN`): the call waits. It never follows half of
 *    the keys: what is missing at one node may be at the other.
 * 4. The cluster or the node is away (`CLUSTERDOWN`, a lost link): the call waits for whoever takes the slot over.
 *
 * Only what has surely not been carried out is sent again, until `commandTimeout` is over.
 */
export class SlotAccess implements RedisAccess {
  readonly database = 0;
  readonly layout = 'cluster';
  private readonly watchers = new Set<ConnectionWatcher>();
  private readonly movers = new Set<() => void>();
  /** The node that has the slot, as far as we know. */
  private node: Connections | undefined;

  constructor(
    private readonly cluster: ClusterConnections,
    private readonly slot: number,
  ) {
    this.node = cluster.nodeOf(slot);
  }

  get commandTimeout(): number {
    return this.cluster.commandTimeout;
  }

  get rights(): MissingRights {
    return this.node?.rights ?? this.cluster.rights;
  }

  get isOpen(): boolean {
    return this.cluster.isOpen;
  }

  get home(): Connections {
    if (this.node) return this.node;
    void this.cluster.refresh();
    throw new RqConnectionError({ action: 'reach Redis Cluster', reason: NOBODY });
  }

  run<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    return this.repeated(action, command, (node, once) => node.run(action, once));
  }

  runRenewal<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    return this.repeated(action, command, (node, once) => node.runRenewal(action, once));
  }

  runMessages<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    return this.repeated(action, command, (node, once) => node.runMessages(action, once));
  }

  /** Who waits for replicas waits for those of the node that has taken the write. */
  runReplicated<Reply>(
    action: string,
    durability: Durability,
    command: (redis: Redis) => Promise<Reply>,
  ): Promise<Reply> {
    return this.repeated(action, command, (node, once) =>
      node.runReplicated(action, durability, once),
    );
  }

  /** What a node has refused outside of `run`, as its error or as text. */
  refused(reason: unknown): void {
    const { node } = this;
    node?.refused(reason);
    const text = typeof reason === 'string' ? reason : replyText(reason);
    const redirection = text === undefined ? undefined : redirectionIn(text);
    if (redirection?.address !== undefined && redirection.slot === this.slot && node) {
      this.cluster.learn(this.slot, redirection.address, node);
    } else if (redirection || text === undefined) {
      void this.cluster.refresh();
    }
  }

  watch(watcher: ConnectionWatcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  onMoved(listener: () => void): () => void {
    this.movers.add(listener);
    return () => this.movers.delete(listener);
  }

  /** @internal Something was heard of a node. */
  told(node: Connections, what: 'ready' | 'lost' | 'error', error?: Error): void {
    if (node !== this.node) return;
    for (const watcher of this.watchers) watcher(what, error);
  }

  /** @internal The map has changed. */
  mayHaveMoved(): void {
    const node = this.cluster.nodeOf(this.slot);
    if (!node || node === this.node) return;
    this.node = node;
    for (const listener of this.movers) listener();
    // Who waits for a server that is away has another one now.
    if (node.isReady) this.told(node, 'ready');
  }

  private async repeated<Reply>(
    action: string,
    command: (redis: Redis) => Promise<Reply>,
    run: (node: Connections, once: (redis: Redis) => Promise<Reply>) => Promise<Reply>,
  ): Promise<Reply> {
    const end = performance.now() + this.commandTimeout;
    for (let tries = 0; ; tries += 1) {
      const node = this.node?.isReady ? this.node : await this.usable(action, end);
      let redirection: Redirection | undefined;
      let isRefused = false;
      try {
        return await run(node, async (redis) => {
          try {
            return unlessRedirected(await command(redis));
          } catch (error) {
            const text = replyText(error);
            redirection = text === undefined ? undefined : redirectionIn(text);
            isRefused = text !== undefined && !redirection;
            throw error;
          }
        });
      } catch (error) {
        // Of a key that has another slot: whoever asked for it has made a mistake.
        if (redirection?.slot !== undefined && redirection.slot !== this.slot) throw error;
        // What the node itself has refused (rights, memory) it would refuse again.
        if (isRefused) throw error;
        const isSafe = redirection ?? (error instanceof RqConnectionError && !error.uncertain);
        if (!isSafe || !this.isOpen) throw error;
        if (redirection?.address !== undefined) {
          this.cluster.learn(this.slot, redirection.address, node);
        } else if (redirection?.word !== 'TRYAGAIN' && redirection?.word !== 'ASK') {
          void this.cluster.refresh();
        }
        const isNews = redirection?.address !== undefined && tries === 0;
        const pauseMs = isNews ? 0 : Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE);
        if (performance.now() + pauseMs >= end)
          throw redirection ? late(action, redirection) : error;
        if (pauseMs > 0) await pause(pauseMs);
      }
    }
  }

  /** Waits for a node that has the slot and can be used. @throws RqConnectionError */
  private async usable(action: string, end: number): Promise<Connections> {
    for (let tries = 0; ; tries += 1) {
      const { node } = this;
      if (node?.isReady) return node;
      if (!this.isOpen) {
        throw new RqConnectionError({ action, reason: new Error('the connection is closed') });
      }
      const left = end - performance.now();
      if (left <= 0) {
        const reason = node ? this.cluster.lastTrouble : NOBODY;
        throw new RqConnectionError({ action, reason });
      }
      node?.ready(left, action).catch(() => undefined);
      if (!node || tries > 0) void this.cluster.refresh();
      await pause(Math.min(FIRST_PAUSE * 2 ** tries, LOOK_EACH, left));
    }
  }
}

interface Redirection {
  readonly word: string;
  readonly slot: number | undefined;
  /** Who has the slot. */
  readonly address: string | undefined;
}

function redirectionIn(text: string): Redirection | undefined {
  const [, word, slot, address] = REDIRECTION.exec(text) ?? [];
  if (word === undefined) return undefined;
  return {
    word,
    slot: slot === undefined ? undefined : Number(slot),
    address: word === 'MOVED' ? address : undefined,
  };
}

const REDIRECTION = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN)\b(?: (\d+) (\S+))?/;

/** A pipeline has the refusals of its commands in its reply. */
function unlessRedirected<Reply>(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  for (const one of reply as unknown[]) {
    if (!Array.isArray(one)) return reply;
    const [error] = one as unknown[];
    if (error === null) continue;
    if (!(error instanceof Error)) return reply;
    const text = replyText(error);
    if (text !== undefined && redirectionIn(text)) throw error;
  }
  return reply;
}

function late(action: string, { word }: Redirection): RqConnectionError {
  const isOnItsWay = word === 'ASK' || word === 'TRYAGAIN' || word === 'MOVED';
  const reason = new Error(isOnItsWay ? troubles.slotOnItsWay : troubles.clusterAway(word));
  return new RqConnectionError({ action, reason });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => after(milliseconds, resolve));
}

const NOBODY = new Error(troubles.slotOfNobody);

// Milliseconds.
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 250;
const LOOK_EACH = 50;
