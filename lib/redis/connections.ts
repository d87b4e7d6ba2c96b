import { Redis, type RedisOptions } from 'ioredis';
import { InvalidOptionError, RqConnectionError, ShortForm, hideFields } from '../job/index.js';
import { type PlainConnection, plainOptions } from './lease-guard.js';

/**
 * The connections to one Redis: one for commands, shared by every queue and worker, one for messages, opened with the
 * first subscription, and one per consumed queue for blocking reads. They reconnect by themselves for as long as they
 * are open. A command is never kept back for a Redis that is away: it is refused in time, so that the caller knows.
 */
export class Connections extends ShortForm {
  /** For all that does not block. */
  readonly commands: Redis;
  private readonly opened = new Set<Redis>();
  private readonly watchers = new Set<ConnectionWatcher>();
  /** Ends each wait for the command connection: one that is being made again never tells that it was closed. */
  private readonly waits = new Set<() => void>();
  private subscriber: Redis | undefined;
  private closed = false;

  /**
   * @param connection a URL, ioredis options (also for Sentinel), or an ioredis instance, of which a copy is made
   * @throws InvalidOptionError when it cannot be used
   */
  constructor(
    private readonly connection: ConnectionOption = {},
    private readonly settings: ConnectionSettings = {},
  ) {
    super();
    this.commands = this.open('commands', { enableOfflineQueue: false });
    this.commands.on('ready', () => this.tell('ready'));
    this.commands.on('close', () => this.tell('lost'));
    hideFields(this);
  }

  /** What JSON and logs show of it: neither where Redis is nor how to get in. */
  toJSON(): { readonly status: string } {
    return { status: this.commands.status };
  }

  /** Milliseconds within which a command is answered or refused. */
  get commandTimeout(): number {
    return this.settings.commandTimeout ?? 5000;
  }

  /** The way to connect, for another thread. */
  get plain(): PlainConnection {
    const { connection } = this;
    if (typeof connection === 'string') return { url: connection, options: {} };
    return {
      url: undefined,
      options: plainOptions(isRedis(connection) ? connection.options : connection),
    };
  }

  /**
   * Opens the command connection.
   * @throws RqConnectionError when Redis is not there within `connectTimeout`
   */
  async connect(): Promise<void> {
    await this.ready(this.settings.connectTimeout ?? 10_000, 'connect to Redis');
  }

  /** Waits until the command connection is usable. @throws RqConnectionError after `timeout` milliseconds */
  async ready(timeout = this.commandTimeout, action = 'reach Redis'): Promise<void> {
    const redis = this.commands;
    if (redis.status === 'ready') return;
    if (this.closed)
      throw new RqConnectionError({ action, reason: new Error('the connection is closed') });
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      let reason: unknown;
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.waits.delete(onEnd);
        redis.off('ready', onReady).off('error', onError).off('end', onEnd);
        if (error) reject(error);
        else resolve();
      };
      const onReady = () => finish();
      const onError = (error: unknown) => (reason = error);
      const onEnd = () =>
        finish(
          new RqConnectionError({
            action,
            reason: reason ?? new Error('the connection is closed'),
          }),
        );
      const timer = setTimeout(() => finish(new RqConnectionError({ action, reason })), timeout);
      this.waits.add(onEnd);
      redis.on('ready', onReady).on('error', onError).on('end', onEnd);
    });
  }

  /**
   * Runs a command on the command connection, and translates what goes wrong with the connection.
   * @throws RqConnectionError within `commandTimeout`; `uncertain` tells whether it may have been carried out
   */
  async run<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    if (this.commands.status !== 'ready') await this.ready(this.commandTimeout, action);
    try {
      return await command(this.commands);
    } catch (error) {
      throw this.translated(action, error);
    }
  }

  /** The connection for messages; opened when it is first asked for. */
  messages(): Redis {
    this.subscriber ??= this.open('messages', {
      enableOfflineQueue: true,
      autoResubscribe: true,
      // A subscription is made when Redis is there, or refused at its timeout.
      maxRetriesPerRequest: null,
    });
    return this.subscriber;
  }

  /** A new connection for blocking reads; the caller closes it with `release`. */
  blocking(): Redis {
    return this.open('blocking', {
      enableOfflineQueue: true,
      commandTimeout: undefined,
      socketTimeout: undefined,
    });
  }

  release(redis: Redis): void {
    this.opened.delete(redis);
    redis.disconnect();
  }

  /** Hears when the command connection is lost and when it is back. Returns the way to stop listening. */
  watch(watcher: ConnectionWatcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Closes everything; never waits for a Redis that does not answer. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const end of this.waits) end();
    await Promise.all([...this.opened].map((redis) => closeGently(redis)));
    this.opened.clear();
  }

  private open(purpose: string, options: RedisOptions): Redis {
    const redis = create(this.connection, this.settings.where, {
      connectionName: `nestjs-rq:${purpose}`,
      lazyConnect: true,
      // What was sent over a link that is lost gets no answer any more: it is refused at once, not at its timeout.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: true,
      connectTimeout: this.settings.connectTimeout ?? 10_000,
      // Milliseconds between two looks whether Redis has loaded its data; ioredis takes at least a second.
      maxLoadingRetryTime: 200,
      // How long a closing client waits for its stream, also for one that is gone already.
      disconnectTimeout: 100,
      commandTimeout: this.commandTimeout,
      // A link that is cut without a word is noticed by the silence after a command.
      socketTimeout: this.commandTimeout * 2,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000),
      reconnectOnError: null,
      ...options,
    });
    // Without a listener ioredis writes errors to the console; who has to know is told when a command fails.
    redis.on('error', (error: Error) => this.tell('error', error));
    // Each call that waits for Redis listens for its return: that many may wait is no leak.
    redis.setMaxListeners(0);
    this.opened.add(redis);
    return redis;
  }

  private tell(what: 'ready' | 'lost' | 'error', error?: Error): void {
    if (this.closed) return;
    for (const watcher of this.watchers) watcher(what, error);
  }

  private translated(action: string, error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    if (error.name === 'ReplyError') {
      return REFUSAL.test(error.message) ? new RqConnectionError({ action, reason: error }) : error;
    }
    // Not written at all: Redis cannot have carried it out.
    const certain = error.message.includes("isn't writeable");
    const isLost = certain || error.name === 'MaxRetriesPerRequestError';
    const reason = isLost ? new Error('the connection was lost') : error;
    return new RqConnectionError({ action, reason, uncertain: !certain });
  }
}

