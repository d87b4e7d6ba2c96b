import type { Redis, RedisOptions } from 'ioredis';
import { type Durability, ShortForm, hideFields } from '../job/index.js';
import { type Timer, after } from '../time/timer.js';
import { isDemoted, replyText } from './client-errors.js';
import { type ConnectionOption, readConnection } from './connection-input.js';
import { Failover } from './failover.js';
import type { RedisAccess } from './access.js';
import { Link } from './link.js';
import { MissingRights } from './missing-rights.js';
import { PrimarySearch } from './primary-search.js';
import { ReplicatedWrites } from './replicated-writes.js';
import {
  type ServerAddress,
  type ThreadConnection,
  forThread,
  serverAddress,
} from './thread-connection.js';

/**
 * The connections to one Redis. One is for commands, shared by every queue and worker. One is for messages, opened with
 * the first subscription. There is one for blocking reads per consumed queue, one for leases while jobs run for long,
 * and one for writes that wait for replicas. They are made again by themselves for as long as they are open, and leave a server that has become a replica.
 *
 * Options of ioredis are obeyed but for those that jobs depend on; see `warnings`, and docs/connections.md.
 */
export class Connections extends ShortForm implements RedisAccess {
  /** The number of the database. */
  readonly database: number;
  /** Clauses for the log: which options of the connection are not obeyed, and why. */
  readonly warnings: readonly string[];
  /** Milliseconds within which a command is answered or refused; time in which our event loop stands still is not counted. */
  readonly commandTimeout: number;
  /** How the data are named: RQ's names, or those of a cluster, which may be had on one server, too. */
  readonly layout: 'shared' | 'cluster';
  /** What our user may not do. */
  readonly rights = new MissingRights(this);

  private readonly options: RedisOptions;
  private readonly connectTimeout: number;
  private readonly links = new Set<Link>();
  private readonly watchers = new Set<ConnectionWatcher>();
  private readonly failover = new Failover();
  private readonly main: Link;
  private readonly search: PrimarySearch;
  private subscriber: Link | undefined;
  private renewals: Link | undefined;
  private replicated: ReplicatedWrites | undefined;
  private renewalsEnd: Timer | undefined;
  private closing: Promise<void> | undefined;
  private lastServer: ServerAddress | undefined;

  /**
   * @param connection a URL, ioredis options (also for Sentinel), or an ioredis instance, whose settings are taken over
   * @throws InvalidOptionError when it cannot be used, naming the key
   */
  constructor(
    connection: ConnectionOption = {},
    private readonly settings: ConnectionSettings = {},
  ) {
    super();
    const { options, warnings } = readConnection(connection, settings.where);
    this.options = options;
    this.warnings = warnings;
    this.database = options.db ?? 0;
    this.layout = settings.layout ?? 'shared';
    this.commandTimeout = settings.commandTimeout ?? 5000;
    this.connectTimeout = settings.connectTimeout ?? 10_000;
    this.main = this.open('commands');
    this.search = new PrimarySearch(this.main, () => this.renewOthers());
    this.commands.on('ready', () => {
      this.lastServer = serverAddress(this.commands.stream);
      this.tell('ready');
    });
    this.commands.on('close', () => this.tell('lost'));
    hideFields(this);
  }

  /** What JSON and logs show of it: neither where Redis is nor how to get in. */
  toJSON(): { readonly status: string } {
    return { status: this.commands.status };
  }

  /** For all that does not block. Its commands have no time limit: see `run`. */
  get commands(): Redis {
    return this.main.redis;
  }

  get home(): this {
    return this;
  }

  /** A Redis alone never gives its keys away. */
  onMoved(): () => void {
    return () => undefined;
  }

  /** Nobody has closed it. */
  get isOpen(): boolean {
    return this.closing === undefined;
  }

  /** It is connected, and has loaded its data. */
  get isReady(): boolean {
    return this.commands.status === 'ready';
  }

  /** The way to connect, for another thread; or why there is none. */
  forThread(): ThreadConnection {
    // As ioredis has read it: a name may stand for options.
    const { tls } = this.commands.options;
    return forThread(tls ? { ...this.options, tls } : this.options);
  }

  /** The server that the command connection is, or was last, connected to; undefined before, and with a Unix socket. */
  get server(): ServerAddress | undefined {
    return this.lastServer;
  }

