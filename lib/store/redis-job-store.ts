import { type JobEvent, ShortForm, hideFields } from '../job/index.js';
import { BlockingPop } from '../redis/blocking-pop.js';
import type { RedisAccess } from '../redis/access.js';
import type { Connections } from '../redis/connections.js';
import { ControlMany, inTurn, replyOfOne } from './control-many.js';
import {
  CONTROL,
  type ControlSlice,
  type ControlSliceReply,
  decodeControl,
  encodeControl,
} from './scripts/control.js';
import { EMPTIED_AT_ONCE, EMPTY, decodeEmpty, encodeEmpty } from './scripts/empty.js';
import {
  EXCHANGE,
  type ExchangePlace,
  decodeExchange,
  encodeExchange,
  refusalsTold,
} from './scripts/exchange.js';
import { leasesIn } from './leases.js';
import { listenToEvents } from './listen-to-events.js';
import { extend } from './scripts/extend.js';
import { placeInLane } from './scripts/position.js';
import { RECOVER, decodeRecover, encodeRecover } from './scripts/recover.js';
import { RENEW, RENEWED_AT_ONCE, decodeRenew, encodeRenew } from './scripts/renew.js';
import { TELL, encodeTell } from './scripts/tell.js';
import { WATCH, encodeWatch } from './scripts/watch.js';
import {
  decodeRecord,
  decodeResults,
  type JobRecord,
  type ResultEntry,
} from '../wire/job-record.js';
import type {
  ControlAction,
  ControlPace,
  ControlReply,
  ControlReport,
  DependentJob,
  Lease,
  ExchangeReply,
  ExchangeRequest,
  HandedResult,
  NewJob,
  RecoverReply,
  RecoverSettings,
  Refusal,
  RenewReply,
  SelectedPlace,
  Told,
  Undeleted,
  WorkerStore,
} from './job-store.js';
import type { ListPage, ListRange, RegistryCounts, RegistryName } from './watcher-store.js';
import type { JobSummary } from '../wire/job-row.js';
import { Keyspace } from '../wire/keyspace.js';
import { linesOf, positionOf, queueNames } from './lines.js';
import { type GuardedLeases, LeaseGuard } from '../redis/lease-guard.js';
import type { Script, ScriptValue } from '../redis/script.js';
import { type Settled, decodeSettled } from '../wire/settled-message.js';
import { undelete } from './deleted-jobs.js';
import { Dependencies } from './dependencies.js';
import { LimitRecords } from './limit-records.js';
import { auditServer, layoutFindings, warningsOf } from '../redis/server-audit.js';
import { RedisFigures } from './redis-figures.js';
import { GroupRecords } from './group-records.js';
import { readPage } from './job-lists.js';
import { EnqueueCalls } from './enqueue-calls.js';
import { ReplicatedReads } from './replicated-reads.js';
import type { RedisJobStoreOptions } from './redis-job-store-options.js';
import { type Role, rightsOf } from './rights.js';
import { ScheduleRecords } from './schedule-records.js';
import { QueuePauses } from './queue-pauses.js';
import { asksForFailure, idsOf, rowsOf } from './selected-jobs.js';
import { Subscriptions } from '../redis/subscriptions.js';
import { roomHeard, wakeHeard } from './wake-messages.js';
import { WorkerRecords } from './worker-records.js';

