import type { JobEvent } from '../job/index.js';
import { BlockingPop } from '../redis/blocking-pop.js';
import type { Connections } from '../redis/connections.js';
import { decodeEnqueue, encodeEnqueue } from './scripts/enqueue.js';
import { decodeEvent, encodeEvent } from '../wire/event.js';
import { decodeExchange, encodeExchange, exchangeKeys, pairs } from './scripts/exchange.js';
import {
  decodeRecord,
  decodeResults,
  type JobRecord,
  type ResultEntry,
} from '../wire/job-record.js';
import type {
  ControlAction,
  ControlReply,
  Lease,
  ExchangeReply,
  ExchangeRequest,
  NewJob,
  RecoverReply,
  RecoverSettings,
  Refusal,
  RegistryCounts,
  RegistryName,
  RenewReply,
  WorkerStore,
} from './job-store.js';
import { Keyspace, splitMember } from '../wire/keyspace.js';
import { LeaseGuard } from '../redis/lease-guard.js';
import { decodeRecover, encodeRecover, recoverKeys } from './scripts/recover.js';
import { Script, type ScriptValue } from '../redis/script.js';
import { type Settled, decodeSettled } from '../wire/settled-message.js';
import { auditServer } from '../redis/server-audit.js';
import { Subscriptions } from '../redis/subscriptions.js';
import { WorkerRecords } from './worker-records.js';

const SCRIPTS = {
  enqueue: new Script('enqueue'),
  exchange: new Script('exchange'),
  progress: new Script('progress'),
  renew: new Script('renew'),
  recover: new Script('recover'),
  watch: new Script('watch'),
  control: new Script('control'),
  empty: new Script('empty'),
};

/** The store in Redis: RQ's keys, changed by scripts, each one step. */
export class RedisJobStore implements WorkerStore {
  readonly keys: Keyspace;
  readonly maxPayloadBytes: number;
  readonly workers: WorkerRecords;
  private readonly resultsPlace: 'hash' | 'stream';
  private readonly subscriptions: Subscriptions;

  constructor(
    readonly connections: Connections,
    options: RedisJobStoreOptions = {},
  ) {
    this.keys = new Keyspace(options.prefix);
    this.maxPayloadBytes = options.maxPayloadBytes ?? 10 * 1024 * 1024;
    this.resultsPlace = options.results ?? 'hash';
    this.subscriptions = new Subscriptions(connections);
    this.workers = new WorkerRecords(connections, this.keys);
  }

  async enqueue(queue: string, jobs: readonly NewJob[], mode: 'all' | 'each'): Promise<Refusal[]> {
    const { list, scheduled, wake } = this.keys.queue(queue);
    const settings = { jobPrefix: this.keys.jobPrefix, wakeChannel: wake, mode };
    const values = encodeEnqueue(queue, jobs, settings);
    const keys = [this.keys.queues, list, scheduled];
    return decodeEnqueue(
      await this.run(`enqueue on queue "${queue}"`, SCRIPTS.enqueue, keys, values),
    );
  }

  async exchange(queue: string, request: ExchangeRequest): Promise<ExchangeReply> {
    const keys = this.keys.queue(queue);
    const values = encodeExchange(request, {
      jobPrefix: this.keys.jobPrefix,
      resultsPrefix: this.keys.resultsPrefix,
      settledChannel: keys.settled,
      wakeChannel: keys.wake,
      eventsChannel: keys.events,
      results: this.resultsPlace,
    });
    const sentAt = performance.now();
    const reply = await this.run(
      `serve queue "${queue}"`,
      SCRIPTS.exchange,
      exchangeKeys(keys, this.keys.suspended),
      values,
    );
    const decoded = decodeExchange(queue, request, reply, (performance.now() - sentAt) / 2);
    // What Redis refuses inside of the script does not make it fail.
    for (const { status } of decoded.refused) this.connections.refused(status);
    if (decoded.failure !== undefined) this.connections.refused(decoded.failure);
    return decoded;
  }

