import type { Finding } from '../job/index.js';
import { ClusterConnections } from '../redis/cluster-connections.js';
import type { Tier } from '../wire/figures.js';
import type { ClusterJobStore } from './cluster-job-store.js';
import { AlertRecords } from './alert-records.js';
import { ClusterDesk } from './cluster-desk.js';
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
import { RedisFigures } from './redis-figures.js';
import { largestOf } from './scan-jobs.js';
import type { RegistryCounts } from './watcher-store.js';

/** Figures of all hash tags: a call for each tag, side by side, and what they say together. */
export class ClusterFigures implements FigureStore {
  readonly alerts: AlertRecords;
  readonly desk: ClusterDesk;

  constructor(private readonly whole: ClusterJobStore) {
    const keys = whole.keys.ofTag(OF_NO_QUEUE);
    this.alerts = new AlertRecords(whole.accessTo(keys.alerts), keys);
    this.desk = new ClusterDesk(whole, OF_NO_QUEUE);
  }

  get enqueued(): ReadonlyMap<string, number> {
    return new Map([...this.whole.used].flatMap(({ figures }) => [...figures.enqueued]));
  }

  findings(): Promise<Finding[]> {
    return this.whole.findings('worker');
  }

  leftovers(queue: string): Promise<Leftovers> {
    return this.whole.forQueue(queue).figures.leftovers(queue);
  }

  async scan(most: number): Promise<ScannedJobs> {
    const stores = await this.whole.all();
    const each = Math.ceil(most / Math.max(stores.length, 1));
    const found = await Promise.all(stores.map(({ figures }) => figures.scan(each)));
    return {
      forgotten: found.flatMap(({ forgotten }) => forgotten),
      largest: largestOf(found.flatMap(({ largest }) => largest)),
    };
  }

  /** A group has jobs of one tag. */
  async circles(queues: readonly string[], most: number): Promise<readonly WaitCircle[]> {
    const byStore = [...this.whole.byStore(queues)];
    const found = await Promise.all(
      byStore.map(([store, own]) => store.figures.circles(own, most)),
    );
    return found.flat();
  }

  counts(queue: string): Promise<RegistryCounts> {
    return this.whole.counts(queue);
  }

  async overview(queues: readonly string[]): Promise<QueueState[]> {
    const byStore = [...this.whole.byStore(queues)];
    const found = await Promise.all(byStore.map(([store, own]) => store.figures.overview(own)));
    const states = new Map(found.flat().map((state) => [state.queue, state]));
    return queues.flatMap((queue) => states.get(queue) ?? []);
  }

  /** A worker shows itself in each tag of its queues. */
  async workers(): Promise<WorkerState[]> {
    const stores = await this.whole.all();
    const found = await Promise.all(stores.map((store) => store.figures.workers()));
    const byName = new Map<string, WorkerState>();
    for (const worker of found.flat()) {
      const known = byName.get(worker.name);
      byName.set(worker.name, known ? together(known, worker) : worker);
    }
    return [...byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  buckets(queue: string, tier: Tier, since: Date): Promise<Bucket[]> {
    return this.whole.forQueue(queue).figures.buckets(queue, tier, since);
  }

  async view(): Promise<void> {
    await Promise.all((await this.whole.all()).map((store) => store.figures.view()));
  }

  async now(): Promise<Date> {
    const [first] = await this.whole.all();
    return (first?.figures ?? this.nodes()[0] ?? this.whole.forQueue('any').figures).now();
  }

  /** Of several nodes the one that has the most data, with the replicas of the one that has the fewest. */
  async server(): Promise<ServerState> {
    const states = await Promise.all(this.nodes().map((node) => node.server()));
    const [fullest] = states.toSorted(
      (one, other) => (other.usedMemory ?? 0) - (one.usedMemory ?? 0),
    );
    if (!fullest) return this.whole.forQueue('any').figures.server();
    const replicas = states.flatMap((state) => state.replicas ?? []);
    return { ...fullest, replicas: replicas.length > 0 ? Math.min(...replicas) : undefined };
  }

  private nodes(): RedisFigures[] {
    const { connections, keys } = this.whole;
    const nodes = connections instanceof ClusterConnections ? connections.masters() : [connections];
    return nodes.map((node) => new RedisFigures(node, keys));
  }
}

/** The hash tag of alerts and of what operators share, which are about all queues. */
const OF_NO_QUEUE = 'nrq:all';

/** The same worker as two tags show it: newer of the two, with the queues of both. */
function together(one: WorkerState, other: WorkerState): WorkerState {
  const isOlder = (one.silentMs ?? Infinity) > (other.silentMs ?? Infinity);
  const newest = isOlder ? other : one;
  const queues = [...new Set([...one.queues, ...other.queues])];
  const isSaid = one.queueSlots && other.queueSlots;
  const queueSlots = isSaid ? { ...one.queueSlots, ...other.queueSlots } : undefined;
  return { ...newest, queues, queueSlots };
}
