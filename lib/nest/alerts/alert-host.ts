import { type EventError, type FailedEvent, describeFailure } from '../../job/index.js';
import {
  type AlertListener,
  AlertWatch,
  type ResolvedAlerts,
  RqInspector,
  type RqAlert,
  alertFailure,
} from '../../observe/index.js';
import type { JobStore } from '../../store/index.js';
import { within } from '../../time/within.js';
import { type HandlerRegistry, type WorkerObserver, inRootContext } from '../../worker/index.js';
import * as lines from '../log-lines.js';
import { RqLogger } from '../rq-logger.js';
import { type FoundAlertListener, wants } from './alert-metadata.js';

/**
 * The alerts of one root: a line in the log when one begins and when it is over, and the `@OnAlert` methods that hear of
 * it. Failures of critical jobs come from the worker itself, at once.
 */
export class AlertHost implements AlertListener, WorkerObserver {
  /** Not there without a critical job: the worker then tells nobody. */
  readonly jobFailed: WorkerObserver['jobFailed'];
  readonly jobPoisoned: WorkerObserver['jobPoisoned'];
  private readonly logger: RqLogger;
  private readonly root: string;
  private readonly watch: AlertWatch;
  private readonly running = new Set<Promise<unknown>>();
  private isFailing = false;

  constructor(
    { root, log }: { readonly root: string; readonly log: 'text' | 'fields' },
    store: JobStore,
    options: ResolvedAlerts,
    private readonly listeners: readonly FoundAlertListener[],
    handlers: HandlerRegistry | undefined,
  ) {
    this.root = root;
    this.logger = new RqLogger('RqAlerts', log);
    this.watch = new AlertWatch(store, new RqInspector(store), options, this);
    const failed = ({ queue, name, jobId }: FailedJob, error: EventError) => {
      if (!handlers?.find(queue, name)?.critical) return;
      this.follow(this.watch.criticalFailed(queue, name, alertFailure(jobId, error)));
    };
    if (hasCritical(handlers)) {
      this.jobFailed = (event) => failed(event, event.failure);
      this.jobPoisoned = (event) => failed(event, event.error);
    }
  }

  start(): void {
    this.watch.start();
  }

  /** Waits for the methods that run, but no longer than so many milliseconds. */
  async stop(patience: number): Promise<void> {
    const stopped = this.watch.stop();
    if (this.running.size > 0) await within(patience, Promise.all(this.running));
    await stopped;
  }

  get hears(): boolean {
    return this.listeners.length > 0;
  }

  isWanted(alert: RqAlert): boolean {
    return this.listeners.some((listener) => wants(listener, alert));
  }

  tell(alert: RqAlert): void {
    for (const listener of this.listeners) {
      if (wants(listener, alert)) this.follow(this.call(listener, alert));
    }
  }

  changed(alert: RqAlert): void {
    const fields = () => ({ event: `alert.${alert.state}`, ...alert });
    if (alert.state === 'resolved') this.logger.log(lines.alertEnded(this.root, alert), fields);
    else this.logger.warn(lines.alertBegan(this.root, alert), fields);
  }

  failed(error: unknown): void {
    if (this.isFailing) return;
    this.isFailing = true;
    this.logger.warn(lines.problem({ message: lines.alertsNotWatched(this.root), error }));
  }

  succeeded(): void {
    if (this.isFailing) this.logger.log(lines.alertsWatchedAgain(this.root));
    this.isFailing = false;
  }

  private follow(work: Promise<unknown>): void {
    const running = work.finally(() => this.running.delete(running));
    this.running.add(running);
  }

  private async call(listener: FoundAlertListener, alert: RqAlert): Promise<void> {
    try {
      await inRootContext(() => listener.run(alert));
    } catch (error) {
      const failure = describeFailure(error);
      this.logger.error(lines.alertListenerFailed(listener.owner, alert, failure), failure.stack);
    }
  }
}

type FailedJob = Pick<FailedEvent, 'queue' | 'name' | 'jobId'>;

function hasCritical(handlers: HandlerRegistry | undefined): boolean {
  return (handlers?.queues() ?? []).some((queue) =>
    handlers?.names(queue).some((name) => handlers.find(queue, name)?.critical),
  );
}
