import { type Timer, after } from '../../time/timer.js';

/**
 * Makes few lines of many failures of one job and error. The first ten within a minute are told one by one; those that follow are
 * counted, and told as a number at its end. When all calls to a service fail, the log stays one that people can read.
 */
export class RepeatedFailures {
  private readonly counted = new Map<string, { readonly about: FailedJob; count: number }>();
  private timer: Timer | undefined;

  constructor(private readonly tellMore: (about: FailedJob, count: number) => void) {}

  /** Whether this one is told by itself. */
  isTold(kind: string, about: FailedJob): boolean {
    // Errors come from anywhere: beyond so many kinds all are one.
    const key = this.counted.has(kind) || this.counted.size < MOST_KINDS ? kind : '';
    const known = this.counted.get(key) ?? { about, count: 0 };
    this.counted.set(key, known);
    known.count += 1;
    this.timer ??= after(INTERVAL, () => this.flush()).unref();
    return known.count <= TOLD;
  }

  /** Tells what was counted. */
  flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    for (const { about, count } of this.counted.values()) {
      if (count > TOLD) this.tellMore(about, count - TOLD);
    }
    this.counted.clear();
  }
}

/** The first of its kind. */
export interface FailedJob {
  readonly queue: string;
  readonly name: string;
  readonly failure: { readonly name: string; readonly message: string };
}

const TOLD = 10;
/** Milliseconds. */
const INTERVAL = 60_000;
const MOST_KINDS = 100;
