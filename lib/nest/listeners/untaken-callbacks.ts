import type { CallbackMoment } from '../../job/index.js';

/**
 * Callbacks of Python that no method here takes over. The first of each name is told; the others are counted, and told as
 * a number when the application closes. Names come out of Redis: beyond a hundred they are one.
 */
export class UntakenCallbacks {
  private readonly counted = new Map<string, CountedCallback>();

  constructor(
    private readonly tellOne: (untaken: UntakenCallback) => void,
    private readonly tellMore: (more: CountedCallback) => void,
  ) {}

  add(untaken: UntakenCallback): void {
    const isKnown = this.counted.has(keyOf(untaken));
    const callback = isKnown || this.counted.size < MOST_NAMES ? untaken.callback : OTHERS;
    const one = { callback, on: untaken.on };
    const counted = this.counted.get(keyOf(one));
    if (counted) counted.count += 1;
    else {
      this.counted.set(keyOf(one), { ...one, count: 0 });
      this.tellOne(untaken);
    }
  }

  /** Tells what was counted. */
  flush(): void {
    for (const counted of this.counted.values()) if (counted.count > 0) this.tellMore(counted);
    this.counted.clear();
  }
}

/** A callback that nobody here takes over. */
export interface UntakenCallback {
  readonly callback: string;
  readonly on: CallbackMoment;
  readonly queue: string;
  readonly jobId: string;
}

/** How often it came after it was told. */
export interface CountedCallback extends Pick<UntakenCallback, 'callback' | 'on'> {
  count: number;
}

const keyOf = ({ callback, on }: Pick<UntakenCallback, 'callback' | 'on'>) => `${on} ${callback}`;

const MOST_NAMES = 100;
const OTHERS = 'others';
