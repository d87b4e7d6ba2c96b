import { Redis, type RedisOptions } from 'ioredis';
import { InvalidOptionError, RqConnectionError } from '../job/index.js';
import { Patience } from '../time/patience.js';
import { after } from '../time/timer.js';
import { cleaned, replyText, translated } from './client-errors.js';
import { isDenied } from './missing-rights.js';
import { runInClusterLayout } from './script.js';

/**
 * One connection to Redis, which is made again for as long as it is wanted. A command is never kept back for a Redis
 * that is away: it is refused in time, so that the caller knows. A link that has died without a word is noticed by its
 * silence, and cut; time in which our own event loop stood still is no silence of Redis (see Patience).
 */
export class Link {
  readonly redis: Redis;
  private readonly patience: Patience;
  /** Ends each wait for this connection: one that is being made again never tells that it was closed. */
  private readonly waits = new Set<() => void>();
  private databaseRefusal: InvalidOptionError | undefined;
  private received = 0;
  private unsent = 0;
  private isClosed = false;
  /** It is being ended to be made anew: what is sent now would be lost. */
  private isLeaving = false;

  /** @param options the application's, of the connection */
  constructor(
    options: RedisOptions,
    private readonly settings: LinkSettings,
  ) {
    const { purpose, commandTimeout, connectTimeout } = settings;
    const longestPause = options.sentinels ? LONGEST_SENTINEL_PAUSE : LONGEST_PAUSE;
    this.redis = new Redis({
      ...options,
      connectionName: `${options.connectionName ?? 'nestjs-rq'}:${purpose}`,
      lazyConnect: true,
      enableOfflineQueue: settings.queuesOffline,
      // What was sent over a link that is lost gets no answer any more: it is refused at once, not at its timeout.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      enableReadyCheck: true,
      // Of one attempt; others follow.
      connectTimeout: Math.min(connectTimeout, LONGEST_ATTEMPT),
      // Milliseconds between two looks whether Redis has loaded its data; ioredis takes at least a second.
      maxLoadingRetryTime: 200,
      // How long a closing client waits for its stream, also for one that is gone already.
      disconnectTimeout: 100,
      retryStrategy: (attempt) =>
        Math.min(FIRST_PAUSE * 2 ** Math.min(attempt - 1, 10), longestPause),
      reconnectOnError: null,
    });
    if (settings.layout === 'cluster') runInClusterLayout(this.redis);
    this.patience = new Patience(commandTimeout, () => this.isMoving());
    // Each call that waits for Redis listens for its return: that many may wait is no leak.
    this.redis.setMaxListeners(0);
    // Without a listener ioredis writes errors to the console; who has to know is told when a command fails.
    this.redis.on('error', (error: unknown) => this.failed(error));
    this.redis.on('close', () => {
      this.isLeaving = false;
    });
    this.redis.on('end', () => this.begunAgain());
    this.redis.on('connect', () => {
      this.databaseRefusal = undefined;
      this.watchHandshake();
    });
  }

