import type { Subscription } from 'rxjs';
import {
  CALLBACK_EVENTS,
  type JobEvent,
  type JobEventType,
  describeFailure,
} from '../../job/index.js';
import type { RqJob } from '../../queue/index.js';
import { type JobCallback, type WorkerObserver, inRootContext } from '../../worker/index.js';
import { within } from '../../time/within.js';
import * as lines from '../log-lines.js';
import type { QueueCatalog } from '../queues/queue-catalog.js';
import { RqLogger } from '../rq-logger.js';
import { UntakenCallbacks } from './untaken-callbacks.js';

/**
 * The `@OnJob` methods of one root. Those that hear this process hang on its worker and cost Redis nothing; those that
 * hear everywhere are subscribed to the queues that this application knows. Neither a listener that throws nor one that
 * never ends can hold up a worker.
 */
export class JobListeners implements WorkerObserver {
  /** Not there when nobody wants it: the worker then makes no events. */
  readonly jobEvent: ((event: JobEvent) => void) | undefined;
  private readonly logger = new RqLogger('RqModule');
  private readonly local: readonly FoundListener[];
  private readonly everywhere: readonly FoundListener[];
  /** Those that take over a callback of Python. */
  private readonly takers: readonly FoundListener[];
  private readonly untaken = new UntakenCallbacks(
    (callback) => this.logger.warn(lines.callbackUntaken(callback)),
    (more) => this.logger.warn(lines.moreUntaken(more)),
  );
  private readonly subscriptions: Subscription[] = [];
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly queues: QueueCatalog,
    listeners: readonly FoundListener[],
  ) {
    this.takers = listeners.filter(({ callback }) => callback !== undefined);
    this.local = listeners.filter(
      ({ everywhere, callback }) => !everywhere && callback === undefined,
    );
    this.everywhere = listeners.filter(({ everywhere }) => everywhere);
    if (this.local.length > 0) this.jobEvent = (event) => this.tell(this.local, event);
  }

  /** A job names a Python function that is to be called now: whoever took over its name is called. */
  jobCallback({ callback, on, event }: JobCallback): void {
    const takers = this.takers.filter((taker) => taker.callback === callback);
    const moments = CALLBACK_EVENTS[on];
    const isTaken = takers.some(
      (taker) => isMeant(taker, event) && taker.types.some((type) => moments.includes(type)),
    );
    if (isTaken) this.tell(takers, event);
    else this.untaken.add({ callback, on, queue: event.queue, jobId: event.jobId });
  }

  /**
   * Begins to hear what other processes do.
   * @throws RqConnectionError
   */
  async listen(): Promise<void> {
    const wanted = this.everywhere.flatMap(
      ({ queue }) => queue ?? this.queues.all().map(({ name }) => name),
    );
    await Promise.all([...new Set(wanted)].map((queue) => this.listenTo(queue)));
  }

  /** Hears nothing more, and waits for the listeners that run, but no longer than so many milliseconds. */
  async close(patience: number): Promise<void> {
    for (const subscription of this.subscriptions.splice(0)) subscription.unsubscribe();
    this.untaken.flush();
    if (this.running.size > 0) await within(patience, Promise.all(this.running));
  }

  private listenTo(queue: string): Promise<void> {
    return new Promise((onListening, error) => {
      const events = this.queues.get(queue).events({ onListening });
      const next = (event: JobEvent) => this.tell(this.everywhere, event);
      this.subscriptions.push(events.subscribe({ next, error }));
    });
  }

  private tell(listeners: readonly FoundListener[], event: JobEvent): void {
    for (const listener of listeners) {
      if (!listener.types.includes(event.type) || !isMeant(listener, event)) continue;
      const running = this.call(listener, event).finally(() => this.running.delete(running));
      this.running.add(running);
    }
  }

  private async call(listener: FoundListener, event: JobEvent): Promise<void> {
    try {
      const job = this.queues.get(event.queue).job(event.jobId);
      await inRootContext(() => listener.run(event, job));
    } catch (error) {
      const failure = describeFailure(error);
      this.logger.error(lines.listenerFailed(listener.owner, event, failure), failure.stack);
    }
  }
}

/** It is about jobs of this queue and name. */
function isMeant({ queue, name }: FoundListener, event: JobEvent): boolean {
  return (queue ?? event.queue) === event.queue && (name ?? event.name) === event.name;
}

/** An `@OnJob` method, ready to be called. */
export interface FoundListener {
  /** For messages: `Alerts.page in AlertsModule`. */
  readonly owner: string;
  readonly types: readonly JobEventType[];
  readonly queue: string | undefined;
  readonly name: string | undefined;
  readonly everywhere: boolean;
  /** The dotted name of a Python function, whose place it takes. */
  readonly callback: string | undefined;
  run(event: JobEvent, job: RqJob): Promise<unknown>;
}
