import type { RegisteredHandler } from './handler-registry.js';

/**
 * A handler at its own limit (`@Job({ concurrency })`) must not hold up the other handlers of its queue. What was
 * claimed for it waits here, outside the worker's slots, at most as many again as its limit; the rest goes back to
 * Redis, each for about as long as it would have to wait for its turn, so that it is not claimed again and again.
 */
export class HandlerLimit<Waiting> {
  private readonly states = new Map<RegisteredHandler, LimitState<Waiting>>();

  /** Whether the job may start now, waits here, or must go back for `delay` milliseconds. */
  enter(handler: RegisteredHandler, waiting: Waiting): 'start' | 'wait' | { delay: number } {
    if (handler.concurrency === Infinity) return 'start';
    const state = this.stateOf(handler);
    if (state.running < handler.concurrency) {
      state.running += 1;
      return 'start';
    }
    if (state.waiting.length < handler.concurrency) {
      state.waiting.push(waiting);
      return 'wait';
    }
    state.returned += 1;
    const rounds = Math.ceil(state.returned / handler.concurrency) + 1;
    return { delay: Math.min(LONGEST_DELAY, Math.max(SHORTEST_DELAY, rounds * state.duration)) };
  }

  /** A job of the handler has ended after so many milliseconds; gives the one that may start in its place. */
  leave(handler: RegisteredHandler, duration: number): Waiting | undefined {
    if (handler.concurrency === Infinity) return undefined;
    const state = this.stateOf(handler);
    state.duration += (duration - state.duration) / 8;
    state.returned = Math.max(0, state.returned - 1);
    const next = state.waiting.shift();
    if (next === undefined) state.running -= 1;
    return next;
  }

  /** Everything that waits here, to be given back; the gate forgets it. */
  drain(): Waiting[] {
    return [...this.states.values()].flatMap((state) => state.waiting.splice(0));
  }

  /** Takes one out that waits here, if it does. */
  remove(matches: (waiting: Waiting) => boolean): Waiting | undefined {
    for (const { waiting } of this.states.values()) {
      const index = waiting.findIndex(matches);
      if (index >= 0) return waiting.splice(index, 1)[0];
    }
    return undefined;
  }

  /** What waits here: it holds leases. */
  *waiting(): Iterable<Waiting> {
    for (const { waiting } of this.states.values()) yield* waiting;
  }

  private stateOf(handler: RegisteredHandler): LimitState<Waiting> {
    let state = this.states.get(handler);
    if (!state) {
      state = { running: 0, waiting: [], returned: 0, duration: 0 };
      this.states.set(handler, state);
    }
    return state;
  }
}

interface LimitState<Waiting> {
  running: number;
  readonly waiting: Waiting[];
  /** How many were sent back and may come again. */
  returned: number;
  /** Mean duration, milliseconds. */
  duration: number;
}

// Milliseconds.
const SHORTEST_DELAY = 250;
const LONGEST_DELAY = 60_000;
