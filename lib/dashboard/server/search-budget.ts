import type { FoundJobs, JobSummary } from '../../observe/index.js';

/** How much a search may look at. */
export interface SearchLimits {
  /** Jobs that are found. */
  readonly most: number;
  /** Entries. */
  readonly budget: number;
  /** Milliseconds. */
  readonly time: number;
  /** The browser has gone. */
  readonly signal: AbortSignal;
}

export interface SearchAnswerParts {
  readonly jobs: readonly JobSummary[];
  readonly looked: number;
  readonly total: number;
  readonly complete: boolean;
}

/** How much of its limits a search has used up, over all places that it looks through. */
export class Looked {
  readonly signal: AbortSignal;
  #looked = 0;
  #total = 0;
  #opened = 0;
  #isComplete = true;

  constructor(private readonly limits: SearchLimits) {
    this.signal = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.time)]);
  }

  get left(): number {
    return Math.max(1, this.limits.budget - this.#looked);
  }

  isOver(found: number): boolean {
    const isOver =
      found >= this.limits.most || this.#looked >= this.limits.budget || this.signal.aborted;
    if (isOver) this.#isComplete = false;
    return isOver;
  }

  add({ looked, total, isComplete }: FoundJobs): void {
    this.#looked += looked;
    this.#total += total;
    if (!isComplete) this.#isComplete = false;
  }

  /** Whether the data of one more job may be read. */
  mayOpen(): boolean {
    this.#opened += 1;
    if (this.#opened <= MOST_OPENED) return true;
    this.#isComplete = false;
    return false;
  }

  sums(found: number): Omit<SearchAnswerParts, 'jobs'> {
    const complete = this.#isComplete && found < this.limits.most;
    return { looked: this.#looked, total: this.#total, complete };
  }
}

/** Each is a call and may be long. */
const MOST_OPENED = 2000;
