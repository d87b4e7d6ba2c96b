import type { GateRoom } from '../../store/index.js';

/**
 * How many jobs of handlers that are limited within this worker it takes with the next exchange.
 *
 * 1. A handler may run `perWorker` jobs here. Those that run, and those that are here and wait for a slot, are taken off.
 * 2. What is left is asked for by one exchange; while that is under way, another one asks for nothing of it.
 * 3. Where as many run as may, Redis is told so: this worker is not to be woken for that handler.
 *
 * For example `perWorker: 2` with one job running: the next exchange takes one more, a second one under way none.
 */
export class OwnRooms {
  private readonly asked = new Map<string, number>();

  /**
   * @param limits the handlers that are limited within a worker
   * @param countOf how many jobs of a handler are here
   */
  constructor(
    private readonly limits: ReadonlyMap<string, number>,
    private readonly countOf: (name: string) => number,
  ) {}

  /** @param want how many jobs the exchange asks for */
  ask(want: number): readonly GateRoom[] {
    if (this.limits.size === 0 || want === 0) return NONE;
    return [...this.limits].map(([name, limit]) => {
      const asked = this.asked.get(name) ?? 0;
      const free = limit - this.countOf(name);
      const room = Math.max(0, Math.min(free - asked, want));
      this.asked.set(name, asked + room);
      return { name, room, isFull: free <= 0 };
    });
  }

  /** The exchange that asked for these is not under way any more. */
  returned(rooms: readonly GateRoom[]): void {
    for (const { name, room } of rooms) this.asked.set(name, (this.asked.get(name) ?? 0) - room);
  }
}

const NONE: readonly GateRoom[] = [];
