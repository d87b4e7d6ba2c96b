/**
 * How many jobs the next exchange may claim: the second of the consumer's three pieces. It only counts; nothing here
 * knows Redis, slots or time.
 *
 * 1. Nothing is claimed while the queue is paused, or was empty and nothing has come since.
 * 2. Otherwise half of the slots at once: while the jobs of one half run, those of the other travel. Where a message says
 *    that some jobs may start, one exchange asks for all slots: of how many is not known, and a second would come in vain.
 * 3. While a blocking read waits at the queue, one slot is kept for the job that it may bring.
 * 4. Beyond the slots, jobs are prefetched up to a limit (see PrefetchLimit). Those that wait here count, and those for
 *    which an exchange under way has asked.
 *
 * For example 10 slots, all free, and a limit of 4: the first exchange asks for 5 jobs and 4 more; the second, sent
 * while the first is under way, for 5.
 */
export class ClaimBudget {
  /** False: Redis said that the queue is empty, and nothing has come since, as far as is known here. */
  mayHoldJobs = true;
  /** Nothing may be claimed: the queue is paused, all workers are suspended, or Redis takes no writes. */
  isPaused = false;
  /** The queue as a whole may start no more jobs now. Whoever waits is told when it may. */
  isLimited = false;
  /** Some jobs may start, and whether there are more is not known before an exchange has answered. */
  isProbing = false;

  /** How many jobs exchanges under way have asked for. */
  wantedUnderWay = 0;
  private prefetchUnderWay = 0;

  /** @param concurrency how many slots there are; it may change */
  constructor(public concurrency: number) {}

  /** Exchanges are under way that may bring jobs. */
  get awaitsJobs(): boolean {
    return this.wantedUnderWay > 0;
  }

  /** @param isAskedAnyway the exchange takes place in any case: then it asks for jobs, too */
  mayClaim(isAskedAnyway: boolean): boolean {
    return !this.isPaused && (this.mayHoldJobs || isAskedAnyway);
  }

  /**
   * How many slots to reserve for the next claim.
   * @param free slots
   * @param isPopWaiting a blocking read waits at the queue: at concurrency 1 keeping its slot also keeps the order
   */
  slotsToReserve(free: number, isPopWaiting: boolean): number {
    const available = isPopWaiting ? free - 1 : free;
    const most = this.isProbing ? this.concurrency : Math.ceil(this.concurrency / 2);
    return Math.max(0, Math.min(available, most, MOST_CLAIMED));
  }

  /**
   * How many jobs to claim beyond the reserved slots.
   * @param limit how many may be prefetched
   * @param waiting how many are here already
   */
  prefetchCount(limit: number, waiting: number, reserved: number): number {
    const wanted = limit - waiting - this.prefetchUnderWay;
    return Math.max(0, Math.min(wanted, MOST_CLAIMED - reserved));
  }

  /** An exchange is under way that asks for so many jobs. */
  sent({ reserved, prefetch }: Claim): void {
    this.wantedUnderWay += reserved + prefetch;
    this.prefetchUnderWay += prefetch;
  }

  /** It is not any more. */
  returned({ reserved, prefetch }: Claim): void {
    this.wantedUnderWay -= reserved + prefetch;
    this.prefetchUnderWay -= prefetch;
    this.isProbing = false;
  }

  /** What Redis said to a claim. @param brought jobs that it handed out or dropped */
  answered({ reserved, prefetch }: Claim, brought: number, reply: ClaimReply): void {
    const wanted = reserved + prefetch;
    this.isPaused = reply.paused || reply.failure !== undefined;
    if (wanted > 0) this.isLimited = reply.limited ?? false;
    if (wanted > 0) this.mayHoldJobs = reply.more || brought >= wanted;
  }
}

/** How many jobs an exchange asks for. */
export interface Claim {
  /** Slots that are reserved for them. */
  readonly reserved: number;
  /** Beyond those. */
  readonly prefetch: number;
}

interface ClaimReply {
  readonly paused: boolean;
  readonly more: boolean;
  readonly limited?: boolean;
  readonly failure: string | undefined;
}

/** In one exchange: keeps a script below 5 ms. */
const MOST_CLAIMED = 200;
