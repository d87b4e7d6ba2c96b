import type { ClaimedJob } from '../store/index.js';

/**
 * A job that was there when a worker died may be what killed it. Of such jobs a worker has one at a time: were they to
 * run side by side again, the harmless ones would be taken for poison with the one that is.
 */
export class OneSuspect {
  private suspect: ClaimedJob | undefined;
  private isAsked = false;

  /** @param isHeld the job runs here, or waits for that */
  constructor(private readonly isHeld: (job: ClaimedJob) => boolean) {}

  /** May the next claim bring one? If so, none of the others may until `answered`. */
  ask(): boolean {
    if (this.isAsked || (this.suspect && this.isHeld(this.suspect))) return false;
    this.isAsked = true;
    return true;
  }

  /** What the claim brought that was allowed to bring one; nothing if it failed. */
  answered(claimed: readonly ClaimedJob[]): void {
    this.isAsked = false;
    this.suspect = claimed.find(({ crashes }) => crashes > 0);
  }
}
