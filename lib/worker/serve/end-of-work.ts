import { type Timer, after } from '../../time/timer.js';

/**
 * When a worker ends by itself: after so many jobs, when there is nothing to do, or when there was nothing for a while.
 *
 * 1. `maxJobs`: each run that has ended counts, whatever its outcome, as RQ counts. Consumers claim no more jobs than are
 *    left, so none is put back at the end.
 * 2. `burst`: when nothing runs and Redis has said of every queue that nothing may start. Each queue is then asked once
 *    more, one after the other, without a blocking read that could have a job on its way. What is due within a second is
 *    waited for.
 * 3. `maxIdle`: when nothing has run for that long, and Redis has said the same. Not while the worker is paused, nor
 *    while Redis is away: then nobody knows whether there is something to do.
 */
export class EndOfWork {
  private ended = 0;
  private activeAt = performance.now();
  private idleTimer: Timer | undefined;
  private isAsking = false;
  private isOver = false;

  /** @param onEnd called once */
  constructor(
    private readonly limits: EndLimits,
    private readonly consumers: readonly EndingConsumer[],
    private readonly onEnd: (why: 'drained' | 'maxJobs' | 'idle') => void,
  ) {}

  /** How many more jobs may be claimed. */
  get left(): number {
    const { maxJobs } = this.limits;
    if (maxJobs === undefined) return Infinity;
    return this.consumers.reduce((left, { held }) => left - held, maxJobs - this.ended);
  }

  /** The worker serves its queues from now on, or again after a pause. */
  start(): void {
    this.activeAt = performance.now();
    this.watchIdle();
  }

  /** A run has ended. */
  jobEnded(): void {
    const { maxJobs, maxIdleMs } = this.limits;
    this.ended += 1;
    if (maxIdleMs !== undefined) this.activeAt = performance.now();
    if (maxJobs !== undefined && this.ended >= maxJobs) this.end('maxJobs');
  }

  /** Redis has answered a consumer. */
  answered(): void {
    if (this.isOver) return;
    // What another consumer gave back may be claimed by this one.
    if (this.limits.maxJobs !== undefined) {
      for (const consumer of this.consumers) consumer.slotsFreed();
    }
    if (this.limits.burst && !this.isAsking && this.foundNothing) void this.askOnceMore();
  }

  close(): void {
    this.isOver = true;
    this.idleTimer?.cancel();
  }

  private get foundNothing(): boolean {
    return this.consumers.every((consumer) => consumer.foundNothing);
  }

  private async askOnceMore(): Promise<void> {
    this.isAsking = true;
    for (const consumer of this.consumers) {
      await consumer.askOnceMore();
      if (!consumer.foundNothing || this.isOver) break;
    }
    this.isAsking = false;
    if (this.foundNothing) this.end('drained');
  }

  private watchIdle(): void {
    const { maxIdleMs } = this.limits;
    if (maxIdleMs === undefined || this.isOver) return;
    this.idleTimer?.cancel();
    const now = performance.now();
    const left = this.activeAt + maxIdleMs - now;
    if (left <= 0 && this.foundNothing) {
      this.end('idle');
      return;
    }
    if (left <= 0) this.activeAt = now;
    this.idleTimer = after(left <= 0 ? maxIdleMs : left, () => this.watchIdle()).unref();
  }

  private end(why: 'drained' | 'maxJobs' | 'idle'): void {
    if (this.isOver) return;
    this.close();
    this.onEnd(why);
  }
}

/** When a worker ends by itself; what is not given never ends it. */
export interface EndLimits {
  readonly burst: boolean;
  readonly maxJobs: number | undefined;
  readonly maxIdleMs: number | undefined;
}

/** The consumer of one queue, as seen from here. */
export interface EndingConsumer {
  /** Jobs that are claimed and have not ended, and those for which Redis is being asked. */
  readonly held: number;
  /** Nothing runs or waits here, and Redis has said that nothing may start. */
  readonly foundNothing: boolean;
  /** Asks Redis again, with no blocking read under way; resolves when it has answered. */
  askOnceMore(): Promise<void>;
  slotsFreed(): void;
}
