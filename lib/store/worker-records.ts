import { hostname } from 'node:os';
import type { Connections } from '../redis/connections.js';
import type { Keyspace } from '../wire/keyspace.js';

/**
 * Workers as RQ's tools see them: a hash per worker with a time to live, and sets of all workers. Nothing here decides
 * over jobs: a worker that is not listed works all the same.
 */
export class WorkerRecords {
  constructor(
    private readonly connections: Connections,
    private readonly keys: Keyspace,
  ) {}

  async register(worker: WorkerRecord): Promise<void> {
    const key = this.keys.worker(worker.name);
    const now = new Date().toISOString();
    const address = await this.ownAddress();
    await this.connections.run(`register worker "${worker.name}"`, (redis) => {
      const batch = redis
        .multi()
        .del(key)
        .hset(key, {
          birth: now,
          last_heartbeat: now,
          queues: worker.queues.join(','),
          pid: process.pid,
          hostname: hostname(),
          ip_address: address,
          version: worker.version,
          python_version: `Node.js ${process.version}`,
          state: worker.state,
        })
        .sadd(this.keys.workers, key);
      for (const queue of worker.queues) {
        batch.sadd(this.keys.workersOf(queue), key);
        // RQ's tools list workers by the queues that they know.
        batch.sadd(this.keys.queues, this.keys.queue(queue).list);
      }
      return batch.expire(key, WORKER_TTL).exec();
    });
  }

  /** Tells that the worker lives, what it does, and what it has done since the last time. */
  async heartbeat(worker: WorkerRecord, done: WorkDone): Promise<void> {
    const key = this.keys.worker(worker.name);
    const exists = await this.connections.run(`renew worker "${worker.name}"`, (redis) =>
      redis.expire(key, WORKER_TTL),
    );
    // Redis may have lost it (a restart without persistence): the sets too, then.
    if (exists === 0) await this.register(worker);
    await this.connections.run(`renew worker "${worker.name}"`, (redis) => {
      const batch = redis
        .multi()
        .hset(key, { last_heartbeat: new Date().toISOString(), state: worker.state });
      if (done.finished > 0) batch.hincrby(key, 'successful_job_count', done.finished);
      if (done.failed > 0) batch.hincrby(key, 'failed_job_count', done.failed);
      if (done.seconds > 0) batch.hincrbyfloat(key, 'total_working_time', done.seconds);
      return batch.exec();
    });
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

export interface WorkerRecord {
  readonly name: string;
  readonly queues: readonly string[];
  readonly version: string;
  readonly state: 'started' | 'idle' | 'busy' | 'suspended';
}

export interface WorkDone {
  readonly finished: number;
  readonly failed: number;
  readonly seconds: number;
}

// Seconds; RQ's own.
const WORKER_TTL = 480;
const DEAD_WORKER_TTL = 60;
