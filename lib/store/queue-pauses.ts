import type { Connections } from '../redis/connections.js';
import type { Keyspace } from '../wire/keyspace.js';

/** Pauses of queues: a key that exists while workers take no job, and word to the idle ones when it is gone. */
export class QueuePauses {
  constructor(
    private readonly connections: Connections,
    private readonly keys: Keyspace,
  ) {}

  async pause(queue: string): Promise<void> {
    await this.connections.run(`pause queue "${queue}"`, (redis) =>
      redis.set(this.keys.queue(queue).paused, '1'),
    );
  }

  async resume(queue: string): Promise<void> {
    const { paused, wake } = this.keys.queue(queue);
    await this.connections.run(`resume queue "${queue}"`, (redis) =>
      redis.multi().del(paused).publish(wake, 'resumed').exec(),
    );
  }

  async isPaused(queue: string): Promise<boolean> {
    const { paused } = this.keys.queue(queue);
    return (
      (await this.connections.run(`read queue "${queue}"`, (redis) => redis.exists(paused))) === 1
    );
  }
}
