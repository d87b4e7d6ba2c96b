import type { GateRoom } from '../../store/index.js';

/**
 * How many jobs of handlers that are limited within this worker it takes with the next exchange.
 *
 * 1. A handler may run `perWorker` jobs here. Those that run, and those that are here and wait for a slot, are taken off.
 * 2. What is left is asked for by one exchange; while that is under way, another one asks for nothing of it.
 * 3. Redis is told how many could run besides those that are here: where none is left behind, this worker is not to be
 *    woken for that handler.
 * 4. A handler of batches takes several jobs with one slot. A batch counts as one.
 *
 * For example `perWorker: 2` with one job running: the next exchange takes one more, a second one under way none.
 */
export class OwnRooms {
  private readonly asked = new Map<string, number>();
  /** Some of the handlers take batches. */
  readonly hasBatches: boolean;

  /**
   * @param gates the handlers that are limited within a worker, or take batches
   * @param countOf how many jobs (or batches) of a handler are here
   */
  constructor(
    private readonly gates: ReadonlyMap<string, OwnGate> = new Map(),
    private readonly countOf: (name: string) => number,
  ) {
    this.hasBatches = [...gates.values()].some(({ batch }) => batch !== undefined);
  }

  /**
   * @param want how many slots the exchange asks for
   * @param mostJobs how many jobs it may bring, whatever the size of the batches
   */
  ask(want: number, mostJobs = Infinity): readonly GateRoom[] {
    if (this.gates.size === 0 || want === 0) return NONE;
    return [...this.gates].map(([name, { perWorker, batch }]) => {
      const asked = this.asked.get(name) ?? 0;
      const free = Math.max(0, perWorker - this.countOf(name));
      const room = Math.max(0, Math.min(free - asked, want));
      this.asked.set(name, asked + room);
      const size = batch && Math.max(1, Math.min(batch, Math.floor(mostJobs / want)));
      return { name, room, free, batch: size };
    });
  }

  /** How many executions an exchange may begin that asks for so many slots, at most. */
  executionsFor(want: number): number {
    return want + (this.hasBatches ? EXECUTIONS_OF_BATCHES : 0);
  }

  /** The exchange that asked for these is not under way any more. */
  returned(rooms: readonly GateRoom[]): void {
    for (const { name, room } of rooms) this.asked.set(name, (this.asked.get(name) ?? 0) - room);
  }
}

/** What a worker says for itself of a handler. */
export interface OwnGate {
  /** How many of its jobs, or batches, run here at once; Infinity: not limited. */
  readonly perWorker: number;
  /** How many jobs it takes with one slot; undefined: one. */
  readonly batch: number | undefined;
}

const NONE: readonly GateRoom[] = [];

/** More than an exchange hands out; a multiple of 1 to 12, since by these numbers the gates of a queue take turns. */
const EXECUTIONS_OF_BATCHES = 27_720;
