import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';

/** Pauses of queues: a key that exists while workers take no job, and word to the idle ones when it is gone. */
export class QueuePauses {
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {}

  async pause(queue: string): Promise<void> {
    await this.connections.run(`pause queue "${queue}"`, (redis) =>
      redis.set(this.keys.queue(queue).paused, '1'),
    );
  }

  async resume(queue: string): Promise<void> {
    const { paused, wake } = this.keys.queue(queue);
    const isSharded = this.connections.layout === 'cluster';
    await this.connections.run(`resume queue "${queue}"`, (redis) => {
      const resumed = redis.multi().del(paused);
      return (
        isSharded ? resumed.spublish(wake, 'resumed') : resumed.publish(wake, 'resumed')
      ).exec();
    });
  }

  async isPaused(queue: string): Promise<boolean> {
    const { paused } = this.keys.queue(queue);
    return (
      (await this.connections.run(`read queue "${queue}"`, (redis) => redis.exists(paused))) === 1
    );
  }
}
