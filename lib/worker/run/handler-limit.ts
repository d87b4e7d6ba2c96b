import type { RegisteredHandler } from './handler-registry.js';

/**
 * Keeps a handler at its own limit (`@Job({ concurrency })`) from holding up the other handlers of its queue.
 *
 * 1. A job comes in. If fewer of its handler's jobs run than the limit says, it starts.
 * 2. Otherwise it waits here and takes no slot of the worker; as many may wait as may run. When one that runs ends, the
 *    first that waits starts in its slot.
 * 3. If as many wait already, it goes back to Redis for a delay: about as long as it would have to wait for its turn, at
 *    least 250 ms and at most a minute. Without the delay it would be claimed again and again.
 *
 * For example `concurrency: 2` and jobs of 1 s: two run, two wait here, the fifth and the sixth go back for 2 s, the
 * seventh and the eighth for 3 s.
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
    state.sentBack += 1;
    const rounds = Math.ceil(state.sentBack / handler.concurrency) + 1;
    return {
      delay: Math.min(LONGEST_DELAY_MS, Math.max(SHORTEST_DELAY_MS, rounds * state.meanDurationMs)),
    };
  }

  /** A job of the handler has ended; answers with the one that starts in its place. */
  leave(handler: RegisteredHandler, durationMs: number): Waiting | undefined {
    if (handler.concurrency === Infinity) return undefined;
    const state = this.stateOf(handler);
    state.meanDurationMs += (durationMs - state.meanDurationMs) / 8;
    state.sentBack = Math.max(0, state.sentBack - 1);
    const next = state.waiting.shift();
    if (next === undefined) state.running -= 1;
    return next;
  }

  /** Removes everything that waits here, to be given back. */
  removeAll(): Waiting[] {
    return [...this.states.values()].flatMap((state) => state.waiting.splice(0));
  }

  /** Removes one that must not be started, if it waits here. */
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
      state = { running: 0, waiting: [], sentBack: 0, meanDurationMs: 0 };
      this.states.set(handler, state);
    }
    return state;
  }
}

interface LimitState<Waiting> {
  running: number;
  readonly waiting: Waiting[];
  /** How many were sent back and may come again. */
  sentBack: number;
  meanDurationMs: number;
}

const SHORTEST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 60_000;
