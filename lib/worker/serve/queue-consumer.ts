import { RqConnectionError } from '../../job/index.js';
import { ClaimedJob } from '../../wire/index.js';
import { type ExchangeReply, type Lease, type WorkerStore } from '../../store/index.js';
import { PrefetchedJobs } from './prefetched-jobs.js';
import { PendingEvents } from '../report/pending-events.js';
import type { JobReporter } from '../report/job-reporter.js';
import type { JobRunner, RunEnd } from '../run/job-runner.js';
import { Quarantine } from './quarantine.js';
import { OutcomeQueue, type SentOutcomes } from './outcome-queue.js';
import type { Prefetch } from './prefetch.js';
import { QueueWaiter } from './queue-waiter.js';
import type { SlotUser, Slots } from './slots.js';

/**
 * Serves one queue. Outcomes and free slots that come up in one turn of the event loop go to Redis in one `exchange`,
 * which answers with new jobs; at most two are under way, so that Redis works on one while the other travels. When the
 * queue is empty it waits (see QueueWaiter); nothing polls.
 */
export class QueueConsumer implements SlotUser {
  private readonly waiter: QueueWaiter;
  private readonly ahead = new PrefetchedJobs(
    (jobs) => this.outcomes.giveBack(jobs),
    () => this.claimsInFlight === 0,
  );
  private readonly outcomes: OutcomeQueue;
  private readonly suspects: Quarantine;
  readonly events = new PendingEvents(() => this.poke());
  /** False when the last look found the queue empty and nothing has come since. */
  private mayHoldMore = true;
  private woken: string[] = [];
  private inFlight = 0;
  private aheadInFlight = 0;
  /** Exchanges under way that may bring jobs. */
  private claimsInFlight = 0;
  private freed = 0;
  private failures = 0;
  private nextExecution = 0;
  private isClaiming = false;
  private isPaused = false;
  private isFilling = false;
  private isFlushPlanned = false;
  private isLookDue = false;
  private isClosed = false;
  private isSearching = false;
  private mayHoldOrphans = false;
  private backOff: NodeJS.Timeout | undefined;
  private onSettled: (() => void)[] = [];

  constructor(
    readonly queue: string,
    readonly concurrency: number,
    readonly weight: number,
    private readonly settings: ConsumerSettings,
  ) {
    this.outcomes = new OutcomeQueue(settings.reporter, () => this.poke());
    this.suspects = new Quarantine(settings.maxCrashes, (job) => this.leases().includes(job));
    this.waiter = new QueueWaiter(queue, settings.store, {
      job: (id) => {
        this.woken.push(id);
        this.mayHoldMore = true;
        this.flush();
      },
      look: () => this.look(),
    });
  }

  /** There may be jobs to take here: other queues that share its slots let it go first. */
  get mayHaveJobs(): boolean {
    return this.mayHoldMore && this.isClaiming && !this.isPaused && !this.backOff;
  }

  /** Nothing may be claimed: the queue is paused, or all workers are suspended. */
  get isHeldUp(): boolean {
    return this.isPaused;
  }

  async start(): Promise<void> {
    await this.waiter.start();
    this.isClaiming = true;
    this.poke();
  }

  /** Takes no more jobs; what was claimed ahead goes back. Resolves when nothing more can come in. */
  async stopClaiming(): Promise<void> {
    this.isClaiming = false;
    this.returnUnstarted();
    await this.waiter.stop();
    this.poke();
  }

  /** Resolves when every outcome is with Redis and every answer is back. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    this.poke();
    return new Promise((resolve) => this.onSettled.push(resolve));
  }

  close(): void {
    this.isClaiming = false;
    this.isClosed = true;
    clearTimeout(this.backOff);
    this.ahead.close();
    this.waiter.close();
  }

  /** Takes out a job that was claimed ahead and must not be started, if it is here. */
  takeAhead(matches: (job: ClaimedJob) => boolean): ClaimedJob | undefined {
    return this.ahead.remove(matches);
  }

  /** Everything that holds a lease of ours. */
  leases(): Lease[] {
    return [...this.settings.runner.held(), ...this.ahead, ...this.outcomes.jobs()];
  }

  /** Plans an exchange for the end of this turn of the event loop. */
  poke(): void {
    if (this.isFlushPlanned) return;
    this.isFlushPlanned = true;
    setImmediate(() => {
      this.isFlushPlanned = false;
      this.flush();
    });
  }

  /** Without a blocking read, a job may come that this consumer does not hear of. */
  slotsTaken(): void {
    if (!this.waiter.isWaiting) this.mayHoldMore = true;
  }

  /** A scheduled job is due in so many milliseconds. */
  dueIn(milliseconds: number): void {
    this.waiter.lookIn(milliseconds);
  }

  /** Something may have become due, or the queue was resumed. */
  look(): void {
    this.isLookDue = true;
    this.isPaused = false;
    this.flush();
  }

