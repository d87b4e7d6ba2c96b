import { RqConnectionError } from '../../job/index.js';
import type { ClaimedJob } from '../../wire/index.js';
import type { ExchangeReply, Lease } from '../../store/index.js';
import { PendingEvents } from '../report/pending-events.js';
import { type Trouble, queueNotServed, queueNotWaitedAt } from '../report/troubles.js';
import type { RunEnd } from '../run/job-runner.js';
import { ClaimBudget } from './claim-budget.js';
import type { ConsumerSettings } from './consumer-settings.js';
import type { EndOfWork, EndingConsumer } from './end-of-work.js';
import { ExchangeTiming } from './exchange-timing.js';
import { JobStarter } from './job-starter.js';
import { orphansOf } from './orphans.js';
import { OwnRooms } from './own-rooms.js';
import { OutcomeQueue } from './outcome-queue.js';
import { Quarantine } from './quarantine.js';
import { replicasFor } from './replicated-outcomes.js';
import { QueueWaiter } from './queue-waiter.js';
import { ReplyHandler, type SentExchange } from './reply-handler.js';
import type { SlotUser } from './slots.js';

/**
 * Serves one queue for a worker: gets jobs from Redis, and sends back how they ended.
 *
 * Both travel in one call, the exchange: it takes along outcomes (how jobs ended) and comes back with new jobs. A slot
 * is room for one running job.
 *
 * 1. Slots are free. The next exchange reserves some of them, and asks Redis for one job for each reserved slot.
 * 2. A job comes with the reply. It starts in a reserved slot.
 * 3. The job ends. Its outcome waits for the next exchange. Its slot is free again: for a job that was prefetched (claimed
 *    before there was a slot for it), if there is one, otherwise for another one from Redis.
 * 4. The queue is empty. A blocking read waits until a job comes (see QueueWaiter).
 * 5. An exchange fails, or its answer is lost. The slots that it had reserved are free again. After a pause the same outcomes
 *    are sent once more, as the same call, so that none is settled twice. Redis puts back the jobs that the answer had.
 * 6. The worker stops, or is paused. No more jobs are asked for. Those that have not started go back, and the last outcomes are sent.
 *
 * For example, at concurrency 1 with jobs A and B in the queue: exchange 1 brings A; A ends; exchange 2 takes the
 * outcome of A along and brings B; B ends; exchange 3 takes the outcome of B along and brings nothing; now the worker waits.
 *
 * Three pieces decide: ExchangeTiming when to exchange, ClaimBudget how many jobs to ask for, ReplyHandler what to do
 * with the reply.
 */
export class QueueConsumer implements SlotUser, EndingConsumer {
  readonly events: PendingEvents;
  readonly outcomes: OutcomeQueue;
  private readonly timing: ExchangeTiming;
  private readonly budget: ClaimBudget;
  private readonly starter: JobStarter;
  private readonly replies: ReplyHandler;
  private readonly quarantine: Quarantine;
  private readonly rooms: OwnRooms;
  private readonly waiter: QueueWaiter;
  /** Jobs that a blocking read has moved out of the queue: the next exchange must tell Redis of them. */
  private readonly woken: string[] = [];
  private isAskDue = false;
  private isWoken = false;
  /** Jobs that wait for those that have ended are still to be told: they may come into any queue. */
  private hasUntold = false;
  private nextExecution = 0;
  private onSettled: (() => void)[] = [];
  private readonly trouble: Trouble;

