import {
  type Finding,
  InvalidOptionError,
  type JobEvent,
  ShortForm,
  hideFields,
} from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import type { BlockingPop } from '../redis/blocking-pop.js';
import { ClusterConnections } from '../redis/cluster-connections.js';
import type { Connections } from '../redis/connections.js';
import { LeaseGuard } from '../redis/lease-guard.js';
import { auditServer, layoutFindings, warningsOf } from '../redis/server-audit.js';
import type { JobRecord, ResultEntry } from '../wire/job-record.js';
import type { JobSummary } from '../wire/job-row.js';
import { Keyspace } from '../wire/keyspace.js';
import type { Settled } from '../wire/settled-message.js';
import { ClusterFigures } from './cluster-figures.js';
import { ClusterSchedules } from './cluster-schedules.js';
import { ClusterWorkers } from './cluster-workers.js';
import type { GroupStore } from './group-store.js';
import { HashTags } from './hash-tags.js';
import type {
  ControlAction,
  ControlPace,
  ControlReply,
  ControlReport,
  DependentJob,
  ExchangeReply,
  ExchangeRequest,
  HandedResult,
  Lease,
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
import type { LimitStore } from './limit-store.js';
import type { ReplicatedStore } from './replicated-store.js';
import type { RedisJobStoreOptions } from './redis-job-store-options.js';
import { type Role, rightsOf } from './rights.js';
import { TagStore, type Whole } from './tag-store.js';
import type { ListPage, ListRange, RegistryCounts, RegistryName } from './watcher-store.js';

/**
 * The store in the cluster layout: a store for each hash tag, and what is asked of all of them. One call changes the jobs
 * of one tag. Whoever knows the queue asks its store (`forQueue`); a job of which only the id is known is looked for
 * everywhere.
 */
export class ClusterJobStore extends ShortForm implements WorkerStore, Whole {
  readonly keys: Keyspace;
  readonly maxPayloadBytes: number;
  readonly hashTags: HashTags;
  readonly workers: ClusterWorkers;
  readonly schedules: ClusterSchedules;
  readonly figures: ClusterFigures;
  readonly limits: LimitStore;
  readonly replicated: ReplicatedStore;
  private readonly stores = new Map<string, TagStore>();
  private readonly options: RedisJobStoreOptions & { readonly prefix: string };

  /**
   * @param connections to a cluster, or to one server (with `layout: 'cluster'`)
   * @throws InvalidOptionError
   */
  constructor(
    readonly connections: ClusterConnections | Connections,
    { hashTagOf = () => undefined, ...options }: ClusterJobStoreOptions = {},
  ) {
    super();
    const { prefix = 'rq:' } = options;
    const refuse = (option: string, problem: string): never => {
      throw new InvalidOptionError({ option, problem, where: 'the cluster layout' });
    };
    if (/[{}]/.test(prefix)) refuse('prefix', "must not contain '{' or '}', which mark hash tags");
    if (options.sharedWithPython) {
      refuse(
        'sharedWithPython',
        'cannot be true: Python knows the names of the shared layout only',
      );
    }
    this.options = { ...options, prefix };
    this.keys = new Keyspace(prefix, connections.database);
    this.maxPayloadBytes = options.maxPayloadBytes ?? 10 * 1024 * 1024;
    const access = this.accessTo(this.keys.hashTags);
    this.hashTags = new HashTags(access, this.keys, hashTagOf);
    access.watch((what) => what === 'ready' && this.hashTags.forget());
    this.workers = new ClusterWorkers(this);
    this.schedules = new ClusterSchedules(this);
    this.figures = new ClusterFigures(this);
    this.limits = {
      declare: (queue, ...rest) => this.forQueue(queue).limits.declare(queue, ...rest),
      set: (queue, ...rest) => this.forQueue(queue).limits.set(queue, ...rest),
      mayStart: (queue) => this.forQueue(queue).limits.mayStart(queue),
      read: (queue) => this.forQueue(queue).limits.read(queue),
      lanes: (queue, range) => this.forQueue(queue).limits.lanes(queue, range),
      uses: (queue, targets) => this.forQueue(queue).limits.uses(queue, targets),
      wait: (queue, id) => this.forQueue(queue).limits.wait(queue, id),
    };
    this.replicated = {
      job: (queue, ...rest) => this.forQueue(queue).replicated.job(queue, ...rest),
      haveCalls: (queue, ...rest) => this.forQueue(queue).replicated.haveCalls(queue, ...rest),
    };
    hideFields(this, 'keys', 'maxPayloadBytes');
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly prefix: string; readonly maxPayloadBytes: number } {
    return { prefix: this.keys.prefix, maxPayloadBytes: this.maxPayloadBytes };
  }

  /** The store of a queue, and of all that have its hash tag. @throws InvalidOptionError */
  forQueue(queue: string): TagStore {
    return this.ofTag(this.hashTags.of(queue));
  }

  /** The stores of these queues, each once, with those of the queues that are there. */
  byStore(queues: readonly string[]): Map<TagStore, string[]> {
    const found = new Map<TagStore, string[]>();
    for (const queue of queues) {
      const store = this.forQueue(queue);
      const own = found.get(store);
      if (own) own.push(queue);
      else found.set(store, [queue]);
    }
    return found;
  }

  /** The stores of all tags that anybody uses. @throws RqConnectionError */
  async all(): Promise<readonly TagStore[]> {
    const tags = await this.hashTags.all();
    return [...new Set(tags.values())].map((tag) => this.ofTag(tag));
  }

  /** Groups are of one hash tag. @throws InvalidOptionError */
  get groups(): GroupStore {
    const problem = 'belongs to a queue in the cluster layout: use queue.group(name)';
    throw new InvalidOptionError({ option: 'group', problem });
  }

  get commandTimeout(): number {
    return this.connections.commandTimeout;
  }

  /** @throws InvalidOptionError when the jobs are of several hash tags: one step cannot store them */
  enqueue(jobs: readonly NewJob[], mode: 'all' | 'each'): Promise<Refusal[]> {
    const [first] = jobs;
    if (!first) return Promise.resolve([]);
    const tag = this.hashTags.of(first.queue);
    const other = jobs.find(({ queue }) => this.hashTags.of(queue) !== tag);
    if (other) throw differentTags(first.queue, other.queue);
    return this.ofTag(tag).enqueue(jobs, mode);
  }

  onRoom(queue: string, listener: () => void): Promise<() => void> {
    return this.forQueue(queue).onRoom(queue, listener);
  }

  exchange(queue: string, request: ExchangeRequest): Promise<ExchangeReply> {
    return this.forQueue(queue).exchange(queue, request);
  }

  renew(queue: string, leaseMs: number, leases: readonly Lease[]): Promise<RenewReply[]> {
    return this.forQueue(queue).renew(queue, leaseMs, leases);
  }

  recover(queue: string, settings: RecoverSettings): Promise<RecoverReply> {
    return this.forQueue(queue).recover(queue, settings);
  }

  leasesOf(queue: string, token: string): Promise<Lease[]> {
    return this.forQueue(queue).leasesOf(queue, token);
  }

  leaseGuard(queues: readonly string[], token: string, leaseMs: number): LeaseGuard {
    const leases = [...this.byStore(queues)].map(([store, own]) =>
      store.guardedLeases(own, token, leaseMs),
    );
    return new LeaseGuard(leases, leaseMs);
  }

  tell(queue: string, lease: Lease, told: Told): Promise<boolean> {
    return this.forQueue(queue).tell(queue, lease, told);
  }

  blockingPop(queue: string): BlockingPop {
    return this.forQueue(queue).blockingPop(queue);
  }

  onWake(queue: string, listener: (due: number | undefined) => void): Promise<() => void> {
    return this.forQueue(queue).onWake(queue, listener);
  }

  /** Those who send commands do so from the tag of one of the worker's queues. */
  async onCommand(
    worker: string,
    listener: (message: string) => void,
    queues: readonly string[] = [],
  ): Promise<() => void> {
    const stops: (() => void)[] = [];
    for (const store of this.byStore(queues).keys()) {
      stops.push(await store.onCommand(worker, listener));
    }
    return () => stops.forEach((stop) => stop());
  }

  onReady(listener: () => void): () => void {
    return this.connections.watch((what) => {
      if (what === 'ready') listener();
    });
  }

  async audit(role: Role): Promise<string[]> {
    return warningsOf(await this.findings(role));
  }

  /** What is wrong with the nodes, with our rights there, or with the layout of the data. */
  async findings(role: Role): Promise<Finding[]> {
    const { connections, keys } = this;
    const isCluster = connections instanceof ClusterConnections;
    const nodes = isCluster ? connections.masters() : [connections];
    const ofTags = rightsOf(role, keys.ofTag('*'), 'cluster');
    const commands = isCluster ? [...ofTags.commands, 'cluster|slots'] : ofTags.commands;
    const needed = { ...ofTags, commands, keys: [...ofTags.keys, keys.hashTags] };
    // Nodes that come later are asked for the same.
    connections.rights.note(needed);
    const findings = await Promise.all(nodes.map((node) => auditServer(node, needed, isCluster)));
    const others = await Promise.all(
      [keys.queues, keys.workers].map((mark) =>
        layoutFindings(this.accessTo(mark), 'shared', [mark]),
      ),
    );
    const all = [...findings.flat(), ...others.flat().slice(0, 1)];
    // What is wrong with all nodes is said once.
    return [...new Map(all.map((one) => [one.sentence, one])).values()];
  }

  async read(id: string): Promise<JobRecord | undefined> {
    return (await this.home(id))?.read(id);
  }

  watch(queue: string, id: string): Promise<JobRecord | undefined> {
    return this.forQueue(queue).watch(queue, id);
  }

  onSettled(queue: string, listener: (settled: Settled) => void): Promise<() => void> {
    return this.forQueue(queue).onSettled(queue, listener);
  }

  onEvent(queue: string, listener: (event: JobEvent) => void): Promise<() => void> {
    return this.forQueue(queue).onEvent(queue, listener);
  }

  async results(id: string): Promise<ResultEntry[]> {
    return (await this.home(id))?.results(id) ?? [];
  }

  async queuesOf(ids: readonly string[]): Promise<(string | undefined)[]> {
    const found = await Promise.all((await this.all()).map((store) => store.queuesOf(ids)));
    return ids.map((_id, index) => found.find((queues) => queues[index])?.[index]);
  }

  async dependents(id: string): Promise<readonly DependentJob[]> {
    return (await this.home(id))?.dependents(id) ?? [];
  }

  async handedResults(id: string, parentIds: readonly string[]): Promise<HandedResult[]> {
    const store = await this.home(id);
    return store ? store.handedResults(id, parentIds) : parentIds.map(() => undefined);
  }

  async logs(id: string, range: ListRange): Promise<string[]> {
    return (await this.home(id))?.logs(id, range) ?? [];
  }

  position(queue: string, id: string): Promise<number | undefined> {
    return this.forQueue(queue).position(queue, id);
  }

  control(queue: string, id: string, action: ControlAction): Promise<ControlReply> {
    return this.forQueue(queue).control(queue, id, action);
  }

  controlMany(
    queue: string,
    selection: readonly string[] | SelectedPlace,
    action: ControlAction,
    pace?: ControlPace,
  ): Promise<ControlReport> {
    return this.forQueue(queue).controlMany(queue, selection, action, pace);
  }

  async queues(): Promise<string[]> {
    const found = await Promise.all((await this.all()).map((store) => store.queues()));
    return [...new Set(found.flat())].toSorted();
  }

  counts(queue: string): Promise<RegistryCounts> {
    return this.forQueue(queue).counts(queue);
  }

  list(queue: string, registry: RegistryName, range: ListRange): Promise<JobSummary[]> {
    return this.forQueue(queue).list(queue, registry, range);
  }

  page(queue: string, registry: RegistryName, range: ListRange): Promise<ListPage> {
    return this.forQueue(queue).page(queue, registry, range);
  }

  empty(queue: string): Promise<number> {
    return this.forQueue(queue).empty(queue);
  }

  pause(queue: string): Promise<void> {
    return this.forQueue(queue).pause(queue);
  }

  resume(queue: string): Promise<void> {
    return this.forQueue(queue).resume(queue);
  }

  undelete(queue: string, operation: string): Promise<Undeleted> {
    return this.forQueue(queue).undelete(queue, operation);
  }

  isPaused(queue: string): Promise<boolean> {
    return this.forQueue(queue).isPaused(queue);
  }

  /** Stores that were used so far. */
  get used(): Iterable<TagStore> {
    return this.stores.values();
  }

  private ofTag(tag: string): TagStore {
    let store = this.stores.get(tag);
    if (!store) {
      const access = this.accessTo(this.keys.ofTag(tag).queues);
      store = new TagStore(tag, access, this.options, this);
      this.stores.set(tag, store);
    }
    return store;
  }

  /** The way to a key that belongs to no queue. */
  accessTo(key: string): RedisAccess {
    const { connections } = this;
    return connections instanceof ClusterConnections ? connections.access(key) : connections;
  }

  /** The store that has a job; undefined: there is no such job. */
  private async home(id: string): Promise<TagStore | undefined> {
    const stores = await this.all();
    const found = await Promise.all(stores.map((store) => store.queuesOf([id])));
    return stores.find((_store, index) => found[index]?.[0] !== undefined);
  }
}

export interface ClusterJobStoreOptions extends RedisJobStoreOptions {
  /** The hash tag of a queue; default its name. Queues with the same tag are on the same node. */
  readonly hashTagOf?: (queue: string) => string | undefined;
}

/** Jobs of one call, or jobs that wait for each other, are of queues with different hash tags. */
export function differentTags(one: string, other: string, where?: string): InvalidOptionError {
  const problem =
    `are of the queues "${one}" and "${other}", which may be on different nodes of a cluster, and one step ` +
    'cannot store both: give both queues the same hashTag in registerQueue';
  return new InvalidOptionError({ option: 'jobs', problem, where });
}
