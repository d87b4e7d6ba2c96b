import { type Timer, after } from '../../time/timer.js';

/**
 * Makes few lines of many dropped ids. The first of a queue and reason is told at once; those that follow within a
 * minute are counted, and told as a number at its end. Reasons come out of Redis: beyond a hundred they are one.
 */
export class DroppedIds {
  private readonly counted = new Map<string, Counted>();
  private timer: Timer | undefined;

  constructor(
    private readonly tellOne: (dropped: DroppedId) => void,
    private readonly tellMore: (more: Counted) => void,
  ) {}

  add(dropped: DroppedId): void {
    const { queue } = dropped;
    const isKnown = this.counted.has(keyOf(dropped));
    const reason = isKnown || this.counted.size < MOST_REASONS ? dropped.reason : 'other reasons';
    const key = keyOf({ queue, reason });
    const counted = this.counted.get(key);
    if (counted) counted.count += 1;
    else {
      this.counted.set(key, { queue, reason, count: 0 });
      this.tellOne(dropped);
    }
    this.timer ??= after(INTERVAL, () => this.flush()).unref();
  }

  /** Tells what was counted. */
  flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    for (const counted of this.counted.values()) if (counted.count > 0) this.tellMore(counted);
    this.counted.clear();
  }
}

interface DroppedId {
  readonly queue: string;
  readonly jobId: string;
  readonly reason: string;
}

interface Counted {
  readonly queue: string;
  readonly reason: string;
  count: number;
}

const keyOf = ({ queue, reason }: { queue: string; reason: string }) =>
  JSON.stringify([queue, reason]);

/** Milliseconds. */
const INTERVAL = 60_000;
const MOST_REASONS = 100;
