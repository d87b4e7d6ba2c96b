import type { ClaimedJob } from '../../wire/index.js';
import type { SuspectRule } from '../../store/index.js';

/**
 * Finds out which of several jobs kills workers, without failing the innocent ones.
 *
 * 1. A worker dies. Each job that it was running counts one crash, although only one of them may have killed it.
 * 2. At `maxCrashes` crashes a job is poison, and is failed. A job that is one crash away from that is a suspect.
 * 3. Suspects that ran side by side would all become poison in the next crash. So a worker claims one suspect of a queue
 *    at a time, beside ordinary jobs as usual.
 * 4. The other suspects that its claims meet are put off for a while: for as long as the one has been here, at least
 *    10 ms and at most 1 s.
 * 5. The one ends. It was innocent, and the next suspect gets its turn. Or the worker dies again: then only this one
 *    becomes poison.
 *
 * For example `maxCrashes: 3` and ten jobs during which two workers have died: they run one after the other. After one
 * crash (a machine that was switched off) they still run side by side.
 */
export class Quarantine {
  /** Crashes from which on a job is a suspect. */
  private readonly from: number;
  /** The one that runs, or waits for its slot. */
  private suspect: ClaimedJob | undefined;
  private claimedAt = 0;
  /** A claim is under way that may bring one. */
  private isAsked = false;

  /**
   * @param maxCrashes crashes that make a job poison
   * @param isHeld tells whether the lease of a job is still held here
   */
  constructor(
    maxCrashes: number,
    private readonly isHeld: (job: ClaimedJob) => boolean,
  ) {
    this.from = Math.max(1, maxCrashes - 1);
  }

  /** What the next claim is to do with suspects. If it `takes` one, no other claim may until `answered` was called. */
  ask(): SuspectRule {
    const { from } = this;
    if (this.suspect && !this.isHeld(this.suspect)) this.suspect = undefined;
    const ranMs = this.suspect ? performance.now() - this.claimedAt : 0;
    const delay = Math.min(LONGEST_DELAY_MS, Math.max(SHORTEST_DELAY_MS, ranMs));
    const takes = !this.isAsked && !this.suspect;
    this.isAsked ||= takes;
    return { from, takes, delay };
  }

  /** What the claim brought that was to take one; nothing if it failed. */
  answered(claimed: readonly ClaimedJob[]): void {
    this.isAsked = false;
    this.suspect = claimed.find(({ crashes }) => crashes >= this.from);
    this.claimedAt = performance.now();
  }
}

const SHORTEST_DELAY_MS = 10;
const LONGEST_DELAY_MS = 1000;