/** The store in Redis: RQ's keys, changed by scripts, each one step. */
export class RedisJobStore<Access extends RedisAccess = Connections>
  extends ShortForm
  implements WorkerStore
{
  readonly keys: Keyspace;
  readonly maxPayloadBytes: number;
  readonly workers: WorkerRecords;
  readonly schedules: ScheduleRecords;
  readonly limits: LimitRecords;
  readonly figures: RedisFigures;
  readonly groups: GroupRecords;
  readonly replicated: ReplicatedReads;
  private readonly shared: boolean;
  protected readonly subscriptions: Subscriptions;
  private readonly pauses: QueuePauses;
  private readonly dependencies: Dependencies;
  private readonly enqueuing: EnqueueCalls;

  constructor(
    readonly connections: Access,
    options: RedisJobStoreOptions = {},
  ) {
    super();
    this.keys = new Keyspace(options.prefix, connections.database);
    this.maxPayloadBytes = options.maxPayloadBytes ?? 10 * 1024 * 1024;
    this.shared = options.sharedWithPython ?? false;
    this.subscriptions = new Subscriptions(connections);
    this.pauses = new QueuePauses(connections, this.keys);
    this.dependencies = new Dependencies(connections, this.keys);
    this.workers = new WorkerRecords(connections, this.keys);
    this.limits = new LimitRecords(connections, this.keys);
    this.figures = new RedisFigures(connections, this.keys);
    this.schedules = new ScheduleRecords(connections, this.keys, this.subscriptions, this.shared);
    const { waitsForReplicas = true } = options;
    this.replicated = new ReplicatedReads(connections, this.keys, waitsForReplicas);
    this.groups = new GroupRecords(connections, this.keys, this.subscriptions, this.replicated);
    const calls = { shared: this.shared, waitsForReplicas };
    this.enqueuing = new EnqueueCalls(connections, this.keys, calls);
    hideFields(this, 'keys', 'maxPayloadBytes');
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly prefix: string; readonly maxPayloadBytes: number } {
    return { prefix: this.keys.prefix, maxPayloadBytes: this.maxPayloadBytes };
  }

  async enqueue(jobs: readonly NewJob[], mode: 'all' | 'each'): Promise<Refusal[]> {
    const queue = jobs[0]?.queue;
    if (queue === undefined) return [];
    const { refused, leftOver } = await this.enqueuing.send(queue, jobs, mode);
    this.figures.addEnqueued(jobs, refused);
    for (const parents of leftOver) await this.dependencies.goOn(parents);
    return refused;
  }

  onRoom(queue: string, listener: () => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.queue(queue).wake, roomHeard(listener));
  }

  get commandTimeout(): number {
    return this.connections.commandTimeout;
  }

  async exchange(queue: string, request: ExchangeRequest): Promise<ExchangeReply> {
    const { list } = this.keys.queue(queue);
    const values = encodeExchange(request, this.place(queue));
    const sentAt = performance.now();
    const reply = await this.run(`serve queue "${queue}"`, EXCHANGE, [list], values);
    const decoded = decodeExchange(queue, request, reply, (performance.now() - sentAt) / 2);
    if (decoded.leftOver) void this.dependencies.goOn(queue);
    const isAllWell = decoded.refused.length === 0 && decoded.failure === undefined;
    return isAllWell ? decoded : refusalsTold(decoded, this.connections);
  }

  async renew(queue: string, leaseMs: number, held: readonly Lease[]): Promise<RenewReply[]> {
    const { list } = this.keys.queue(queue);
    const replies: RenewReply[] = [];
    for (let first = 0; first < held.length; first += RENEWED_AT_ONCE) {
      const slice = held.slice(first, first + RENEWED_AT_ONCE);
      const values = encodeRenew(this.place(queue), leaseMs, slice);
      const reply = await this.connections.runRenewal(`renew leases on queue "${queue}"`, (redis) =>
        RENEW.run(redis, [list], values),
      );
      for (const { index, status } of decodeRenew(reply)) {
        replies.push({ index: first + index, status });
      }
    }
    return replies;
  }

  async recover(queue: string, settings: RecoverSettings): Promise<RecoverReply> {
    const { list } = this.keys.queue(queue);
    const newQueue = this.dependencies.newQueue();
    const values = encodeRecover(settings, this.place(queue), newQueue);
    const handled: RecoverReply['handled'][number][] = [];
    for (;;) {
      const reply = await this.run(`recover queue "${queue}"`, RECOVER, [list], values);
      const { more, queues, ...slice } = decodeRecover(queue, reply);
      this.dependencies.learn(queues);
      handled.push(...slice.handled);
      if (!more) return { ...slice, handled };
    }
  }

  async leasesOf(queue: string, token: string): Promise<Lease[]> {
    return leasesIn(this.connections, this.keys.queue(queue), token);
  }

  async read(id: string): Promise<JobRecord | undefined> {
    const reply = await this.connections.run(`read job "${id}"`, (redis) =>
      redis.callBuffer('HGETALL', this.keys.job(id)),
    );
    return decodeRecord(id, reply);
  }

  async watch(queue: string, id: string): Promise<JobRecord | undefined> {
    const keys = [this.keys.job(id), this.keys.queue(queue).watched];
    return decodeRecord(id, await this.run(`read job "${id}"`, WATCH, keys, encodeWatch(id)));
  }

  onSettled(queue: string, listener: (settled: Settled) => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.queue(queue).settled, (message) => {
      const settled = decodeSettled(message);
      if (settled) listener(settled);
    });
  }

  onEvent(queue: string, listener: (event: JobEvent) => void): Promise<() => void> {
    const { connections, subscriptions } = this;
    return listenToEvents(connections, subscriptions, this.keys.queue(queue), listener);
  }

  async tell(queue: string, lease: Lease, told: Told): Promise<boolean> {
    const { id } = lease;
    const keys = [this.keys.job(id), this.keys.log(id)];
    const values = encodeTell(this.keys, queue, lease, told);
    const reply = await this.connections.run(`write down what job "${id}" tells`, (redis) =>
      TELL.runInOrder(redis, keys, values),
    );
    return reply === 1;
  }

  onWake(queue: string, listener: (due: number | undefined) => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.queue(queue).wake, wakeHeard(listener));
  }

  async onCommand(worker: string, listener: (message: string) => void): Promise<() => void> {
    const channels = [this.keys.commands(worker), this.keys.sharedCommands(worker)];
    const stops: (() => void)[] = [];
    for (const channel of channels) stops.push(await this.subscriptions.listen(channel, listener));
    return () => stops.forEach((stop) => stop());
  }

  async audit(role: Role): Promise<string[]> {
    const { connections, keys } = this;
    const findings = await auditServer(connections, rightsOf(role, keys));
    const others = await layoutFindings(connections, 'cluster', [keys.hashTags]);
    return warningsOf([...findings, ...others]);
  }

  leaseGuard(queues: readonly string[], token: string, leaseMs: number): LeaseGuard {
    return new LeaseGuard([this.guardedLeases(queues, token, leaseMs)], leaseMs);
  }

  /** What a guard does for the leases that are here. */
  guardedLeases(queues: readonly string[], token: string, leaseMs: number): GuardedLeases {
    const registries = queues.map((queue) => this.keys.queue(queue).started);
    const { connections: access } = this;
    return { access, queues, script: extend(registries, token, leaseMs, access.layout) };
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

  queuesOf(ids: readonly string[]): Promise<(string | undefined)[]> {
    return this.dependencies.queuesOf(ids);
  }

  dependents(id: string): Promise<readonly DependentJob[]> {
    return this.dependencies.dependents(id);
  }

  handedResults(id: string, parentIds: readonly string[]): Promise<HandedResult[]> {
    return this.dependencies.handedResults(id, parentIds);
  }

  async logs(id: string, { offset, limit }: ListRange): Promise<string[]> {
    if (limit === 0) return [];
    return this.connections.run(`read the log of job "${id}"`, (redis) =>
      redis.lrange(this.keys.log(id), offset, offset + limit - 1),
    );
  }

  async control(queue: string, id: string, action: ControlAction): Promise<ControlReply> {
    return replyOfOne(
      await this.controlSlice(queue, action, { ids: [id] }, `${action.type} job "${id}"`),
    );
  }

  async controlMany(
    queue: string,
    selection: readonly string[] | SelectedPlace,
    action: ControlAction,
    pace?: ControlPace,
  ): Promise<ControlReport> {
    const what = `${action.type} jobs of queue "${queue}"`;
    const takesOut = action.type === 'cancel' || action.type === 'delete';
    const many = (list: string) => {
      const readQueue = (first: number, last: number) =>
        this.connections.run(what, (redis) => redis.lrange(list, first, last));
      return new ControlMany(
        (slice) => this.controlSlice(queue, action, slice, what, list),
        takesOut ? readQueue : undefined,
        pace,
      );
    };
    const { list } = this.keys.queue(queue);
    if (!('in' in selection)) return many(list).ids(selection);
    // Only the text of a row says why a job failed.
    if (asksForFailure(selection)) return many(list).ids(await idsOf(this, queue, selection));
    if (selection.in !== 'queued') return many(list).place(selection);
    const lists = await linesOf(this.connections, this.keys.queue(queue));
    return inTurn(selection, lists, (one, line) => many(line).place(one));
  }

  async position(queue: string, id: string): Promise<number | undefined> {
    const keys = this.keys.queue(queue);
    return (
      (await positionOf(this.connections, keys, id)) ??
      placeInLane(this.connections, this.keys, queue, id)
    );
  }

  queues(): Promise<string[]> {
    return queueNames(this.connections, this.keys);
  }

  counts(queue: string): Promise<RegistryCounts> {
    return this.figures.counts(queue);
  }

  list(queue: string, registry: RegistryName, range: ListRange): Promise<JobSummary[]> {
    return rowsOf(this, queue, registry, range);
  }

  page(queue: string, registry: RegistryName, range: ListRange): Promise<ListPage> {
    return readPage(this.connections, this.keys, queue, registry, range);
  }

  undelete(queue: string, operation: string): Promise<Undeleted> {
    return undelete(this.connections, this.keys, queue, operation);
  }

  async empty(queue: string): Promise<number> {
    const { list } = this.keys.queue(queue);
    const values = encodeEmpty(this.keys, queue);
    let deleted = 0;
    for (;;) {
      const slice = decodeEmpty(await this.run(`empty queue "${queue}"`, EMPTY, [list], values));
      if (slice.leftOver) await this.dependencies.goOn(queue);
      deleted += slice.deleted;
      if (slice.deleted < EMPTIED_AT_ONCE) return deleted;
    }
  }

  pause(queue: string): Promise<void> {
    return this.pauses.pause(queue);
  }

  resume(queue: string): Promise<void> {
    return this.pauses.resume(queue);
  }

  isPaused(queue: string): Promise<boolean> {
    return this.pauses.isPaused(queue);
  }

  private place(queue: string): ExchangePlace & Pick<WorkerStore, 'maxPayloadBytes'> {
    const { keys: keyspace, shared, dependencies: signs, maxPayloadBytes } = this;
    return { keyspace, queue, shared, signs, maxPayloadBytes };
  }

  private async controlSlice(
    queue: string,
    action: ControlAction,
    slice: ControlSlice,
    what: string,
    list = this.keys.queue(queue).list,
  ): Promise<ControlSliceReply> {
    const values = encodeControl(this.keys, queue, action, slice);
    const reply = decodeControl(await this.run(what, CONTROL, [list], values));
    if (reply.leftOver) await this.dependencies.goOn(queue);
    return reply;
  }

  private run(
    action: string,
    script: Script,
    keys: readonly string[],
    values: readonly ScriptValue[],
  ): Promise<unknown> {
    return this.connections.run(action, (redis) => script.run(redis, keys, values));
  }
}
