import type { Redis } from 'ioredis';
import { type Durability, NotReplicatedError, RqConnectionError } from '../job/index.js';
import type { Link } from './link.js';

/**
 * Writes that count only when replicas have them, too.
 *
 * 1. They have a connection of their own: while it waits for replicas (`WAIT`), Redis takes nothing else from it.
 * 2. A write is answered, and then waits for the next `WAIT`. One is under way at a time, for all that was answered before
 *    it was sent; so however many calls there are, each waits for two at most.
 * 3. `WAIT` speaks of what its own connection has written. When that was lost in between, the next one may lead to
 *    another server, which knows nothing of it: the outcome is uncertain.
 */
export class ReplicatedWrites {
  /** Those who wait for the next `WAIT`. */
  private waiting: Waiting[] = [];
  private isUnderWay = false;
  /** Changes with each new link. */
  private linkNumber = 0;

  constructor(private readonly own: Link) {
    own.redis.on('close', () => (this.linkNumber += 1));
  }

  /**
   * Runs a command and waits until the replicas have what it wrote.
   * @param action what it does, as in "could not ..."
   * @throws NotReplicatedError when too few had it in time
   * @throws RqConnectionError, RedisReplyError as every command
   */
  async run<Reply>(
    action: string,
    durability: Durability,
    command: (redis: Redis) => Promise<Reply>,
  ): Promise<Reply> {
    let link = 0;
    const reply = await this.own.run(action, (redis) => {
      link = this.linkNumber;
      return command(redis);
    });
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ action, durability, link, resolve, reject });
      if (!this.isUnderWay) void this.waitForReplicas();
    });
    return reply;
  }

  private async waitForReplicas(): Promise<void> {
    this.isUnderWay = true;
    while (this.waiting.length > 0) {
      const waiting = this.waiting;
      this.waiting = [];
      await this.ask(waiting);
    }
    this.isUnderWay = false;
  }

  private async ask(waiting: readonly Waiting[]): Promise<void> {
    const replicas = Math.max(...waiting.map(({ durability }) => durability.replicas));
    const timeout = Math.max(...waiting.map(({ durability }) => durability.timeout));
    let link = 0;
    try {
      const reached = await this.own.run('wait for the replicas', (redis) => {
        link = this.linkNumber;
        return redis.wait(replicas, Math.ceil(timeout));
      });
      for (const one of waiting) {
        if (one.link !== link) one.reject(uncertain(one, new Error('the connection was lost')));
        else if (reached >= one.durability.replicas) one.resolve();
        else one.reject(tooFew(one, reached));
      }
    } catch (error) {
      // Whatever it is: the write itself was answered.
      for (const one of waiting) one.reject(uncertain(one, error));
    }
  }
}

interface Waiting {
  readonly action: string;
  readonly durability: Durability;
  /** The link over which it was written. */
  readonly link: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function tooFew({ action, durability }: Waiting, reached: number): NotReplicatedError {
  return new NotReplicatedError({ action, ...durability, reached });
}

function uncertain({ action }: Waiting, reason: unknown): RqConnectionError {
  const text = reason instanceof Error ? reason.message : '';
  const why = `it is not known whether replicas have it (${text.replace(/\.$/, '')})`;
  return new RqConnectionError({ action, reason: new Error(why), uncertain: true });
}
