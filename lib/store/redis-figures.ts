import type { Finding } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import { auditServer, parseInfo } from '../redis/server-audit.js';
import { type Figures, type Tier, decodeFigures } from '../wire/figures.js';
import type { Keyspace } from '../wire/keyspace.js';
import { AlertRecords } from './alert-records.js';
import type {
  Bucket,
  FigureStore,
  Leftovers,
  QueueState,
  ScannedJobs,
  ServerState,
  WaitCircle,
  WorkerState,
} from './figure-store.js';
import { RedisDesk } from './redis-desk.js';
import { rightsOf } from './rights.js';
import { scanJobs } from './scan-jobs.js';
import { OVERVIEW, SEEN_AT_ONCE, decodeOverview, encodeOverview } from './scripts/overview.js';
import { WORKERS, decodeWorkers, encodeWorkers } from './scripts/workers.js';
import { findCircle, readWaiting } from './wait-circles.js';
import type { RegistryCounts } from './watcher-store.js';

/**
 * Reads from Redis the numbers that people watch. Scripts count the jobs that are there; buckets, one for each stretch of
 * time, hold what workers have counted.
 */
export class RedisFigures implements FigureStore {
  readonly alerts: AlertRecords;
  readonly desk: RedisDesk;
  readonly enqueued = new Map<string, number>();

  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {
    this.alerts = new AlertRecords(connections, keys);
    this.desk = new RedisDesk(connections, keys);
  }

  /** These were enqueued, but for some that were refused. */
  addEnqueued(jobs: readonly { readonly queue: string }[], refused: readonly Refused[]): void {
    const { enqueued } = this;
    for (const { queue } of jobs) enqueued.set(queue, (enqueued.get(queue) ?? 0) + 1);
    for (const { index } of refused) {
      const queue = jobs[index]?.queue ?? '';
      enqueued.set(queue, (enqueued.get(queue) ?? 0) - 1);
    }
  }

  async counts(queue: string): Promise<RegistryCounts> {
    const [state] = await this.look([queue], false, `count queue "${queue}"`);
    const { queued, started, scheduled, deferred, finished, failed, canceled } =
      state as QueueState;
    return { queued, started, scheduled, deferred, finished, failed, canceled };
  }

  async overview(queues: readonly string[]): Promise<QueueState[]> {
    const states: QueueState[] = [];
    for (let first = 0; first < queues.length; first += SEEN_AT_ONCE) {
      const slice = queues.slice(first, first + SEEN_AT_ONCE);
      states.push(...(await this.look(slice, true, 'look at the queues')));
    }
    return states;
  }

  async workers(): Promise<WorkerState[]> {
    const values = encodeWorkers(this.keys);
    const reply = await this.connections.run('look at the workers', (redis) =>
      WORKERS.run(redis, [this.keys.workers], values),
    );
    return decodeWorkers(this.keys, reply);
  }

  async buckets(queue: string, tier: Tier, since: Date): Promise<Bucket[]> {
    const { stats } = this.keys.queue(queue);
    const last = Math.floor((await this.now()).getTime() / 1000 / tier.seconds);
    const earliest = last - tier.kept / tier.seconds;
    const first = Math.max(earliest, Math.floor(since.getTime() / 1000 / tier.seconds));
    const buckets: Bucket[] = [];
    for (let from = first; from <= last; from += READ_AT_ONCE) {
      const numbers: number[] = [];
      for (let at = from; at <= last && at < from + READ_AT_ONCE; at += 1) numbers.push(at);
      const replies = await this.connections.run(`read figures of queue "${queue}"`, (redis) =>
        Promise.all(
          numbers.map((at) => redis.callBuffer('HGETALL', `${stats}${tier.seconds}:${at}`)),
        ),
      );
      for (const [index, reply] of replies.entries()) {
        const at = new Date((numbers[index] as number) * tier.seconds * 1000);
        const bucket = decodeBucket(at, reply as Buffer[]);
        if (bucket) buckets.push(bucket);
      }
    }
    return buckets;
  }

