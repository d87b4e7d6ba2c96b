/**
 * Every timer of the library comes from here. `setTimeout` counts to 2^31-1 milliseconds (25 days) and goes off at once
 * beyond that; a timer of ours counts as long as it is told. It goes by a clock that nobody sets.
 */

/** Calls back once, in so many milliseconds, however long that is; `Infinity` is never. */
export function after(milliseconds: number, callback: () => void): Timer {
  return new Timer(milliseconds, callback, false);
}

/** Calls back again and again, each time after so many milliseconds. */
export function every(milliseconds: number, callback: () => void): Timer {
  return new Timer(milliseconds, callback, true);
}

export class Timer {
  private handle: NodeJS.Timeout | undefined;
  private dueAt = 0;
  private isHolding = true;

  constructor(
    private readonly milliseconds: number,
    private readonly callback: () => void,
    private readonly repeats: boolean,
  ) {
    this.begin();
  }

  cancel(): void {
    clearTimeout(this.handle);
  }

  /** It does not keep the process alive. */
  unref(): this {
    this.isHolding = false;
    this.handle?.unref();
    return this;
  }

  private begin(): void {
    const { milliseconds } = this;
    if (milliseconds > LONGEST) this.dueAt = performance.now() + milliseconds;
    this.set(milliseconds);
  }

  private set(milliseconds: number): void {
    this.handle = setTimeout(this.goOff, Math.min(milliseconds, LONGEST));
    if (!this.isHolding) this.handle.unref();
  }

  private readonly goOff = (): void => {
    const left = this.dueAt - performance.now();
    if (this.milliseconds > LONGEST && left > 0) {
      this.set(left);
      return;
    }
    // First, so that the callback may cancel it.
    if (this.repeats) this.begin();
    this.callback();
  };
}

/** What `setTimeout` can count to, milliseconds. */
const LONGEST = 2 ** 31 - 1;