  constructor(
    readonly queue: string,
    public concurrency: number,
    readonly weight: number,
    private readonly settings: ConsumerSettings,
  ) {
    const { store, runner, reporter, slots, maxCrashes, ownGates } = settings;
    this.trouble = queueNotServed(queue);
    const noWait = queueNotWaitedAt(queue);
    const timing = new ExchangeTiming({
      exchange: () => this.exchange(),
      askNow: () => this.askNow(),
      returnOrphans: () => this.returnOrphans(),
      searchFailed: (error) => reporter.problem(this.trouble.problem, error, queue),
    });
    const planExchange = () => timing.planExchange();
    this.timing = timing;
    this.events = new PendingEvents(planExchange, settings.durability !== undefined);
    const replicas = replicasFor(queue, settings, this.events, () => this.outcomesTold());
    this.outcomes = new OutcomeQueue(reporter, planExchange, replicas);
    this.budget = new ClaimBudget(concurrency);
    this.quarantine = new Quarantine(maxCrashes, (job) => this.leases().includes(job));
    this.starter = new JobStarter(runner, this.outcomes, timing.mode, this.budget, {
      free: () => slots.free(this),
      release: (count) => slots.release(this, count),
    });
    this.rooms = new OwnRooms(
      ownGates,
      (name) => runner.countOf(name) + this.starter.prefetched.countOf(name),
    );
    this.waiter = new QueueWaiter(queue, store, {
      popped: (id) => this.popped(id),
      askNow: () => this.askNow(),
      wake: () => this.wake(),
      mayNotWait: (error) => reporter.problem(noWait.problem, error),
      waited: () => reporter.problemSolved(noWait.problem, noWait.solved),
    });
    const { outcomes, budget, starter, waiter } = this;
    this.replies = new ReplyHandler(queue, reporter, outcomes, budget, starter, waiter);
  }

  /** There may be jobs to claim here: other queues that share its slots let it go first. */
  get mayHaveJobs(): boolean {
    const { budget } = this;
    const { mode } = this.timing;
    if (!budget.mayHoldJobs || budget.isPaused || !mode.acceptsJobs) return false;
    return mode.current !== 'backing off';
  }

  /** Nothing may be claimed: the queue is paused, or all workers are suspended. */
  get isHeldUp(): boolean {
    return this.budget.isPaused;
  }

  async start(): Promise<void> {
    await this.waiter.start();
    this.timing.start();
  }

  /** Claims nothing until `resume`; what was claimed and has not started goes back. Resolves when it is there. */
  async pause(): Promise<void> {
    this.timing.pause(true);
    this.starter.giveBackUnstarted();
    await this.waiter.pause();
    await this.settled();
  }

  resume(): void {
    this.timing.pause(false);
    this.waiter.resume();
    this.askNow();
  }

  /** From now on so many slots; where there are fewer, running jobs may end. */
  setConcurrency(concurrency: number): void {
    this.concurrency = concurrency;
    this.budget.concurrency = concurrency;
    this.settings.prefetch.concurrency = concurrency;
    this.timing.planExchange();
  }

  get held(): number {
    const held = [...this.settings.runner.held()].length;
    return held + this.starter.prefetched.length + this.budget.wantedUnderWay;
  }

  get foundNothing(): boolean {
    const { budget, timing, waiter } = this;
    const isServing = timing.mode.current === 'serving' && timing.mode.acceptsJobs;
    if (!isServing || !this.isSettled || this.held > 0) return false;
    if (budget.isPaused) return true;
    const soon = performance.now() + DUE_SOON_MS;
    const isDueSoon = waiter.asksAt < soon;
    return !budget.mayHoldJobs && !this.hasUntold && !isDueSoon;
  }

  async askOnceMore(): Promise<void> {
    await this.waiter.pause();
    this.askNow();
    await this.settled();
    this.waiter.resume();
    this.timing.planExchange();
  }

  /** Claims no more jobs; what was prefetched goes back. Resolves when nothing more can come in. */
  async stopClaiming(): Promise<void> {
    this.timing.stop();
    this.starter.giveBackUnstarted();
    await this.waiter.stop();
    this.timing.planExchange();
  }

  /** Resolves when every outcome is with Redis and every answer is back. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    this.timing.planExchange();
    return new Promise((resolve) => this.onSettled.push(resolve));
  }

  close(): void {
    this.timing.close();
    this.starter.prefetched.close();
    this.waiter.close();
    for (const resolve of this.onSettled.splice(0)) resolve();
  }

  /** Removes a prefetched job that must not be started, if it is here. */
  removePrefetched(matches: (job: ClaimedJob) => boolean): ClaimedJob | undefined {
    return this.starter.prefetched.remove(matches);
  }

  /** Everything that holds a lease of ours. */
  leases(): Lease[] {
    return [...this.settings.runner.held(), ...this.starter.prefetched, ...this.outcomes.jobs()];
  }

  slotsFreed(): void {
    this.timing.planExchange();
  }

