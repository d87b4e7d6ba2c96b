/**
 * Which jobs run, and until when each may: memory that the main thread writes and the lease guard's thread reads. A
 * handler that blocks the event loop can tell nobody anything any more, so it is written before it starts.
 *
 * Each run has a place of three numbers: its deadline by the clock that all threads share (0: nothing runs here), which
 * queue it is of, and the number of its execution, which is its own within the queue.
 */
export class GuardedRuns {
  private table = new Float64Array(new SharedArrayBuffer(FIRST_PLACES * PLACE * BYTES));
  private readonly free: number[] = [];
  private used = 0;

  /** @param onGrown told when it has moved to a larger piece of memory */
  constructor(private readonly onGrown: (memory: SharedArrayBuffer) => void) {}

  get memory(): SharedArrayBuffer {
    return this.table.buffer as SharedArrayBuffer;
  }

  /**
   * A run begins.
   * @param queue its number among the worker's queues
   * @param deadline by the clock of `performance.now()`; Infinity: none
   * @returns its place, for the two below
   */
  add(queue: number, execution: string, deadline: number): number {
    const place = this.free.pop() ?? this.newPlace();
    this.table[place + 1] = queue;
    this.table[place + 2] = parseInt(execution.slice(-DIGITS), 16);
    this.move(place, deadline);
    return place;
  }

  /** It has another deadline now. */
  move(place: number, deadline: number): void {
    this.table[place] = deadline + SHARED_CLOCK;
  }

  /** It has ended. */
  remove(place: number): void {
    this.table[place] = 0;
    this.free.push(place);
  }

  private newPlace(): number {
    const place = this.used;
    this.used += PLACE;
    if (this.used > this.table.length) {
      const larger = new Float64Array(new SharedArrayBuffer(2 * this.table.byteLength));
      larger.set(this.table);
      this.table = larger;
      this.onGrown(this.memory);
    }
    return place;
  }
}

/** What the table says at this moment. */
export interface RunsNow {
  /** One of them may still run. */
  readonly isAnyAllowed: boolean;
  /** Those whose deadline has passed. */
  readonly over: readonly { readonly queue: number; readonly digits: string }[];
}

/** Whatever runs jobs of one queue tells it here. */
export interface RunsOfQueue {
  /** A run begins. @returns its place, for the two below */
  add(execution: string, deadline: number): number;
  /** It has another deadline now. */
  move(place: number, deadline: number): void;
  /** It has ended. */
  remove(place: number): void;
}

/** Reads the table, in any thread. */
export function readRuns(memory: SharedArrayBuffer): RunsNow {
  const table = new Float64Array(memory);
  const now = sharedNow();
  const over: { queue: number; digits: string }[] = [];
  let isAnyAllowed = false;
  for (let place = 0; place < table.length; place += PLACE) {
    const [deadline = 0, queue = 0, execution = 0] = table.subarray(place, place + PLACE);
    if (deadline > now) isAnyAllowed = true;
    else if (deadline !== 0) {
      over.push({ queue, digits: execution.toString(16).padStart(DIGITS, '0') });
    }
  }
  return { isAnyAllowed, over };
}

/** In the name of an execution these are its number, behind the worker's token. */
const DIGITS = 16;
const PLACE = 3;
const BYTES = 8;
const FIRST_PLACES = 64;

/** `performance.now()` is counted by each thread from its own start; this clock is the same for all. */
const sharedNow = () => Number(process.hrtime.bigint()) / 1e6;

/** What leads from the one to the other. */
const SHARED_CLOCK = sharedNow() - performance.now();
