import type { StartedEvent } from '../../job/index.js';
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
  private started: StartedEvent[] = [];

  /** @param onMore called when there is something to send */
  constructor(private readonly onMore: () => void) {}

  get isEmpty(): boolean {
    return this.started.length === 0;
  }

  /** A handler begins to run. */
  began(event: StartedEvent): void {
    if (!this.isListened) return;
    this.started.push(event);
    this.onMore();
  }

  /** Removes what an exchange is to take along: which handlers began, and what its outcomes mean once they are written. */
  collect(outcomes: readonly Settlement[]): readonly ToldEvent[] {
    if (!this.isListened && this.isEmpty) return NONE;
    return [
      ...this.started.splice(0).map((event) => ({ event, outcome: undefined })),
      ...outcomes.flatMap((settled, outcome) =>
        eventsOf(settled).map((event) => ({ event, outcome })),
      ),
    ];
  }
}

const NONE: [] = [];
