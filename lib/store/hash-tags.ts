import { InvalidOptionError } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';

/**
 * Which hash tag each queue has: what the application gives it (`hashTag`), else its name. Queues with the same tag are
 * on the same node of a cluster, so that one step may change both. All processes must agree: the first one that puts
 * something into a queue writes its tag down, outside of all tags, and whoever has another one is refused.
 */
export class HashTags {
  /** Tags that others have written down, of queues for which this process was given none. */
  private readonly learnt = new Map<string, string>();
  private readonly claims = new Map<string, Promise<void>>();
  private readonly claimed = new Set<string>();

  /** @param given the tag that the application gives a queue, if any */
  constructor(
    private readonly access: RedisAccess,
    private readonly keys: Keyspace,
    private readonly given: (queue: string) => string | undefined,
  ) {}

  /** @throws InvalidOptionError when the queue's name cannot be its tag and there is no other */
  of(queue: string): string {
    const tag = this.given(queue) ?? this.learnt.get(queue) ?? queue;
    assertHashTag(tag, `queue "${queue}"`);
    return tag;
  }

  /** Whether all of these queues are written down; else `claim` does so. */
  areClaimed(queues: readonly string[]): boolean {
    return queues.every((queue) => this.claimed.has(queue));
  }

  /**
   * Writes down the tags of queues before anything of theirs is.
   * @throws InvalidOptionError when a queue has another tag elsewhere; RqConnectionError
   */
  async claim(queues: Iterable<string>): Promise<void> {
    await Promise.all([...new Set(queues)].map((queue) => this.claimOne(queue)));
  }

  /** The tags of all queues that anybody has put something into. @throws RqConnectionError */
  async all(): Promise<ReadonlyMap<string, string>> {
    const found = await this.access.run('list the queues', (redis) =>
      redis.hgetall(this.keys.hashTags),
    );
    const tags = new Map(Object.entries(found));
    for (const [queue, tag] of tags) this.learnt.set(queue, tag);
    return tags;
  }

  /** Redis may have lost its data: what was written down is written again. */
  forget(): void {
    this.claimed.clear();
  }

  private claimOne(queue: string): Promise<void> {
    if (this.claimed.has(queue)) return Promise.resolve();
    let claim = this.claims.get(queue);
    if (!claim) {
      claim = this.write(queue).finally(() => this.claims.delete(queue));
      this.claims.set(queue, claim);
    }
    return claim;
  }

  private async write(queue: string): Promise<void> {
    const tag = this.of(queue);
    const { hashTags } = this.keys;
    const [, there] = await this.access.run(`register queue "${queue}"`, (redis) =>
      Promise.all([redis.hsetnx(hashTags, queue, tag), redis.hget(hashTags, queue)]),
    );
    if (there !== null && there !== tag) {
      const problem =
        `is "${tag}" here, and "${there}" for those who use the queue already: its jobs are stored by it. ` +
        `Give the queue hashTag: '${there}' in registerQueue`;
      throw new InvalidOptionError({ option: 'hashTag', problem, where: `queue "${queue}"` });
    }
    this.claimed.add(queue);
  }
}

/** @throws InvalidOptionError */
export function assertHashTag(tag: unknown, where?: string): asserts tag is string {
  if (typeof tag === 'string' && tag.length > 0 && tag.length <= 200 && !/[{}\p{Cc}]/u.test(tag)) {
    return;
  }
  const problem = "must be 1 to 200 characters, without '{', '}' and control characters";
  throw new InvalidOptionError({ option: 'hashTag', problem, value: tag, where });
}
