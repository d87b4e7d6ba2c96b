import type { Redis } from 'ioredis';
import type { RedisAccess } from './access.js';
import { replyText, translated } from './client-errors.js';
import type { Connections } from './connections.js';
import { afterAwake } from '../time/patience.js';
import type { QueueKeys } from '../wire/keyspace.js';

/**
 * Waits at an empty queue until somebody enqueues, without polling.
 *
 * 1. `BLMOVE` blocks on a connection of its own. A new id wakes exactly one worker, whoever enqueues, Python included.
 * 2. Redis moves the id to the intermediate list, and `wait` answers with it. The job is not claimed yet: that does the
 *    next `exchange`, which is told the id.
 * 3. If the worker dies in between, the id stays in the intermediate list; recovery brings it back to the queue.
 * 4. A worker that stops interrupts the wait by `CLIENT UNBLOCK` over another connection. Redis's answer to `BLMOVE` then
 *    tells for sure whether an id was moved. Only if there is no answer is the connection cut.
 * 5. A connection that is silent for longer than it was told to wait is ended, and made anew.
 */
export class BlockingPop {
  private redis: Redis | undefined;
  /** The server to which it is connected. */
  private home: Connections | undefined;
  private clientId: number | undefined;
  private waiting: Promise<string | undefined> | undefined;
  private isBlocking = false;
  private isInterrupted = false;
  private isSkipped = false;

  constructor(
    private readonly access: RedisAccess,
    private readonly keys: QueueKeys,
  ) {}

  /**
   * The id that was moved, or undefined when none came in time or the wait was interrupted.
   * @param timeout milliseconds
   * @throws RqConnectionError, RedisReplyError when Redis went away or refused it
   */
  wait(timeout: number): Promise<string | undefined> {
    this.waiting ??= this.block(timeout).finally(() => (this.waiting = undefined));
    return this.waiting;
  }

  /** Ends the wait and resolves when no id can come any more; one that came meanwhile is what `wait` answers. */
  async interrupt(): Promise<void> {
    this.isInterrupted = true;
    const { redis, waiting } = this;
    if (redis && waiting && this.isBlocking) {
      if (this.clientId !== undefined) {
        // The server's own answer tells for sure whether an id was moved; cutting the link would leave that open.
        await this.unblock(this.clientId, waiting);
      }
      if (this.waiting === waiting) this.drop(redis);
      await waiting.catch(() => undefined);
    }
  }

  /** Ends the wait, if there is one; later ones are as ever. An id that came meanwhile is what `wait` answers. */
  async endWait(): Promise<void> {
    const { clientId, waiting } = this;
    if (!waiting) return;
    // One that has not begun yet ends as soon as it would.
    if (this.isBlocking && clientId !== undefined) await this.unblock(clientId, waiting);
    else this.isSkipped = true;
  }

  /** After an interruption: it may wait again. */
  restart(): void {
    this.isInterrupted = false;
  }

  /** The link may be dead and not know it: ends a wait over it, and makes a new one unless it answers. */
  async renew(): Promise<void> {
    const { redis, clientId, waiting } = this;
    // One that is still being made has a deadline of its own.
    if (!redis || clientId === undefined) return;
    if (waiting) await this.unblock(clientId, waiting);
    if (this.waiting === waiting && !this.isInterrupted) redis.disconnect(true);
  }

  close(): void {
    this.isInterrupted = true;
    if (this.redis) this.drop(this.redis);
  }

  /** Cuts the link; the next wait makes a new one. */
  private drop(redis: Redis): void {
    this.home?.release(redis);
    this.home = undefined;
    this.redis = undefined;
    this.clientId = undefined;
  }

  private async block(timeout: number): Promise<string | undefined> {
    const redis = this.connected();
    // A half-open link never answers: when Redis is silent for longer than it was told to wait, a new one is made.
    const { commandTimeout } = this.access;
    const giveUp = () => redis.disconnect(true);
    let stopWatching = afterAwake(commandTimeout, giveUp);
    try {
      if (redis.status === 'wait') await redis.connect();
      this.clientId ??= Number(await redis.client('ID'));
      stopWatching();
      if (this.isInterrupted || this.isSkipped) return undefined;
      stopWatching = afterAwake(timeout + commandTimeout, giveUp);
      const seconds = Math.max(0.01, timeout / 1000);
      this.isBlocking = true;
      const { list, intermediate } = this.keys;
      return (await redis.blmove(list, intermediate, 'LEFT', 'RIGHT', seconds)) ?? undefined;
    } catch (error) {
      this.access.refused(error);
      const refusal = replyText(error);
      const words = refusal && (await this.access.rights.named(refusal));
      throw translated('wait for jobs', error, words);
    } finally {
      this.isBlocking = false;
      this.isSkipped = false;
      stopWatching();
    }
  }

  private async unblock(clientId: number, waiting: Promise<unknown>): Promise<void> {
    const commands = this.home?.commands;
    if (commands?.status !== 'ready') return;
    await new Promise<void>((resolve) => {
      const stopWatching = afterAwake(UNBLOCK_TIMEOUT, resolve);
      const finish = () => {
        stopWatching();
        resolve();
      };
      commands.client('UNBLOCK', clientId).then(() => waiting.then(finish, finish), finish);
    });
  }

  /** The connection, to the server that has the queue now. @throws RqConnectionError when that is not known */
  private connected(): Redis {
    const { home } = this.access;
    if (this.redis && this.home !== home) this.drop(this.redis);
    this.home = home;
    return (this.redis ??= this.connect(home));
  }

  private connect(home: Connections): Redis {
    const redis = home.blocking();
    redis.on('close', () => {
      if (this.redis === redis) this.clientId = undefined;
    });
    return redis;
  }
}

/** Milliseconds. */
const UNBLOCK_TIMEOUT = 1000;
