/**
 * When to leave a server that has become a replica. Behind a stable address (a virtual IP, a cloud endpoint, a name) the
 * next connection reaches the new primary; until there is one it reaches the replica again. So links are ended at the
 * first refusal, and after that with longer and longer pauses.
 */
export class Failover {
  private leftAt = -Infinity;
  private pause = 0;

  /** A write was refused since this is no primary: whether the links are to be ended now. */
  mayLeave(now: number): boolean {
    const since = now - this.leftAt;
    if (since < this.pause) return false;
    this.pause = since > 2 * LONGEST_PAUSE ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, this.pause * 2);
    this.leftAt = now;
    return true;
  }
}

// Milliseconds.
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;