  /** Without a blocking read, a job may come that this consumer does not hear of. */
  slotsTaken(): void {
    if (!this.waiter.isWaiting) this.budget.mayHoldJobs = true;
  }

  /** Redis has work for this worker: jobs behind a gate may start, or the queue as a whole may. */
  wake(): void {
    if (!this.budget.mayHoldJobs) this.budget.isProbing = true;
    this.budget.mayHoldJobs = true;
    // A reply under way may say that there is nothing: it is older than this message.
    this.isWoken = this.budget.awaitsJobs;
    const { slots } = this.settings;
    // A blocking read keeps a slot for the job that it may bring.
    this.waiter.askAnew(slots.free(this) <= 1);
  }

  /** A scheduled job is due in so many milliseconds. */
  dueIn(milliseconds: number): void {
    this.waiter.askIn(milliseconds);
  }

  /** Redis is back after a failure: do not wait any longer, and not on a link that may be as dead as the other was. */
  reconnected(): void {
    this.timing.reconnected();
    this.waiter.reconnected();
  }

  /** A run has ended: its outcome is to be settled, its slot is free. */
  ended({ claimed, name, verdict, startedAt, duration, holdsSlot, reason }: RunEnd): void {
    if (verdict) {
      const endedAt = startedAt + Math.round(duration ?? 0);
      const { outcome } = verdict;
      this.outcomes.add({ job: claimed, name, verdict, outcome, startedAt, endedAt, reason });
    }
    if (duration !== undefined) this.settings.prefetch.ran(duration);
    if (duration !== undefined || verdict?.outcome.type === 'failed') this.settings.end?.jobEnded();
    if (holdsSlot) this.starter.slotFreed();
    this.timing.planExchange();
  }

  private get isSettled(): boolean {
    return this.outcomes.isEmpty && this.woken.length === 0 && this.timing.isIdle;
  }

  private outcomesTold(): void {
    this.timing.planExchange();
    if (this.isSettled) for (const resolve of this.onSettled.splice(0)) resolve();
    this.settings.end?.answered();
  }

  private popped(id: string): void {
    this.woken.push(id);
    this.budget.mayHoldJobs = true;
    this.timing.exchangeNow();
  }

  /** Something may have become due, or the queue was resumed. */
  private askNow(): void {
    this.isAskDue = true;
    this.budget.isPaused = false;
    this.timing.exchangeNow();
  }

  private exchange(): void {
    const settled = this.outcomes.removeFirst(MOST_SETTLED);
    // What a lost answer brought goes back behind the repeated call, and before anything is claimed.
    const claimsLater = settled.call?.isRepeated === true && this.outcomes.hasMore;
    const woken = claimsLater ? [] : this.woken.splice(0);
    const hasNews = settled.outcomes.length > 0 || woken.length > 0 || !this.events.isEmpty;
    const isAskedAnyway = hasNews || this.isAskDue;
    const reserved = claimsLater ? 0 : this.reserveSlots(isAskedAnyway);
    if (!isAskedAnyway && reserved === 0) {
      this.waitForJobs();
      return;
    }
    this.isAskDue = false;
    const prefetch = claimsLater ? 0 : this.prefetchCount(reserved);
    this.send({ settled, woken, reserved, prefetch }).catch((error: unknown) => {
      this.settings.reporter.problem(this.trouble.problem, error, this.queue);
    });
    // A second one may follow: it travels while Redis works on the first.
    const mayBringMore = this.mayHaveJobs && !this.budget.isProbing;
    const hasMore = this.outcomes.hasMore || (mayBringMore && this.settings.slots.free(this) > 0);
    if (hasMore) this.timing.planExchange();
  }

  private reserveSlots(isAskedAnyway: boolean): number {
    if (!this.timing.mode.acceptsJobs || !this.budget.mayClaim(isAskedAnyway)) return 0;
    const { slots } = this.settings;
    const most = this.budget.slotsToReserve(slots.free(this), this.waiter.isWaiting);
    const left = this.settings.end?.left ?? Infinity;
    // Nobody knows how many jobs the batches have that are on their way.
    if (left < Infinity && this.rooms.hasBatches && this.budget.awaitsJobs) return 0;
    return slots.reserve(this, Math.min(most, left));
  }