/** A URL (`redis://`, `rediss://`), ioredis options, or an ioredis instance whose settings are taken over. */
export type ConnectionOption = string | RedisOptions | Redis;

export interface ConnectionSettings {
  /** Milliseconds to wait for Redis at the start; default 10 000. */
  readonly connectTimeout?: number;
  /** Milliseconds within which every command is answered or refused; default 5000. */
  readonly commandTimeout?: number;
  /** Where the connection was given, for errors about it. */
  readonly where?: string;
}

/** Hears of the command connection: usable again, lost, or an attempt that failed. */
export type ConnectionWatcher = (what: 'ready' | 'lost' | 'error', error?: Error) => void;

/** Redis is there and takes no such command now. Before Redis 7 the word stands inside the text of a script's error. */
const REFUSAL =
  /(^|[ -])(OOM|READONLY|LOADING|MASTERDOWN|NOPERM|NOAUTH|CLUSTERDOWN|MISCONF|BUSY|NOREPLICAS) /;

function create(
  connection: ConnectionOption,
  where: string | undefined,
  options: RedisOptions,
): Redis {
  if (typeof connection === 'string') {
    if (!/^(rediss?|unix):\/\//.test(connection)) {
      throw new InvalidOptionError({
        option: 'connection',
        problem: 'must be a URL that begins with redis:// or rediss://',
        where,
      });
    }
    return new Redis(connection, options);
  }
  if (isRedis(connection)) {
    assertNoKeyPrefix(connection.options, where);
    return connection.duplicate(options);
  }
  if (typeof connection !== 'object' || connection === null) {
    throw new InvalidOptionError({
      option: 'connection',
      problem: 'must be a URL, ioredis options or an ioredis instance',
      where,
    });
  }
  assertNoKeyPrefix(connection, where);
  return new Redis({ ...connection, ...options });
}

// By its shape: the application may have another copy of ioredis.
function isRedis(connection: unknown): connection is Redis {
  return typeof (connection as Redis | null)?.duplicate === 'function';
}

function assertNoKeyPrefix(options: RedisOptions, where: string | undefined): void {
  if (options.keyPrefix) {
    throw new InvalidOptionError({
      option: 'connection.keyPrefix',
      problem:
        "cannot be used (the scripts' keys would not have it); give `prefix` to the module instead",
      where,
    });
  }
}

async function closeGently(redis: Redis): Promise<void> {
  if (redis.status === 'ready') {
    const quit = redis.quit().catch(() => undefined);
    const late = new Promise((resolve) => setTimeout(resolve, 500).unref());
    await Promise.race([quit, late]);
  }
  redis.disconnect();
}
