import type { JobStatus } from '../job/index.js';
import type { BlockingPop } from '../redis/blocking-pop.js';
import { type Connections } from '../redis/index.js';
import {
  type ExchangeReply,
  type ExchangeRequest,
  type NewJob,
  type Refusal,
  RedisJobStore,
  type RedisJobStoreOptions,
  type SettleRequest,
} from '../store/index.js';
import type { HeldResults } from './held-results.js';
import { QuietPop } from './quiet-pop.js';
import type { RunControl } from './run-control.js';
import { type JobRecord, gatheringNothing } from '../wire/index.js';

/**
 * The store of an application under test. It is the real one, with the real scripts; the kit decides when it hands out
 * jobs. Its worker claims jobs only while the control is open, and looks when it is woken from here.
 */
export class ControlledStore extends RedisJobStore {
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly pops = new Map<string, QuietPop>();

  /**
   * @param onEnqueued called when jobs are stored; whoever enqueued them waits for it
   * @param held tells those who wait for results what the test has to do
   */
  constructor(
    connections: Connections,
    options: RedisJobStoreOptions,
    private readonly runs: RunControl,
    private readonly onEnqueued: (count: number) => Promise<void>,
    private readonly held: HeldResults,
  ) {
    // The embedded server has no replicas.
    super(connections, { ...options, waitsForReplicas: false });
    const { limits } = this;
    const declare = limits.declare.bind(limits);
    // Jobs of a batch gather while nothing runs: a drain takes what is there.
    limits.declare = (queue, declaration, isAgain) => {
      const gates = [...declaration.gates].map(
        ([name, gate]) => [name, gatheringNothing(gate)] as const,
      );
      return declare(queue, { ...declaration, gates: new Map(gates) }, isAgain);
    };
  }

  /** The queues that this application's worker serves; none before it has started and when it has stopped. */
  get served(): string[] {
    return [...this.listeners.keys()];
  }

  /** Has the worker look at a queue now. */
  wake(queue: string): void {
    if (this.pops.get(queue)?.wake()) return;
    for (const look of this.listeners.get(queue) ?? []) look();
  }

  /** Deletes all that is in Redis but for what the application's worker has said of limits when it started. */
  async clear(): Promise<void> {
    await this.connections.run('empty the embedded Redis', async (redis) => {
      const flags = this.served.map((queue) => this.keys.queue(queue).flags);
      const before = await Promise.all(flags.map((key) => redis.hgetall(key)));
      await redis.flushall();
      for (const [index, key] of flags.entries()) {
        const declared = Object.entries(before[index] ?? {}).filter(
          ([field, text]) => field === 'q' || (field.startsWith('g:') && text.endsWith(' d')),
        );
        if (declared.length > 0) await redis.hset(key, Object.fromEntries(declared));
      }
    });
  }

  override async enqueue(jobs: readonly NewJob[], mode: 'all' | 'each'): Promise<Refusal[]> {
    const refusals = await this.runs.during(super.enqueue(jobs, mode));
    this.runs.changed();
    if (this.runs.isOpen)
      for (const queue of new Set(jobs.map((job) => job.queue))) this.wake(queue);
    await this.onEnqueued(jobs.length);
    return refusals;
  }

  override async exchange(queue: string, request: ExchangeRequest): Promise<ExchangeReply> {
    const isHeld = !this.runs.isOpen;
    const allowed = isHeld ? { ...request, want: 0 } : request;
    const reply = await this.runs.during(super.exchange(queue, allowed));
    this.note(request.outcomes, reply);
    return isHeld ? { ...reply, paused: true } : reply;
  }

  override async watch(queue: string, id: string): Promise<JobRecord | undefined> {
    const record = await super.watch(queue, id);
    if (record) this.held.looked(id, record.status);
    return record;
  }

  adviceForLateResult(status: JobStatus): string | undefined {
    return this.held.adviceFor(status);
  }

  override async onWake(
    queue: string,
    listener: (due: number | undefined) => void,
  ): Promise<() => void> {
    const stop = await super.onWake(queue, listener);
    const look = () => listener(undefined);
    const listeners = this.listeners.get(queue) ?? new Set();
    this.listeners.set(queue, listeners.add(look));
    return () => {
      listeners.delete(look);
      if (listeners.size === 0) this.listeners.delete(queue);
      stop();
    };
  }

  override blockingPop(queue: string): BlockingPop {
    const pop = new QuietPop(this.connections, this.keys.queue(queue));
    this.pops.set(queue, pop);
    return pop;
  }

  private note(outcomes: readonly SettleRequest[], reply: ExchangeReply): void {
    const { totals } = this.runs;
    const refused = new Set(reply.refused.map(({ index }) => index));
    for (const [index, { outcome }] of outcomes.entries()) {
      if (refused.has(index) || outcome.type === 'released' || outcome.type === 'sorted') continue;
      totals[COUNTED_AS[outcome.type]] += 1;
    }
    if (outcomes.length > 0 || reply.claimed.length > 0) this.runs.changed();
  }
}

const COUNTED_AS = {
  finished: 'finished',
  repeating: 'finished',
  failed: 'failed',
  retrying: 'retrying',
  snoozed: 'snoozed',
  canceled: 'canceled',
  stopped: 'canceled',
} as const;
