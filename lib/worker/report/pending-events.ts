import type { JobEvent, StartedEvent } from '../../job/index.js';
import type { ToldEvent } from '../../store/index.js';
import { eventsOf } from './outcome-events.js';
import type { Settlement } from './settlement.js';

/**
 * The events of one queue on their way to those who listen in other processes. They travel with the exchange that
 * settles; while nobody listens, as each answer of Redis tells, none is made.
 */
export class PendingEvents {
  /** Somebody listens, as far as is known. */
  isListened = false;
  private readonly pending: JobEvent[] = [];

  /**
   * @param onMore called when there is something to send
   * @param waits outcomes are told when replicas have them (see `told`), and not by the exchange that brings them
   */
  constructor(
    private readonly onMore: () => void,
    private readonly waits = false,
  ) {}

  get isEmpty(): boolean {
    return this.pending.length === 0;
  }

  /** A handler begins to run. */
  began(event: StartedEvent): void {
    if (!this.isListened) return;
    this.pending.push(event);
    this.onMore();
  }

  /** Replicas have this one. */
  told(settled: Settlement): void {
    if (this.isListened) this.pending.push(...eventsOf(settled));
  }

  /** Removes what an exchange is to take along: which handlers began, and what its outcomes mean once they are written. */
  collect(outcomes: readonly Settlement[]): readonly ToldEvent[] {
    if (!this.isListened && this.isEmpty) return NONE;
    const events = this.pending.splice(0).map((event) => ({ event, outcome: undefined }));
    if (this.waits) return events;
    return [
      ...events,
      ...outcomes.flatMap((settled, outcome) =>
        eventsOf(settled).map((event) => ({ event, outcome })),
      ),
    ];
  }
}

const NONE: [] = [];