  /** Waits until it is usable, and opens it if need be. @throws RqConnectionError after `timeout` milliseconds */
  async ready(timeout: number, action: string): Promise<void> {
    const { redis } = this;
    if (this.isUsable) return;
    const closed = new Error('the connection is closed');
    if (this.isClosed) throw new RqConnectionError({ action, reason: closed });
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      let reason: unknown;
      const finish = (error?: Error) => {
        patience.end(wait);
        this.waits.delete(onEnd);
        redis.off('ready', onReady).off('error', onError);
        if (error) reject(error);
        else resolve();
      };
      const onReady = () => finish();
      const onError = (error: unknown) => {
        reason = cleaned(error);
        if (this.databaseRefusal) finish(this.databaseRefusal);
      };
      const onEnd = () => finish(new RqConnectionError({ action, reason: reason ?? closed }));
      const patience = new Patience(timeout);
      const wait = patience.wait(() => finish(new RqConnectionError({ action, reason })));
      this.waits.add(onEnd);
      redis.on('ready', onReady).on('error', onError);
    });
  }

  /**
   * Runs a command, and translates what goes wrong.
   * @throws RqConnectionError within `commandTimeout`; `uncertain` tells whether it may have been carried out
   * @throws RedisReplyError when Redis answers with an error
   */
  async run<Reply>(action: string, command: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    const { redis, patience, settings } = this;
    if (!this.isUsable) await this.ready(settings.commandTimeout, action);
    return new Promise<Reply>((resolve, reject) => {
      const wait = patience.wait(
        () => reject(new RqConnectionError({ action, uncertain: true })),
        () => this.cut(),
      );
      begun(command, redis).then(
        (reply) => {
          patience.end(wait);
          resolve(reply);
        },
        (error: unknown) => {
          patience.end(wait);
          settings.onRefused(error);
          const refusal = replyText(error);
          if (refusal === undefined || !isDenied(refusal)) reject(translated(action, error));
          else void settings.named(refusal).then((name) => reject(translated(action, error, name)));
        },
      );
    });
  }

  /** Ends the link and makes a new one, maybe to another server. */
  renew(): void {
    if (!this.isUsable) return;
    this.isLeaving = true;
    this.redis.disconnect(true);
  }

  private get isUsable(): boolean {
    return this.redis.status === 'ready' && !this.isLeaving;
  }

  /** Ends it at once. */
  release(): void {
    this.end();
    this.redis.disconnect();
  }

  /** Ends it as Redis likes it, but never waits for a Redis that does not answer. */
  async close(): Promise<void> {
    this.end();
    const { redis } = this;
    if (redis.status === 'ready') {
      await new Promise<void>((resolve) => {
        const timer = after(LAST_WORDS, resolve).unref();
        const finish = () => {
          timer.cancel();
          resolve();
        };
        redis.quit().then(finish, finish);
      });
    }
    redis.disconnect();
  }

  /** ioredis gives a link up that is ended while it asks Sentinels for the primary, as it does when a failover is told. */
  private begunAgain(): void {
    const connect = () => {
      if (!this.isClosed && this.redis.status === 'end')
        this.redis.connect().catch(() => undefined);
    };
    if (!this.isClosed) after(FIRST_PAUSE, connect).unref();
  }

  private end(): void {
    this.isClosed = true;
    for (const end of this.waits) end();
  }

  /** A server that accepts the link and says nothing would hold up everything. */
  private watchHandshake(): void {
    const { redis, patience } = this;
    const wait = patience.wait(() => this.cut());
    const done = () => {
      patience.end(wait);
      redis.off('ready', done).off('close', done);
    };
    redis.once('ready', done).once('close', done);
  }

  private cut(): void {
    this.stream?.destroy();
  }

  private failed(error: unknown): void {
    const text = replyText(error);
    // ioredis would go on, with database 0.
    if (text !== undefined && (error as ClientError).command?.name === 'select') {
      this.cut();
      if (/^(ERR|NOPERM) /.test(text)) this.databaseRefusal = this.refusal(text);
    }
    this.settings.onError(cleaned(error));
  }

  private refusal(text: string): InvalidOptionError {
    const advice = text.includes('index')
      ? '. There are 16, from 0 to 15, unless `databases` in the settings of Redis says otherwise'
      : '';
    return new InvalidOptionError({
      option: 'connection.db',
      problem: `cannot be used: Redis refuses database ${this.redis.options.db} (${text})${advice}`,
      where: this.settings.where,
    });
  }

  /** Whether something has arrived since the last look, or a part of what waits to be sent has left. */
  private isMoving(): boolean {
    const { bytesRead = 0, writableLength = 0 } = this.stream ?? {};
    const isMoving = bytesRead !== this.received || writableLength < this.unsent;
    this.received = bytesRead;
    this.unsent = writableLength;
    return isMoving;
  }

  private get stream(): Redis['stream'] | undefined {
    return this.redis.stream as Redis['stream'] | undefined;
  }
}

export interface LinkSettings {
  /** What it is for, as `CLIENT LIST` shows it. */
  readonly purpose: string;
  /** Milliseconds, like the next. */
  readonly commandTimeout: number;
  readonly connectTimeout: number;
  /** Commands wait while it is being made. */
  readonly queuesOffline: boolean;
  readonly layout: 'shared' | 'cluster';
  readonly where: string | undefined;
  /** An attempt to connect has failed. */
  onError(error: Error): void;
  /** A command has failed; the client's own error, to be looked at and not to be kept. */
  onRefused(error: unknown): void;
  /** What Redis has refused for lack of rights, with their names. Never rejects. */
  named(refusal: string): Promise<string>;
}

/** Also what a command throws before it has begun is its promise's. */
function begun<Reply>(command: (redis: Redis) => Promise<Reply>, redis: Redis): Promise<Reply> {
  try {
    return command(redis);
  } catch (error) {
    return Promise.reject(error);
  }
}

interface ClientError {
  readonly command?: { readonly name?: string };
}

// Milliseconds.
const LONGEST_ATTEMPT = 30_000;
const FIRST_PAUSE = 50;
/** Between two attempts: a server that is back, or another behind the same address, is found within a second. */
const LONGEST_PAUSE = 1000;
/** Sentinels are asked then, which are there. */
const LONGEST_SENTINEL_PAUSE = 300;
const LAST_WORDS = 500;
