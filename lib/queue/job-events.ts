import { Observable } from 'rxjs';
import { type JobEvent, isLastEvent, isSettled } from '../job/index.js';
import type { JobStore } from '../store/index.js';
import { type Timer, after } from '../time/timer.js';

/**
 * Events as Observables, heard from any process. Each subscription listens at Redis while it lasts; workers make events
 * only while somebody does. What happens before Redis has confirmed (`onListening`) or while the link is cut is missed.
 */
export function eventsOfQueue(
  queue: string,
  store: JobStore,
  { onListening }: ListeningOptions = {},
): Observable<JobEvent> {
  return new Observable((subscriber) => {
    let stop: (() => void) | undefined;
    store
      .onEvent(queue, (event) => subscriber.next(event))
      .then(
        (stopListening) => {
          if (subscriber.closed) {
            stopListening();
            return;
          }
          stop = stopListening;
          onListening?.();
        },
        (error: unknown) => subscriber.error(error),
      );
    return () => stop?.();
  });
}

/** The events of one job, until it is settled. Should the last event be missed, a look at the job ends it soon after. */
export function eventsOfJob(
  queue: string,
  id: string,
  store: JobStore,
  { onListening }: ListeningOptions = {},
): Observable<JobEvent> {
  return new Observable((subscriber) => {
    let timer: Timer | undefined;
    const completeWhenSettled = async (): Promise<void> => {
      try {
        const record = await store.read(id);
        if (subscriber.closed) return;
        if (!record || isSettled(record.status)) {
          subscriber.complete();
          return;
        }
      } catch {
        // Redis is away; the next look tells.
      }
      if (!subscriber.closed) timer = after(LOOK_MS, () => void completeWhenSettled());
    };
    const events = eventsOfQueue(queue, store, {
      onListening: () => {
        onListening?.();
        void completeWhenSettled();
      },
    });
    const subscription = events.subscribe({
      next: (event) => {
        if (event.jobId !== id) return;
        subscriber.next(event);
        if (isLastEvent(event)) subscriber.complete();
      },
      error: (error: unknown) => subscriber.error(error),
    });
    return () => {
      timer?.cancel();
      subscription.unsubscribe();
    };
  });
}

export interface ListeningOptions {
  /** Called when Redis has confirmed. Workers know a moment later; what they settle before that is missed. */
  readonly onListening?: () => void;
}

/** Between two looks at a job. */
const LOOK_MS = 2000;
