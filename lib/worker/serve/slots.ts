/**
 * How many jobs may run at once, and which queue gets a slot that is free. A queue reserves slots before it asks Redis
 * for jobs, and gives back what it could not use.
 */
export interface Slots {
  /** Reserves up to `most` slots for this queue. */
  reserve(queue: SlotUser, most: number): number;
  /** Gives slots back: reserved in vain, or their jobs have ended. */
  release(queue: SlotUser, count: number): void;
  /** How many slots this queue could have now; below zero: so many must be given back, as their jobs end. */
  free(queue: SlotUser): number;
  /** From now on so many slots that are shared. */
  resize(total: number): void;
}

/** A queue as seen by whoever hands out slots. */
export interface SlotUser {
  readonly weight: number;
  /** How many slots it may have, in `parallel` order. */
  readonly concurrency: number;
  /** False when the last look found the queue empty and nothing has come since. */
  readonly mayHaveJobs: boolean;
  /** Slots became free. */
  slotsFreed(): void;
  /** All slots are taken: unless it still hears of new jobs, what it knows of its queue is getting old. */
  slotsTaken(): void;
}

/** Every queue has slots of its own: a busy queue never holds up another. */
export class ParallelSlots implements Slots {
  private readonly used = new Map<SlotUser, number>();

  reserve(queue: SlotUser, most: number): number {
    const count = Math.min(most, this.free(queue));
    if (count <= 0) return 0;
    this.used.set(queue, (this.used.get(queue) ?? 0) + count);
    return count;
  }

  release(queue: SlotUser, count: number): void {
    this.used.set(queue, (this.used.get(queue) ?? 0) - count);
    queue.slotsFreed();
  }

  free(queue: SlotUser): number {
    return queue.concurrency - (this.used.get(queue) ?? 0);
  }

  /** None is shared: each queue says how many it has. */
  resize(): void {}
}

/**
 * All queues share the slots. `ordered`: a queue gets some only when all before it are empty, as RQ's workers do.
 * `weighted`: whenever slots become free the queues are lined up anew, by a draw in which a queue of weight 3 has three
 * times the chance of one of weight 1.
 */
export class SharedSlots implements Slots {
  private used = 0;
  private lineUp: readonly SlotUser[];

  constructor(
    private total: number,
    private readonly queues: readonly SlotUser[],
    private readonly order: 'ordered' | 'weighted',
    private readonly random: () => number = Math.random,
  ) {
    this.lineUp = queues;
  }

  reserve(queue: SlotUser, most: number): number {
    const count = Math.min(most, this.free());
    if (count <= 0 || !this.isNext(queue)) return 0;
    this.used += count;
    if (this.free() === 0) for (const user of this.queues) user.slotsTaken();
    return count;
  }

  release(_queue: SlotUser, count: number): void {
    this.used -= count;
    if (this.order === 'weighted') this.lineUp = drawn(this.queues, this.random);
    for (const queue of this.queues) queue.slotsFreed();
  }

  free(): number {
    return this.total - this.used;
  }

  resize(total: number): void {
    this.total = total;
    for (const queue of this.queues) queue.slotsFreed();
  }

  private isNext(queue: SlotUser): boolean {
    return this.lineUp.find((other) => other === queue || other.mayHaveJobs) === queue;
  }
}

/** The queues in an order drawn by their weights. */
function drawn(queues: readonly SlotUser[], random: () => number): SlotUser[] {
  const left = [...queues];
  const lineUp: SlotUser[] = [];
  while (left.length > 0) {
    let draw = random() * left.reduce((sum, { weight }) => sum + weight, 0);
    const index = left.findIndex(({ weight }) => (draw -= weight) < 0);
    lineUp.push(...left.splice(Math.max(index, 0), 1));
  }
  return lineUp;
}