  /** Redis is back after a failure: do not wait any longer, and not on a link that may be as dead as the other was. */
  reconnected(): void {
    if (this.backOff) this.tryAgain();
    this.waiter.reconnected();
  }

  /** A run has ended: its outcome is to be settled, its slot is free. */
  ended({ claimed, name, verdict, startedAt, duration, holdsSlot, reason }: RunEnd): void {
    if (verdict) {
      const endedAt = Date.now();
      this.outcomes.add({ job: claimed, name, verdict, startedAt, endedAt, reason });
    }
    if (duration !== undefined) this.settings.prefetch.ran(duration);
    if (holdsSlot) {
      this.freed += 1;
      this.fill();
    }
    this.poke();
  }

  /** Gives back what was claimed and not started, in its order: when no more of it can come. */
  private returnUnstarted(): void {
    if (this.isClaiming || this.claimsInFlight > 0) return;
    this.outcomes.giveBack([...this.settings.runner.takeWaiting(), ...this.ahead.takeAll()]);
  }

  private get isSettled(): boolean {
    return this.outcomes.isEmpty && this.woken.length === 0 && this.inFlight === 0;
  }

  /** Starts what was claimed ahead in the slots that became free, and gives back the slots that are left. */
  private fill(): void {
    // A handler that ends at once comes back here while the loop is still running.
    if (this.isFilling) return;
    this.isFilling = true;
    while (this.freed > 0) {
      const next = this.isClaiming ? this.ahead.shift() : undefined;
      if (!next) break;
      if (this.settings.runner.start(next)) this.freed -= 1;
    }
    this.isFilling = false;
    const count = this.freed;
    this.freed = 0;
    if (count > 0) this.settings.slots.release(this, count);
  }

  private flush(): void {
    if (this.inFlight >= 2 || this.backOff || this.isSearching || this.isClosed) return;
    const { slots } = this.settings;
    const settled = this.outcomes.take(SETTLED_AT_ONCE);
    const woken = this.woken.splice(0);
    const hasMore = this.isLookDue || !this.events.isEmpty;
    const asksAnyway = settled.outcomes.length > 0 || woken.length > 0 || hasMore;
    const { reserved, ahead } = this.claimable(asksAnyway);
    if (!asksAnyway && reserved === 0) {
      this.waitForJobs();
      return;
    }
    this.isLookDue = false;
    this.exchange({ settled, woken, reserved, ahead }).catch((error: unknown) => {
      this.settings.reporter.problem(this.trouble, error);
    });
    // A second one may follow: it travels while Redis works on the first.
    if (this.outcomes.hasMore || (this.mayHaveJobs && slots.free(this) > 0)) this.poke();
  }

  /** How many jobs to ask for, into free slots and ahead of them. */
  private claimable(asksAnyway: boolean): { reserved: number; ahead: number } {
    const { slots, prefetch } = this.settings;
    const mayAsk = this.isClaiming && !this.isPaused && (this.mayHoldMore || asksAnyway);
    if (!mayAsk) return { reserved: 0, ahead: 0 };
    // The job that a blocking read may bring needs a slot, too; at concurrency 1 this also keeps the order.
    const kept = this.waiter.isWaiting ? 1 : 0;
    // Half of the slots at once: while the jobs of one half run, those of the other travel.
    const half = Math.min(CLAIMED_AT_ONCE, Math.ceil(this.concurrency / 2));
    const reserved = slots.reserve(this, Math.min(slots.free(this) - kept, half));
    const asksAhead = this.mayHaveJobs && !this.ahead.isStalled;
    if (!asksAhead || !(reserved > 0 || asksAnyway)) return { reserved, ahead: 0 };
    return {
      reserved,
      ahead: Math.max(
        0,
        Math.min(
          prefetch.ahead - this.ahead.length - this.aheadInFlight,
          CLAIMED_AT_ONCE - reserved,
        ),
      ),
    };
  }

  private async exchange(sent: Sent): Promise<void> {
    const { store, lease, workerName, token, prefetch, reporter } = this.settings;
    const { settled, woken } = sent;
    const want = sent.reserved + sent.ahead;
    const nextExecution = this.nextExecution;
    this.nextExecution += want;
    this.inFlight += 1;
    this.aheadInFlight += sent.ahead;
    if (want > 0) this.claimsInFlight += 1;
    const suspects = this.suspects.ask();
    const sentAt = performance.now();
    let reply: ExchangeReply | undefined;
    let error: unknown;
    try {
      reply = await store.exchange(this.queue, {
        lease,
        worker: workerName,
        token,
        nextExecution,
        want,
        suspects,
        woken,
        ...settled,
        events: this.events.take(settled.outcomes),
      });
    } catch (thrown) {
      error = thrown;
    }
    this.inFlight -= 1;
    this.aheadInFlight -= sent.ahead;
    if (want > 0) this.claimsInFlight -= 1;
    if (suspects.takes) this.suspects.answered(reply?.claimed ?? []);
    if (!reply) {
      this.failed(error, sent);
      this.returnUnstarted();
      return;
    }
    prefetch.exchanged(performance.now() - sentAt);
    this.settings.clock(reply.now);
    this.events.isListened = reply.listened;
    this.failures = 0;
    reporter.problemSolved(this.trouble, `queue "${this.queue}" is served again`);
    this.outcomes.conclude(settled, reply.refused);
    this.take(sent, reply);
    this.poke();
    if (this.isSettled) for (const resolve of this.onSettled.splice(0)) resolve();
  }