  /**
   * Opens the command connection.
   * @throws RqConnectionError when Redis is not there within `connectTimeout`
   * @throws InvalidOptionError when Redis refuses the database
   */
  async connect(): Promise<void> {
    await this.main.ready(this.connectTimeout, 'connect to Redis');
  }

  /** Waits until the command connection is usable. @throws RqConnectionError after `timeout` milliseconds */
  async ready(timeout = this.commandTimeout, action = 'reach Redis'): Promise<void> {
    await this.main.ready(timeout, action);
  }

  /**
   * Runs a command on the command connection, and translates what goes wrong.
   * @throws RqConnectionError within `commandTimeout`; `uncertain` tells whether it may have been carried out
   * @throws RedisReplyError when Redis answers with an error
   */
  run<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    return this.main.run(action, command);
  }

  /**
   * As `run`, for the renewal of leases: on a connection of its own, where it never queues behind the data of jobs. It
   * is opened when it is needed and closed when it has not been for a while.
   */
  runRenewal<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    this.renewals ??= this.open('leases');
    this.renewalsEnd?.cancel();
    this.renewalsEnd = after(IDLE, () => this.endRenewals()).unref();
    return this.renewals.run(action, command);
  }

  /** The connection for messages; opened when it is first asked for. */
  messages(): Link {
    this.subscriber ??= this.open('messages');
    return this.subscriber;
  }

  /**
   * As `run`, for writes that wait for replicas: on a connection of their own, opened with the first of them.
   * @throws NotReplicatedError when too few replicas have it in time
   */
  runReplicated<Reply>(
    action: string,
    durability: Durability,
    command: (redis: Redis) => Promise<Reply>,
  ): Promise<Reply> {
    this.replicated ??= new ReplicatedWrites(this.open('replicated'));
    return this.replicated.run(action, durability, command);
  }

  /** As `run`, on the connection for messages. */
  runMessages<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    return this.messages().run(action, command);
  }

  /** A new connection for blocking reads; the caller closes it with `release`. */
  blocking(): Redis {
    return this.open('blocking', true).redis;
  }

  release(redis: Redis): void {
    for (const link of this.links) {
      if (link.redis !== redis) continue;
      this.links.delete(link);
      link.release();
    }
  }

  /** What Redis has refused, as its error or as text: if it has become a replica, all links are made anew. */
  refused(reason: unknown): void {
    const text = typeof reason === 'string' ? reason : replyText(reason);
    if (text === undefined || this.closing || !isDemoted(text)) return;
    this.search.begin();
    if (!this.failover.mayLeave(performance.now())) return;
    for (const link of this.links) link.renew();
  }

  /** Hears when the command connection is lost and when it is back. Returns the way to stop listening. */
  watch(watcher: ConnectionWatcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Closes everything; never waits for a Redis that does not answer. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    this.renewalsEnd?.cancel();
    this.search.end();
    await Promise.all([...this.links].map((link) => link.close()));
    this.links.clear();
  }

  private renewOthers(): void {
    for (const link of this.links) {
      if (link !== this.main) link.renew();
    }
  }

  private endRenewals(): void {
    if (this.renewals) this.release(this.renewals.redis);
    this.renewals = undefined;
  }

  private open(purpose: string, queuesOffline = false): Link {
    const link = new Link(this.options, {
      purpose,
      commandTimeout: this.commandTimeout,
      connectTimeout: this.connectTimeout,
      queuesOffline,
      layout: this.layout,
      where: this.settings.where,
      onError: (error) => this.tell('error', error),
      onRefused: (error) => this.refused(error),
      named: (refusal) => this.rights.named(refusal),
    });
    if (this.closing) void link.close();
    else this.links.add(link);
    return link;
  }

  private tell(what: 'ready' | 'lost' | 'error', error?: Error): void {
    if (this.closing) return;
    for (const watcher of this.watchers) watcher(what, error);
  }
}

export interface ConnectionSettings {
  /** Milliseconds to wait for Redis at the start; default 10 000. */
  readonly connectTimeout?: number;
  /** Milliseconds within which every command is answered or refused; default 5000. */
  readonly commandTimeout?: number;
  /** Where the connection was given, for errors about it. */
  readonly where?: string;
  /** How the data are named; default `shared`, RQ's own names. */
  readonly layout?: 'shared' | 'cluster';
}

/** Hears of the command connection: usable again, lost, or an attempt that failed. */
export type ConnectionWatcher = (what: 'ready' | 'lost' | 'error', error?: Error) => void;

/** Milliseconds after which a connection that nobody needs is closed. */
const IDLE = 60_000;