  async renew(queue: string, lease: number, executions: readonly Lease[]): Promise<RenewReply[]> {
    const keys = this.keys.queue(queue);
    const replies: RenewReply[] = [];
    for (let first = 0; first < executions.length; first += SLICE) {
      const slice = executions.slice(first, first + SLICE);
      const values = [
        this.keys.jobPrefix,
        lease,
        ...slice.flatMap(({ id, execution }) => [id, execution]),
      ];
      const reply = await this.connections.runRenewal(`renew leases on queue "${queue}"`, (redis) =>
        SCRIPTS.renew.run(redis, [keys.started], values),
      );
      const found = pairs(reply as (number | Buffer)[], (index, status) => ({
        index: first + Number(index) - 1,
        status,
      }));
      replies.push(...found);
    }
    return replies;
  }

  async recover(queue: string, settings: RecoverSettings): Promise<RecoverReply> {
    const values = encodeRecover(settings, {
      keys: this.keys,
      queue: this.keys.queue(queue),
      results: this.resultsPlace,
    });
    const keys = recoverKeys(this.keys.queue(queue));
    const handled: RecoverReply['handled'][number][] = [];
    for (;;) {
      const reply = await this.run(`recover queue "${queue}"`, SCRIPTS.recover, keys, values);
      const { more, ...slice } = decodeRecover(queue, reply);
      handled.push(...slice.handled);
      if (!more) return { ...slice, handled };
    }
  }

  async leasesOf(queue: string, token: string): Promise<Lease[]> {
    const members = await this.connections.run(`read queue "${queue}"`, (redis) =>
      redis.zrange(this.keys.queue(queue).started, '0', '-1'),
    );
    return members.flatMap((member) => {
      const [id, execution] = splitMember(member);
      return execution.startsWith(token) ? [{ id, execution }] : [];
    });
  }

  async read(id: string): Promise<JobRecord | undefined> {
    const reply = await this.connections.run(`read job "${id}"`, (redis) =>
      redis.callBuffer('HGETALL', this.keys.job(id)),
    );
    return decodeRecord(id, reply);
  }

  async watch(queue: string, id: string): Promise<JobRecord | undefined> {
    const keys = [this.keys.job(id), this.keys.queue(queue).waiting];
    const reply = await this.run(`read job "${id}"`, SCRIPTS.watch, keys, [id, WATCHED_SECONDS]);
    return decodeRecord(id, reply);
  }

