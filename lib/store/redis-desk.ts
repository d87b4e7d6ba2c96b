import type { RedisAccess } from '../redis/access.js';
import { publish } from '../redis/subscriptions.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { DeskStore, StoredNote } from './desk-store.js';

/** What operators share, in Redis: a stream of what was done, and a hash for each operation. */
export class RedisDesk implements DeskStore {
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {}

  async note(fields: Readonly<Record<string, string>>): Promise<string> {
    const id = await this.connections.run('write to the audit', (redis) =>
      redis.xadd(this.keys.audit, 'MAXLEN', '~', KEPT_NOTES, '*', ...Object.entries(fields).flat()),
    );
    return id ?? '';
  }

  async notes({
    before,
    limit,
  }: {
    before: string | undefined;
    limit: number;
  }): Promise<StoredNote[]> {
    const until = before === undefined ? '+' : `(${before}`;
    const entries = await this.connections.run('read the audit', (redis) =>
      redis.xrevrange(this.keys.audit, until, '-', 'COUNT', limit),
    );
    return entries.map(([id, flat]) => ({ id, fields: pairs(flat) }));
  }

  async saveOperation(id: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const key = this.keys.operation(id);
    await this.connections.run('write down an operation', (redis) =>
      redis
        .multi()
        .hset(key, fields)
        .expire(key, KEPT_SECONDS)
        .zadd(this.keys.operations, 'NX', Date.now(), id)
        .zremrangebyscore(this.keys.operations, '-inf', Date.now() - KEPT_SECONDS * 1000)
        .expire(this.keys.operations, KEPT_SECONDS)
        .exec(),
    );
  }

  async operation(id: string): Promise<Readonly<Record<string, string>> | undefined> {
    const fields = await this.connections.run('read an operation', (redis) =>
      redis.hgetall(this.keys.operation(id)),
    );
    return Object.keys(fields).length > 0 ? fields : undefined;
  }

  recentOperations(): Promise<readonly string[]> {
    return this.connections.run('list operations', (redis) =>
      redis.zrevrangebyscore(
        this.keys.operations,
        '+inf',
        Date.now() - RECENT_MS,
        'LIMIT',
        0,
        MOST_LISTED,
      ),
    );
  }

  async holdOperation(id: string, holder: string): Promise<boolean> {
    const key = `${this.keys.operation(id)}:holder`;
    const taken = await this.connections.run('hold an operation', (redis) =>
      redis.set(key, holder, 'PX', HELD_MS, 'NX'),
    );
    if (taken === 'OK') return true;
    const current = await this.connections.run('hold an operation', (redis) => redis.get(key));
    if (current !== holder) return false;
    await this.connections.run('hold an operation', (redis) => redis.pexpire(key, HELD_MS));
    return true;
  }

  async suspend(): Promise<void> {
    await this.connections.run('suspend RQ', (redis) => redis.set(this.keys.suspended, '1'));
  }

  async unsuspend(): Promise<void> {
    await this.connections.run('resume RQ', (redis) => redis.del(this.keys.suspended));
  }

  async shutDown(worker: string): Promise<void> {
    const command = JSON.stringify({ command: 'shutdown' });
    const action = `tell worker "${worker}" to end`;
    await publish(this.connections, action, this.keys.sharedCommands(worker), command);
  }
}

function pairs(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let index = 0; index + 1 < flat.length; index += 2) {
    fields[flat[index] as string] = flat[index + 1] as string;
  }
  return fields;
}

const KEPT_NOTES = 10_000;
const KEPT_SECONDS = 86_400;
const RECENT_MS = 3_600_000;
const MOST_LISTED = 50;
/** Whoever carries an operation out shows it each second. */
const HELD_MS = 10_000;