  /** In an exchange that takes place. */
  private prefetchCount(reserved: number): number {
    const { prefetched } = this.starter;
    if (!this.mayHaveJobs || prefetched.isStalled) return 0;
    const left = this.settings.end?.left ?? Infinity;
    const { limit } = this.settings.prefetch;
    const count = this.budget.prefetchCount(limit, prefetched.length, reserved);
    return Math.max(0, Math.min(count, left - reserved));
  }

  private async send(sent: SentExchange): Promise<void> {
    const { store, leaseMs, workerName, token, prefetch, reporter } = this.settings;
    const { settled, woken } = sent;
    const want = sent.reserved + sent.prefetch;
    const rooms = this.rooms.ask(want, this.settings.end?.left);
    const nextExecution = this.nextExecution;
    this.nextExecution += this.rooms.executionsFor(want);
    this.timing.sent();
    this.budget.sent(sent);
    const suspects = this.quarantine.ask();
    const sentAt = performance.now();
    let reply: ExchangeReply | undefined;
    let error: unknown;
    try {
      reply = await store.exchange(this.queue, {
        leaseMs,
        worker: workerName,
        token,
        nextExecution,
        want,
        ahead: sent.prefetch,
        rooms,
        suspects,
        woken,
        ...settled,
        events: this.events.collect(settled.outcomes),
      });
      prefetch.exchanged(performance.now() - sentAt);
      if (this.timing.isTurnTaken || reply.claimed[0]?.lane) await this.timing.ownTurn();
    } catch (thrown) {
      error = thrown;
    }
    this.timing.returned();
    this.budget.returned(sent);
    this.rooms.returned(rooms);
    if (suspects.takes) this.quarantine.answered(reply?.claimed ?? []);
    if (!reply) {
      this.failed(error, sent);
      return;
    }
    this.settings.clock(reply.now);
    this.events.isListened = reply.listened;
    this.timing.answered();
    reporter.problemSolved(this.trouble.problem, this.trouble.solved);
    this.replies.handle(sent, reply);
    if (this.isWoken && !this.budget.awaitsJobs) {
      this.isWoken = false;
      this.budget.mayHoldJobs = true;
    }
    this.timing.planExchange();
    if (this.isSettled) for (const resolve of this.onSettled.splice(0)) resolve();
    if (this.settings.end) this.lookForEnd(this.settings.end, reply);
  }

  private lookForEnd(end: Pick<EndOfWork, 'answered'>, { leftOver = false }: ExchangeReply): void {
    this.hasUntold = leftOver;
    if (leftOver) this.waiter.askIn(UNTOLD_CHECK_MS);
    end.answered();
  }

  /** The request or its answer was lost: what it took along travels again. */
  private failed(error: unknown, sent: SentExchange): void {
    const isUncertain = !(error instanceof RqConnectionError) || error.uncertain;
    this.outcomes.putBack(sent.settled, isUncertain);
    this.woken.unshift(...sent.woken);
    this.budget.mayHoldJobs = true;
    this.settings.reporter.problem(this.trouble.problem, error, this.queue);
    this.timing.failed(isUncertain);
    if (sent.reserved > 0) this.settings.slots.release(this, sent.reserved);
    this.starter.giveBackUnstarted();
  }

  private waitForJobs(): void {
    if (this.settings.end && this.settings.end.left <= 0) return;
    const { budget } = this;
    if (!this.timing.mode.acceptsJobs || budget.isPaused || budget.mayHoldJobs) return;
    // Jobs stand in the list and may not start: a blocking read would bring one at once, again and again.
    if (budget.isLimited) return;
    if (this.starter.prefetched.length > 0 || !this.timing.isIdle) return;
    if (this.settings.slots.free(this) > 0) this.waiter.wait();
  }

  /** An answer was lost that may have brought jobs: nobody runs them, so they go back, and no retry is spent. */
  private async returnOrphans(): Promise<void> {
    this.outcomes.giveBack(await orphansOf(this.queue, this.settings, () => this.leases()));
  }
}

/** In one exchange: keeps a script below 5 ms. */
const MOST_SETTLED = 200;
/** What is due so soon is worth waiting for. */
const DUE_SOON_MS = 1000;
const UNTOLD_CHECK_MS = 50;