  onSettled(queue: string, listener: (settled: Settled) => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.queue(queue).settled, (message) => {
      const settled = decodeSettled(message);
      if (settled) listener(settled);
    });
  }

  async onEvent(queue: string, listener: (event: JobEvent) => void): Promise<() => void> {
    const { events, wake } = this.keys.queue(queue);
    const stop = await this.subscriptions.listen(events, (message) => {
      const event = decodeEvent(queue, message);
      if (event) listener(event);
    });
    try {
      // Workers learn from each answer whether anybody listens: idle ones ask now.
      await this.connections.run('listen to events', (redis) => redis.publish(wake, 'listening'));
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  async progress({ id, execution }: Lease, json: string, event: JobEvent): Promise<boolean> {
    const { started, events } = this.keys.queue(event.queue);
    const reply = await this.run(
      `tell the progress of job "${id}"`,
      SCRIPTS.progress,
      [this.keys.job(id), started],
      [`${id}:${execution}`, json, events, encodeEvent(event)],
    );
    return reply === 1;
  }

  onWake(queue: string, listener: (due: number | undefined) => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.queue(queue).wake, (message) => {
      const due = /^due (\d{1,15}(?:\.\d)?)$/.exec(message)?.[1];
      listener(due === undefined ? undefined : Number(due));
    });
  }

  onCommand(worker: string, listener: (message: string) => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.commands(worker), listener);
  }

  audit(): Promise<string[]> {
    return auditServer(this.connections);
  }

  leaseGuard(queues: readonly string[], token: string, lease: number): LeaseGuard {
    const registries = queues.map((queue) => this.keys.queue(queue).started);
    const connection = this.connections.forThread();
    return new LeaseGuard({ connection, registries, token, lease });
  }

  onReady(listener: () => void): () => void {
    return this.connections.watch((what) => {
      if (what === 'ready') listener();
    });
  }

  blockingPop(queue: string): BlockingPop {
    return new BlockingPop(this.connections, this.keys.queue(queue));
  }

  async results(id: string): Promise<ResultEntry[]> {
    const reply = await this.connections.run(`read results of job "${id}"`, (redis) =>
      redis.xrangeBuffer(this.keys.results(id), '-', '+'),
    );
    return decodeResults(reply);
  }

  async control(queue: string, id: string, action: ControlAction): Promise<ControlReply> {
    const keys = this.keys.queue(queue);
    const reply = await this.run(
      `${action.type} job "${id}"`,
      SCRIPTS.control,
      [
        this.keys.job(id),
        keys.list,
        keys.intermediate,
        keys.scheduled,
        keys.finished,
        keys.failed,
        keys.canceled,
        keys.deferred,
        keys.waiting,
        this.keys.results(id),
        this.keys.dependents(id),
        this.keys.dependencies(id),
        this.keys.queues,
        keys.started,
      ],
      [action.type, id, keys.settled, this.keys.commandsPrefix, argumentOf(action), keys.events],
    );
    const [answer, status] = reply as [Buffer, Buffer];
    return { answer: String(answer) as ControlReply['answer'], status: String(status) };
  }

  async position(queue: string, id: string): Promise<number | undefined> {
    const position = await this.connections.run(`find job "${id}"`, (redis) =>
      redis.lpos(this.keys.queue(queue).list, id),
    );
    return position ?? undefined;
  }

  async queues(): Promise<string[]> {
    const keys = await this.connections.run('list the queues', (redis) =>
      redis.smembers(this.keys.queues),
    );
    return keys.map((key) => this.keys.queueName(key)).toSorted();
  }

  async counts(queue: string): Promise<RegistryCounts> {
    const keys = this.keys.queue(queue);
    const reply = await this.connections.run(`count queue "${queue}"`, (redis) => {
      const batch = redis.multi().llen(keys.list);
      for (const name of REGISTRIES) batch.zcard(keys[name]);
      return batch.exec();
    });
    const counts = (reply ?? []).map(([, count]) => Number(count));
    return {
      queued: counts[0] ?? 0,
      ...(Object.fromEntries(
        REGISTRIES.map((name, index) => [name, counts[index + 1] ?? 0]),
      ) as Omit<RegistryCounts, 'queued'>),
    };
  }

  async ids(
    queue: string,
    registry: RegistryName,
    offset: number,
    limit: number,
  ): Promise<string[]> {
    const keys = this.keys.queue(queue);
    const last = offset + limit - 1;
    return this.connections.run(`list queue "${queue}"`, async (redis) => {
      if (registry === 'queued') return redis.lrange(keys.list, offset, last);
      const members = await redis.zrange(keys[registry], String(offset), String(last));
      return registry === 'started' ? members.map((member) => splitMember(member)[0]) : members;
    });
  }

  async empty(queue: string): Promise<number> {
    const values = [this.keys.jobPrefix, this.keys.resultsPrefix, SLICE];
    let deleted = 0;
    for (;;) {
      const count = Number(
        await this.run(
          `empty queue "${queue}"`,
          SCRIPTS.empty,
          [this.keys.queue(queue).list],
          values,
        ),
      );
      deleted += count;
      if (count < SLICE) return deleted;
    }
  }

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

  private run(
    action: string,
    script: Script,
    keys: string[],
    values: ScriptValue[],
  ): Promise<unknown> {
    return this.connections.run(action, (redis) => script.run(redis, keys, values));
  }
}

export interface RedisJobStoreOptions {
  /** Default `rq:`, RQ's own; any other gives up sharing with Python. */
  readonly prefix?: string;
  /** Where results of our own jobs go: a field of the job (default), or RQ's stream, which Python's `return_value()` reads. */
  readonly results?: 'hash' | 'stream';
  /** The most bytes that data, meta or a result may have; default 10 MiB. */
  readonly maxPayloadBytes?: number;
}

const REGISTRIES = ['started', 'scheduled', 'deferred', 'finished', 'failed', 'canceled'] as const;

/** Keeps one script below 5 ms. */
const SLICE = 1000;
/** A mark outlives a waiter that died; waiters renew it. */
const WATCHED_SECONDS = 86_400;

function argumentOf(action: ControlAction): string {
  if (action.type === 'meta') return action.json;
  return action.type === 'requeue' && action.front ? 'front' : 'back';
}
