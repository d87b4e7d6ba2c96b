import { type Timer, after } from '../../time/timer.js';
import { ConsumerMode } from './consumer-mode.js';

/**
 * When to exchange with Redis: the first of the consumer's three pieces. It alone changes the consumer's mode.
 *
 * 1. Something has come up (an outcome, a free slot). The exchange waits for the end of this turn of the event loop, so
 *    that whatever else comes up in the turn travels with it.
 * 2. At most two exchanges are under way: Redis works on one while the other travels.
 * 3. An exchange fails. Redis is left alone for 50 ms, then 100 ms, then 200 ms, up to 2 s. One that answers and refuses (it
 *    waits for its replicas) is asked again after half a second at most: nobody tells when it takes writes again.
 * 4. If the request may have reached Redis, its lost answer may have claimed jobs of which nobody here knows. They are
 *    searched for and given back first; then exchanges go on.
 */
export class ExchangeTiming {
  readonly mode = new ConsumerMode();
  /** An answer has this turn to itself: one that comes now waits, so that jobs start in the order in which Redis gave them. */
  isTurnTaken = false;

  private underWay = 0;
  private failures = 0;
  private mayHaveOrphans = false;
  private planned: NodeJS.Immediate | undefined;
  private backOffTimer: Timer | undefined;

  constructor(private readonly work: TimedWork) {}

  /** No exchange is under way. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /** Jobs are welcome from now on, unless it was told to stop meanwhile. */
  start(): void {
    this.mode.start();
    this.planExchange();
  }

  /** Claims nothing from now on; what waits here is still sent. */
  stop(): void {
    this.mode.stop();
  }

  /** Claims nothing until it is told to go on; what waits here is still sent. */
  pause(isPaused: boolean): void {
    this.mode.isPaused = isPaused;
  }

  /** Plans an exchange for the end of this turn of the event loop. */
  planExchange(): void {
    this.planned ??= setImmediate(this.exchangeAsPlanned);
  }

  /** Exchanges now, if it may. */
  exchangeNow(): void {
    if (this.underWay < MOST_UNDER_WAY && this.mode.mayExchange) this.work.exchange();
  }

  /** An exchange is under way from now on. */
  sent(): void {
    this.underWay += 1;
  }

  /**
   * Two answers that come together would stay together: Redis would work on both, and then the worker on both. So the
   * second one waits for the next turn of the event loop, and what comes of the first one travels meanwhile.
   */
  async ownTurn(): Promise<void> {
    while (this.isTurnTaken) await new Promise((resolve) => setImmediate(resolve));
    this.isTurnTaken = true;
    setImmediate(() => (this.isTurnTaken = false));
  }

  /** It is not any more: `answered` or `failed` says how it ended. */
  returned(): void {
    this.underWay -= 1;
  }

  /** Redis has answered. */
  answered(): void {
    this.failures = 0;
  }

  /**
   * Redis has failed: leaves it alone for a while, each time for longer.
   * @param isUncertain the request may have been carried out
   */
  failed(isUncertain: boolean): void {
    this.mayHaveOrphans ||= isUncertain;
    const longest = isUncertain ? LONGEST_BACK_OFF_MS : LONGEST_AFTER_REFUSAL_MS;
    const delay = Math.min(longest, 50 * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    this.mode.backOff();
    this.tryAgainIn(delay);
  }

  /** Redis is reachable again: there is no reason to wait any longer. */
  reconnected(): void {
    if (this.mode.current === 'backing off') this.tryAgain();
  }

  close(): void {
    this.mode.close();
    this.backOffTimer?.cancel();
  }

  private readonly exchangeAsPlanned = (): void => {
    this.planned = undefined;
    this.exchangeNow();
  };

  private tryAgainIn(milliseconds: number): void {
    this.backOffTimer?.cancel();
    if (this.mode.current === 'closed') return;
    this.backOffTimer = after(milliseconds, () => this.tryAgain());
  }

  private tryAgain(): void {
    this.backOffTimer?.cancel();
    if (this.mode.current === 'closed') return;
    if (this.underWay > 0) {
      // The other exchange must have ended, too, before it is known what was lost.
      this.tryAgainIn(OTHER_EXCHANGE_CHECK_MS);
    } else if (this.mayHaveOrphans) {
      void this.searchForOrphans();
    } else {
      this.goOn();
    }
  }

  private async searchForOrphans(): Promise<void> {
    this.mode.search();
    try {
      await this.work.returnOrphans();
      this.mayHaveOrphans = false;
      this.goOn();
    } catch (error) {
      // Redis is away again: the search comes first when it is back, or they would run only after their leases.
      this.work.searchFailed(error);
      this.failed(true);
    }
  }

  private goOn(): void {
    this.mode.goOn();
    this.work.askNow();
  }
}

/** What is to be done at the right time. */
export interface TimedWork {
  /** Sends what there is to send, and asks for as many jobs as there is room for. */
  exchange(): void;
  /** Exchanges even if there is nothing to send: Redis may have news. */
  askNow(): void;
  /** Gives back the jobs that lost answers have claimed. Rejects when Redis cannot say which. */
  returnOrphans(): Promise<void>;
  searchFailed(error: unknown): void;
}

const MOST_UNDER_WAY = 2;
const LONGEST_BACK_OFF_MS = 2000;
const LONGEST_AFTER_REFUSAL_MS = 500;
const OTHER_EXCHANGE_CHECK_MS = 50;
