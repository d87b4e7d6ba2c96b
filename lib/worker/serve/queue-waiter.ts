import { type BlockingPop, isDenied } from '../../redis/index.js';
import type { WorkerStore } from '../../store/index.js';
import { type Timer, after } from '../../time/timer.js';

/**
 * How a consumer without work waits. It has a blocking read at the queue, a timer for the next scheduled job, and a
 * subscription that tells of an earlier one. None of them polls; what a lost message or a cut link makes it miss, the
 * end of the blocking read makes good.
 */
export class QueueWaiter {
  /** A blocking read is under way: it may bring a job at any moment. */
  isWaiting = false;

  private readonly pop: BlockingPop;
  private dueTimer: Timer | undefined;
  private dueAt = Infinity;
  private openTimer: Timer | undefined;
  private opensAt = Infinity;
  private isPaused = false;
  private unsubscribe: (() => void) | undefined;
  private isStopped = false;

  constructor(
    private readonly queue: string,
    private readonly store: Pick<WorkerStore, 'blockingPop' | 'onWake'>,
    private readonly on: WaiterEvents,
  ) {
    this.pop = store.blockingPop(queue);
  }

  async start(): Promise<void> {
    const unsubscribe = await this.store.onWake(this.queue, (due) => {
      // Jobs in lanes do not come by the blocking read.
      if (due === undefined) this.on.wake();
      else this.askIn(due);
    });
    if (this.isStopped) unsubscribe();
    else this.unsubscribe = unsubscribe;
  }

  /** When it asks Redis next, by the clock of `performance.now()`; Infinity: when it is told. */
  get asksAt(): number {
    return Math.min(this.dueAt, this.opensAt);
  }

  /** Waits at the empty queue. */
  wait(): void {
    if (this.isWaiting || this.isStopped || this.isPaused) return;
    this.isWaiting = true;
    this.pop.wait(LONGEST_WAIT_MS).then(
      (id) => {
        this.isWaiting = false;
        this.on.waited();
        if (id !== undefined) this.on.popped(id);
        else this.askNow();
      },
      (error: unknown) => {
        this.isWaiting = false;
        // Other troubles are those of the exchange, too, which tells of them.
        if (error instanceof Error && isDenied(error.message)) this.on.mayNotWait(error);
        this.askIn(AFTER_TROUBLE_MS);
      },
    );
  }

  /**
   * Asks Redis now. @param endsRead a blocking read is ended first: what is asked for needs the slot that it keeps
   */
  askAnew(endsRead: boolean): void {
    if (endsRead && this.isWaiting) void this.pop.endWait();
    else this.askNow();
  }

  /** In so many milliseconds jobs that wait for a time may start: they do not come by the blocking read. */
  wakeIn(milliseconds: number): void {
    // A timer leaves out fractions, and who comes too early finds nothing.
    const whole = Math.ceil(milliseconds);
    const at = performance.now() + whole;
    if (this.isStopped || at >= this.opensAt) return;
    this.openTimer?.cancel();
    this.opensAt = at;
    this.openTimer = after(whole, () => {
      this.opensAt = Infinity;
      if (!this.isStopped) this.on.wake();
    });
  }

  /** Asks Redis in so many milliseconds, unless it asks earlier for another reason. */
  askIn(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    if (this.isStopped || at >= this.dueAt) return;
    this.dueTimer?.cancel();
    this.dueAt = at;
    this.dueTimer = after(milliseconds, () => this.askNow());
  }

  /** The connection for commands had to be made anew: the one that waits may be dead as well, and not know it. */
  reconnected(): void {
    if (!this.isStopped) void this.pop.renew();
  }

  /** Ends the blocking read until `resume`. A job that it brought meanwhile is still handed over. */
  async pause(): Promise<void> {
    this.isPaused = true;
    await this.pop.interrupt();
  }

  /** It may wait again. */
  resume(): void {
    if (this.isStopped) return;
    this.isPaused = false;
    this.pop.restart();
  }

  /** Ends all waiting. A job that a read brought meanwhile is still handed over. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.dueTimer?.cancel();
    this.openTimer?.cancel();
    this.unsubscribe?.();
    await this.pop.interrupt();
  }

  close(): void {
    this.isStopped = true;
    this.dueTimer?.cancel();
    this.openTimer?.cancel();
    this.unsubscribe?.();
    this.pop.close();
  }

  private askNow(): void {
    this.dueTimer?.cancel();
    this.dueAt = Infinity;
    if (!this.isStopped) this.on.askNow();
  }
}

export interface WaiterEvents {
  /** A blocking read has moved this job to the intermediate list. */
  popped(id: string): void;
  /** It is time to ask Redis. */
  askNow(): void;
  /** There is work that the blocking read does not bring. */
  wake(): void;
  /** Redis has refused a blocking read for lack of a right: the queue is asked again and again instead. */
  mayNotWait(error: Error): void;
  /** A blocking read has ended as it should. */
  waited(): void;
}

const LONGEST_WAIT_MS = 30_000;
const AFTER_TROUBLE_MS = 250;
