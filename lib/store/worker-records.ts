import { hostname } from 'node:os';
import { VERSION } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { WorkerActivity } from './figure-store.js';
import type { WorkDone, WorkerRecord, WorkerRegister } from './job-store.js';
import { BEAT, encodeBeat } from './scripts/beat.js';

/**
 * Workers as RQ's tools see them: a hash per worker with a time to live, and sets of all workers. Nothing here decides
 * over jobs: a worker that is not listed works all the same.
 */
export class WorkerRecords implements WorkerRegister {
  private address = '';

  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {}

  /** @throws RqConnectionError */
  async register(worker: WorkerRecord, activity?: WorkerActivity): Promise<void> {
    this.address = await this.ownAddress();
    await this.beat(worker, { finished: 0, failed: 0, seconds: 0, activity }, true);
  }

  /** Tells that the worker lives, what it does and has done; whether somebody looks at live figures. */
  heartbeat(worker: WorkerRecord, done: WorkDone): Promise<boolean> {
    return this.beat(worker, done, false);
  }

  private async beat(worker: WorkerRecord, done: WorkDone, begins: boolean): Promise<boolean> {
    const { name, queues, state, version, ttl } = worker;
    const birth = {
      queues: queues.join(','),
      pid: process.pid,
      hostname: hostname(),
      ip_address: this.address,
      version,
      python_version: `Node.js ${process.version}`,
      nrq_version: VERSION,
    };
    const { activity, figures } = done;
    const beat = { ttl, state, ...done, activity, figures, begins, queues, birth };
    const values = encodeBeat(this.keys, beat);
    const keys = [this.keys.worker(name), this.keys.workers, this.keys.viewed];
    const reply = await this.connections.run(`renew worker "${name}"`, (redis) =>
      BEAT.run(redis, keys, values),
    );
    return reply === 1;
  }

  async deregister(worker: WorkerRecord): Promise<void> {
    const key = this.keys.worker(worker.name);
    await this.freeSchedulers(worker.queues);
    await this.connections.run(`deregister worker "${worker.name}"`, (redis) => {
      const batch = redis.multi().srem(this.keys.workers, key);
      for (const queue of worker.queues) batch.srem(this.keys.workersOf(queue), key);
      return batch
        .hset(key, { death: new Date().toISOString() })
        .expire(key, DEAD_WORKER_TTL)
        .exec();
    });
  }

  /** Lets Python's schedulers have the queues again; other workers of ours take the lock back with their next sweep. */
  private async freeSchedulers(queues: readonly string[]): Promise<void> {
    for (const queue of queues) {
      const { schedulerLock } = this.keys.queue(queue);
      await this.connections.run(`free the scheduler of queue "${queue}"`, async (redis) => {
        if ((await redis.get(schedulerLock)) === '0') await redis.del(schedulerLock);
      });
    }
  }

  /** As RQ has it: the address by which Redis knows us. */
  private async ownAddress(): Promise<string> {
    try {
      const info = await this.connections.run('register the worker', (redis) =>
        redis.client('INFO'),
      );
      return /(?:^| )addr=(\S+)/.exec(String(info))?.[1] ?? '';
    } catch {
      return '';
    }
  }
}

/** Seconds for which RQ's tools may still ask for a worker that has stopped; RQ's own. */
const DEAD_WORKER_TTL = 60;
