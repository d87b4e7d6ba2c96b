import { type Timer, after } from '../time/timer.js';
import type { Link } from './link.js';

/**
 * The way from a server that has become a replica to the new primary, where a stable address leads to both, one after the
 * other. Until it leads to the primary, one link is made anew again and again, and all others wait for what it finds.
 */
export class PrimarySearch {
  private isUnderWay = false;
  private hasSeenReplica = false;
  private pause = SHORTEST_PAUSE;
  private timer: Timer | undefined;

  /** @param found called when the address leads to a primary after it has led to a replica for a while */
  constructor(
    private readonly link: Link,
    private readonly found: () => void,
  ) {
    link.redis.on('ready', () => void this.look());
  }

  /** A write was refused since the server is a replica; the link is being made anew. */
  begin(): void {
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    this.hasSeenReplica = false;
    this.pause = SHORTEST_PAUSE;
  }

  end(): void {
    this.isUnderWay = false;
    this.timer?.cancel();
  }

  private async look(): Promise<void> {
    if (!this.isUnderWay) return;
    let info: string;
    try {
      info = await this.link.run('look for the primary', (redis) => redis.info('replication'));
    } catch {
      // The link was lost, and looks again when it is back; or we may not ask, and further refusals will tell.
      return;
    }
    if (!info.includes('role:slave')) {
      const { hasSeenReplica } = this;
      this.end();
      if (hasSeenReplica) this.found();
      return;
    }
    this.hasSeenReplica = true;
    this.timer?.cancel();
    this.timer = after(this.pause, () => this.link.renew()).unref();
    this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
  }
}

// Milliseconds.
const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 1000;
