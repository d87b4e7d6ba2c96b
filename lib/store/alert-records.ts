import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { AlertStore, CriticalFailures } from './alert-store.js';

/** Alerts in Redis: two hashes, a lock that ends by itself, and a key per telling. Plain commands: few, and far from jobs. */
export class AlertRecords implements AlertStore {
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {}

  async lead(process: string, rank: number, milliseconds: number): Promise<boolean> {
    const { alertsLock } = this.keys;
    const mine = `${rank}:${process}`;
    return this.connections.run(LOOK, async (redis) => {
      if ((await redis.set(alertsLock, mine, 'PX', milliseconds, 'NX')) === 'OK') return true;
      const holder = (await redis.get(alertsLock)) ?? '';
      if (holder === mine) return (await redis.pexpire(alertsLock, milliseconds)) === 1;
      if (Number(holder.split(':')[0]) >= rank) return false;
      return (await redis.set(alertsLock, mine, 'PX', milliseconds)) === 'OK';
    });
  }

  async resign(process: string, rank: number): Promise<void> {
    const { alertsLock } = this.keys;
    await this.connections.run(LOOK, async (redis) => {
      if ((await redis.get(alertsLock)) === `${rank}:${process}`) await redis.del(alertsLock);
    });
  }

  async isLed(): Promise<boolean> {
    return (await this.connections.run(READ, (redis) => redis.exists(this.keys.alertsLock))) === 1;
  }

  read(): Promise<Record<string, string>> {
    return this.connections.run(READ, (redis) => redis.hgetall(this.keys.alerts));
  }

  async write(known: Readonly<Record<string, string>>, gone: readonly string[]): Promise<void> {
    const { alerts } = this.keys;
    const isAny = Object.keys(known).length > 0;
    if (!isAny && gone.length === 0) return;
    await this.connections.run('write down alerts', (redis) => {
      const batch = redis.multi();
      if (isAny) batch.hset(alerts, known);
      if (gone.length > 0) batch.hdel(alerts, ...gone);
      return batch.exec();
    });
  }

  async claim(telling: string): Promise<boolean> {
    const key = this.keys.alertTold(telling);
    const reply = await this.connections.run('tell of an alert', (redis) =>
      redis.set(key, '1', 'PX', TOLD_MS, 'NX'),
    );
    return reply === 'OK';
  }

  async addCriticalFailure(
    queue: string,
    job: string,
    at: number,
    failure: string,
  ): Promise<boolean> {
    const { criticalFailures } = this.keys;
    const name = `${queue}\n${job}`;
    const replies = await this.connections.run('write down a failure', (redis) =>
      redis
        .multi()
        .hincrby(criticalFailures, `count\n${name}`, 1)
        .hset(criticalFailures, `last\n${name}`, at, `failure\n${name}`, failure)
        .exec(),
    );
    return replies?.[0]?.[1] === 1;
  }

  async criticalFailures(): Promise<readonly CriticalFailures[]> {
    const fields = await this.connections.run(READ, (redis) =>
      redis.hgetall(this.keys.criticalFailures),
    );
    return Object.entries(fields).flatMap(([field, count]) => {
      const [kind, queue = '', job = ''] = field.split('\n');
      if (kind !== 'count') return [];
      const name = `${queue}\n${job}`;
      const last = Number(fields[`last\n${name}`]) || 0;
      const lastFailure = fields[`failure\n${name}`];
      return [{ queue, job, count: Number(count) || 0, last, lastFailure }];
    });
  }

  async forgetCriticalFailures(queue: string, job: string): Promise<void> {
    const name = `${queue}\n${job}`;
    await this.connections.run('forget failures', (redis) =>
      redis.hdel(this.keys.criticalFailures, `count\n${name}`, `last\n${name}`, `failure\n${name}`),
    );
  }
}

const LOOK = 'look for alerts';
const READ = 'read the alerts';
/** Milliseconds for which is known that people were told: longer than anybody takes to hear of it. */
const TOLD_MS = 86_400_000;
