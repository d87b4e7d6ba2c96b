import type { ClaimedJob } from '../../wire/index.js';
import type { SuspectRule } from '../../store/index.js';

/**
 * A job that was there as often as workers have died of it that the next time would make it poison. One of them may be
 * what killed the workers, and the others were only beside it: were they to run side by side again, all would be taken
 * for poison. So a worker has one of them at a time; the others wait, the longer the one runs. After fewer crashes than
 * that (a machine that was switched off) all run side by side as ever.
 */
export class Quarantine {
  private readonly from: number;
  private suspect: ClaimedJob | undefined;
  private since = 0;
  private isAsked = false;

  /**
   * @param maxCrashes crashes that make a job poison
   * @param isHeld its lease is held here
   */
  constructor(
    maxCrashes: number,
    private readonly isHeld: (job: ClaimedJob) => boolean,
  ) {
    this.from = Math.max(1, maxCrashes - 1);
  }

  /** What the next claim is to do with suspects. If it `takes` one, no other claim does until `answered`. */
  ask(): SuspectRule {
    const { from } = this;
    if (this.suspect && !this.isHeld(this.suspect)) this.suspect = undefined;
    const ran = this.suspect ? performance.now() - this.since : 0;
    const delay = Math.min(LONGEST_DELAY, Math.max(SHORTEST_DELAY, ran));
    const takes = !this.isAsked && !this.suspect;
    this.isAsked ||= takes;
    return { from, takes, delay };
  }

  /** What the claim brought that was to take one; nothing if it failed. */
  answered(claimed: readonly ClaimedJob[]): void {
    this.isAsked = false;
    this.suspect = claimed.find(({ crashes }) => crashes >= this.from);
    this.since = performance.now();
  }
}

// Milliseconds.
const SHORTEST_DELAY = 10;
const LONGEST_DELAY = 1000;
