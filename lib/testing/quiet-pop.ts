import { BlockingPop } from '../redis/blocking-pop.js';

/**
 * How a worker under test waits at an empty queue: until it is told, without a blocking read. A read would take the
 * next job out of the queue before the test has seen it there.
 */
export class QuietPop extends BlockingPop {
  private untilWoken: Promise<undefined> | undefined;
  private finish: (() => void) | undefined;

  override wait(): Promise<string | undefined> {
    this.untilWoken ??= new Promise((resolve) => {
      this.finish = () => {
        this.untilWoken = undefined;
        this.finish = undefined;
        resolve(undefined);
      };
    });
    return this.untilWoken;
  }

  /** Ends a wait; false: nobody waits here. */
  wake(): boolean {
    const isWaiting = this.finish !== undefined;
    this.finish?.();
    return isWaiting;
  }

  override async interrupt(): Promise<void> {
    this.wake();
  }

  override async endWait(): Promise<void> {
    this.wake();
  }

  override async renew(): Promise<void> {
    this.wake();
  }

  override close(): void {
    this.wake();
  }
}
