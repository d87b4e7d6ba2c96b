// When handlers ran, so that a test can say how long a job waited. Redis and this process read the
// same clock (Date.now), so a wait that is too short by a millisecond shows.
import { LATENESS } from '../../support/timing.js';

/** Notes the beginnings and ends of runs. */
export class Runs {
  private readonly times: { readonly began: number; ended: number }[] = [];

  get count(): number {
    return this.times.length;
  }

  /** Wraps a handler. */
  of<Parameters extends unknown[], Result>(
    run: (...parameters: Parameters) => Result,
  ): (...parameters: Parameters) => Result {
    return (...parameters) => {
      const time = { began: Date.now(), ended: Infinity };
      this.times.push(time);
      try {
        return run(...parameters);
      } finally {
        time.ended = Date.now();
      }
    };
  }

  /** Milliseconds between the end of each run and the beginning of the next. */
  get gaps(): number[] {
    return this.times.slice(1).map(({ began }, index) => began - (this.times[index]?.ended ?? 0));
  }

  /** Milliseconds between a moment and the beginning of the first run. */
  since(moment: number): number {
    return (this.times[0]?.began ?? Infinity) - moment;
  }
}

/** Checks gaps: not one is too short, none is much too long. `what` names them in a failure. */
export function expectGaps(gaps: readonly number[], waits: readonly number[], what = ''): void {
  const verdicts = gaps.map((gap, index) => {
    const wait = waits[index] ?? Infinity;
    if (gap < wait) return `${gap}: too early`;
    return gap > wait + LATENESS ? `${gap}: too late` : wait;
  });
  expect({ what, gaps: verdicts }).toEqual({ what, gaps: waits });
}