  private take({ reserved, ahead }: Sent, reply: ExchangeReply): void {
    const { reporter } = this.settings;
    const { claimed, dropped } = reply;
    for (const { id, reason } of dropped)
      reporter.tell('jobDropped', { queue: this.queue, jobId: id, reason });
    const trouble = `jobs of queue "${this.queue}" cannot be claimed`;
    if (reply.failure !== undefined) reporter.problem(trouble, new Error(reply.failure));
    else reporter.problemSolved(trouble, `jobs of queue "${this.queue}" are claimed again`);
    this.isPaused = reply.paused || reply.failure !== undefined;
    const want = reserved + ahead;
    if (want > 0) {
      this.mayHoldMore = reply.more || claimed.length + dropped.length >= want;
    }
    this.freed += reserved;
    for (const job of claimed) this.ahead.push(job);
    this.returnUnstarted();
    this.fill();
    this.ahead.watch();
    if (reply.nextDue !== undefined) this.waiter.lookIn(reply.nextDue);
    if (this.isPaused) this.waiter.lookIn(PAUSE_CHECK);
  }

  private waitForJobs(): void {
    const canTake =
      this.isClaiming && !this.isPaused && !this.mayHoldMore && this.ahead.length === 0;
    if (canTake && this.inFlight === 0 && this.settings.slots.free(this) > 0) this.waiter.wait();
  }

  private failed(error: unknown, sent: Sent): void {
    const isUncertain = !(error instanceof RqConnectionError) || error.uncertain;
    this.outcomes.putBack(sent.settled, isUncertain);
    this.woken.unshift(...sent.woken);
    this.mayHoldOrphans ||= isUncertain;
    this.mayHoldMore = true;
    this.holdBack(error);
    if (sent.reserved > 0) this.settings.slots.release(this, sent.reserved);
  }

  /** Leaves Redis alone for a while, each time for longer. */
  private holdBack(error: unknown): void {
    this.settings.reporter.problem(this.trouble, error);
    const delay = Math.min(LONGEST_BACK_OFF, 50 * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    clearTimeout(this.backOff);
    if (!this.isClosed) this.backOff = setTimeout(() => this.tryAgain(), delay);
  }

  private get trouble(): string {
    return `queue "${this.queue}" cannot be served`;
  }

  private tryAgain(): void {
    clearTimeout(this.backOff);
    if (this.isClosed) return;
    // The other exchange must have failed, too, before it is known what was lost.
    if (this.inFlight > 0) {
      this.backOff = setTimeout(() => this.tryAgain(), 50);
      return;
    }
    this.backOff = undefined;
    if (this.mayHoldOrphans) void this.giveBackOrphans();
    else this.look();
  }

  /** An answer was lost that may have brought jobs: nobody runs them, so they go back, and no retry is spent. */
  private async giveBackOrphans(): Promise<void> {
    const { store, token } = this.settings;
    this.isSearching = true;
    try {
      const executions = await store.leasesOf(this.queue, token);
      const known = new Set(this.leases().map(({ execution }) => execution));
      const orphans = executions.filter(({ execution }) => !known.has(execution));
      this.mayHoldOrphans = false;
      this.outcomes.giveBack(
        orphans.map(({ id, execution }) => ClaimedJob.unread(this.queue, id, execution)),
      );
      this.isSearching = false;
      this.look();
    } catch (error) {
      // Redis is away again: the search comes first when it is back, or they would run only after their leases.
      this.isSearching = false;
      this.holdBack(error);
    }
  }
}

export interface ConsumerSettings {
  readonly store: WorkerStore;
  readonly runner: JobRunner;
  readonly reporter: JobReporter;
  readonly slots: Slots;
  readonly prefetch: Prefetch;
  readonly maxCrashes: number;
  /** Milliseconds. */
  readonly lease: number;
  readonly workerName: string;
  /** Begins the names of this worker's executions. */
  readonly token: string;
  /** Told Redis's clock with every answer. */
  clock(now: number): void;
}

interface Sent {
  readonly settled: SentOutcomes;
  readonly woken: readonly string[];
  readonly reserved: number;
  readonly ahead: number;
}

// Keep a script below 5 ms.
const SETTLED_AT_ONCE = 200;
const CLAIMED_AT_ONCE = 200;
// Milliseconds.
const LONGEST_BACK_OFF = 2000;
const PAUSE_CHECK = 1000;