  async view(): Promise<void> {
    await this.connections.run('look at live figures', (redis) =>
      redis.set(this.keys.viewed, '1', 'PX', VIEWED_MS),
    );
  }

  async now(): Promise<Date> {
    const [seconds, microseconds] = await this.connections.run("read Redis's clock", (redis) =>
      redis.time(),
    );
    return new Date(Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000));
  }

  async server(): Promise<ServerState> {
    const text = await this.connections.run('ask Redis about itself', (redis) => redis.info());
    const info = parseInfo(text);
    const number = (name: string) => (info.has(name) ? Number(info.get(name)) : undefined);
    return {
      version: info.get('redis_version'),
      role: info.get('role'),
      replicas: replicasIn(info),
      usedMemory: number('used_memory'),
      maxMemory: number('maxmemory'),
      evictionPolicy: info.get('maxmemory_policy'),
      appendsToFile: info.get('aof_enabled') === '1',
    };
  }

  findings(): Promise<Finding[]> {
    return auditServer(this.connections, rightsOf('worker', this.keys));
  }

  async leftovers(queue: string): Promise<Leftovers> {
    const { started, intermediate } = this.keys.queue(queue);
    const until = ((await this.now()).getTime() - LEFT_MS) / 1000;
    const replies = await this.connections.run(`look at queue "${queue}"`, (redis) =>
      redis.multi().zcount(started, '-inf', until).llen(intermediate).exec(),
    );
    const [endedLeases = 0, popped = 0] = (replies ?? []).map(([, count]) => Number(count) || 0);
    return { endedLeases, popped };
  }

  scan(most: number): Promise<ScannedJobs> {
    return scanJobs(this.connections, this.keys, most);
  }

  async circles(queues: readonly string[], most: number): Promise<readonly WaitCircle[]> {
    const { connections, keys } = this;
    const anyGroup = await connections.run('look for groups', (redis) => redis.exists(keys.groups));
    if (anyGroup === 0) return [];
    const circle = findCircle(await readWaiting(connections, keys, { queues, most }));
    return circle ? [circle] : [];
  }

  private async look(
    queues: readonly string[],
    ages: boolean,
    action: string,
  ): Promise<QueueState[]> {
    const values = encodeOverview(this.keys, queues, ages);
    // It needs none, but a cluster has to know where it is to run.
    const keys = [this.keys.queues];
    const reply = await this.connections.run(action, (redis) => OVERVIEW.run(redis, keys, values));
    return decodeOverview(queues, reply);
  }
}

/** Undefined: it does not say. One that does not have all data yet follows nobody yet. */
function replicasIn(info: ReadonlyMap<string, string>): number | undefined {
  const count = info.get('connected_slaves');
  if (count === undefined) return undefined;
  const all = Array.from({ length: Number(count) }, (_, index) => info.get(`slave${index}`) ?? '');
  return all.filter((replica) => replica.includes('state=online')).length;
}

function decodeBucket(at: Date, reply: readonly Buffer[]): Bucket | undefined {
  if (reply.length === 0) return undefined;
  const jobs = new Map<string, Figures>();
  let sample: Figures | undefined;
  for (let index = 0; index + 1 < reply.length; index += 2) {
    const field = String(reply[index]);
    const figures = decodeFigures(reply[index + 1] as Buffer);
    if (field === 'g') sample = figures;
    else if (field.startsWith('j:')) jobs.set(field.slice('j:'.length), figures);
  }
  return { at, jobs, sample };
}

interface Refused {
  readonly index: number;
}

const READ_AT_ONCE = 100;
/** Milliseconds after which a lease that has ended should have been recovered. */
const LEFT_MS = 60_000;
/** Milliseconds for which a look counts. */
const VIEWED_MS = 15_000;
