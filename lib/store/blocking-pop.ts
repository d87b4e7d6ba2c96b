import type { Redis } from 'ioredis';
import type { Connections } from './connections.js';
import type { QueueKeys } from './keyspace.js';

/**
 * Waits at an empty queue: a blocking `BLMOVE` to the intermediate list, so that any producer wakes exactly one
 * worker, Python's producers included. Only a wake-up: the id counts as claimed when `exchange` says so.
 */
export class BlockingPop {
  private redis: Redis | undefined;
  private clientId: number | undefined;
  private waiting: Promise<string | undefined> | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly keys: QueueKeys,
  ) {}

  /**
   * The id that was moved, or undefined when none came in time, the wait was interrupted or Redis went away.
   * @param timeout milliseconds
   */
  wait(timeout: number): Promise<string | undefined> {
    this.waiting ??= this.block(timeout).finally(() => (this.waiting = undefined));
    return this.waiting;
  }

  /** Ends the wait and resolves when no id can come any more; one that came meanwhile is what `wait` answers. */
  async interrupt(): Promise<void> {
    const { redis, waiting } = this;
    if (!redis || !waiting) return;
    if (
      redis.status === 'ready' &&
      this.clientId !== undefined &&
      this.connections.commands.status === 'ready'
    ) {
      // The server's own answer tells for sure whether an id was moved; cutting the link would leave that open.
      await this.connections.commands.client('UNBLOCK', this.clientId).catch(() => undefined);
      const late = new Promise<void>((resolve) => setTimeout(resolve, 1000).unref());
      await Promise.race([waiting, late]);
    }
    if (this.waiting) redis.disconnect(true);
    await waiting;
  }

  close(): void {
    if (this.redis) this.connections.release(this.redis);
    this.redis = undefined;
  }

  private async block(timeout: number): Promise<string | undefined> {
    const redis = (this.redis ??= this.connect());
    // A half-open link never answers: when Redis is silent for longer than it was told to wait, a new one is made.
    const watchdog = setTimeout(
      () => redis.disconnect(true),
      timeout + this.connections.commandTimeout,
    );
    try {
      if (redis.status === 'wait') await redis.connect();
      this.clientId ??= Number(await redis.client('ID'));
      const seconds = Math.max(0.01, timeout / 1000);
      return (
        (await redis.blmove(this.keys.list, this.keys.intermediate, 'LEFT', 'RIGHT', seconds)) ??
        undefined
      );
    } finally {
      clearTimeout(watchdog);
    }
  }

  private connect(): Redis {
    const redis = this.connections.blocking();
    redis.on('close', () => (this.clientId = undefined));
    return redis;
  }
}
